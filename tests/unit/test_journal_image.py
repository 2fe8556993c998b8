"""Partition images read on the host: the firmware's journal against a reader written from the specification."""

import random

import pytest

pytest.importorskip("littlefs", reason="littlefs-python is not installed: pip install 'kittiwake[journal]'")

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.journal import image, parse, reading, tell
from tests.support.fake_fs import FakeFs
from tests.support.journals import JOURNAL_ID, add, drain, open_journal
from tests.support.micropython import FIRMWARE, run_script

SCRIPT = "tests/unit/journal_image_run.py"


def partition(files, block_bytes=4096, blocks=64):
    """A LittleFS image of these files, made by littlefs-python."""
    from littlefs import LittleFS

    made = LittleFS(block_size=block_bytes, block_count=blocks)
    for path, content in files.items():
        folder = path.rpartition("/")[0]
        if folder:
            made.makedirs(folder, exist_ok=True)
        with made.open(path, "wb") as file:
            file.write(content)
    return bytes(made.context.buffer)


def journal_files(seed, listens=True):
    """Files of a journal that worked for a while, and what it would deliver: (seq, class, payload)."""
    chance = random.Random(seed)
    fs = FakeFs(blocks=48)
    journal = open_journal(fs, tail_bytes=512)
    assert journal.describe(b"[{}]") == 1
    for _ in range(400):
        add(journal, chance.choice((0, 1, 1, 2)), chance.randbytes(chance.randrange(300)))
        if listens and chance.random() < 0.02:
            journal.ack(chance.randrange(journal.acked, journal.next_seq + 1))
    return fs.after_power_cut().files, drain(journal), journal


def waiting(journal):
    return [(e.record.seq, e.record.cls, e.record.payload) for e in journal.entries if not e.is_acked]


@pytest.mark.parametrize(("blocks", "seed", "more"), [(64, 1, []), (64, 2, ["listens"]), (24, 3, []), (256, 4, [])])
def test_image_of_the_firmwares_own_partition_holds_what_the_firmware_says(tmp_path, blocks, seed, more):
    path = tmp_path / "flash.img"
    said = run_script(SCRIPT, str(FIRMWARE), str(path), str(blocks), str(seed), *more)
    read = reading.read(image.load(path), "it")
    assert f"{read.id:016x}" == said["id"]
    assert read.next_seq == said["next_seq"] > 300
    assert list(read.state.dropped) == said["evicted"]
    assert (sum(said["evicted"]) > 0) == (blocks == 24)
    found = [[e.record.seq, e.record.cls, e.record.type, e.record.payload.hex()] for e in read.entries]
    # The cursor in flash may be older than the one in memory: then more is there than the journal would send.
    assert [r for r in found if r[0] >= said["acked"]] == said["waiting"] != []
    assert read.is_sound and read.layouts[1].decode() == said["layout"]


@pytest.mark.parametrize("seed", range(6))
def test_reading_of_a_journal_delivers_what_the_firmware_delivers(seed):
    files, delivered, journal = journal_files(seed)
    read = reading.read(files, "it")
    assert [r for r in waiting(read) if r[0] >= journal.acked] == delivered != []
    assert read.id == JOURNAL_ID and read.next_seq == journal.next_seq and read.is_sound


@pytest.mark.parametrize("seed", range(30))
def test_reading_with_a_flipped_bit_says_where_and_gives_the_rest(seed):
    files, delivered, journal = journal_files(0)
    chance = random.Random(seed)
    path = chance.choice([p for p in sorted(files) if p.endswith(".kwj")])
    raw = bytearray(files[path])
    at = chance.randrange(len(raw))
    raw[at] ^= 1 << chance.randrange(8)
    read = reading.read({**files, path: bytes(raw)}, "it")
    assert not read.is_sound
    named = [d for d in read.damages if d.path == path]
    assert any(d.offset <= at < d.offset + d.size for d in named), (at, read.damages)
    altered = {r[0]: r for r in delivered}
    assert all(altered.get(r[0], r) == r for r in waiting(read)), "a damaged record was believed"
    assert len(waiting(read)) >= len(delivered) - 3


@pytest.mark.parametrize("block_bytes", [512, 1024, 4096, 16384])
def test_image_of_any_block_size_is_read(block_bytes):
    files, _, _ = journal_files(1)
    assert image.files_of(partition(files, block_bytes, (1 << 21) // block_bytes), "it") == files


@pytest.mark.parametrize("seed", range(20))
def test_image_with_random_damage_is_read_or_refused_and_never_a_surprise(seed):
    chance = random.Random(seed)
    files, delivered, _ = journal_files(2)
    raw = bytearray(partition(files))
    damage = chance.choice((1, 20, 2000))
    for _ in range(damage):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    try:
        read = reading.read(image.files_of(bytes(raw), "it"), "it")
    except KittiwakeError as error:
        assert damage == 2000, f"{damage} bytes of {len(raw)} cost all of the journal: {error}"
        return
    assert set(waiting(read)) <= set(delivered), "a damaged record was believed"
    assert len(waiting(read)) >= len(delivered) - damage
    assert len(list(tell.records(read))) >= len(waiting(read))
    assert list(tell.closing_lines(read))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no journal"),
        ({"main.py": b"x"}, "no journal"),
        ({"journal/2-00000000.kwj": b"x" * 100}, "no head"),
        ({"journal/2-00000000.kwj": b"", "boot.py": b""}, "no journal"),
    ],
)
def test_reading_without_a_journal_says_so(files, said):
    with pytest.raises(UsageError, match=said):
        reading.read(files, "it")


def test_reading_of_two_journals_or_a_later_version_is_refused():
    files, _, _ = journal_files(3)
    other = FakeFs()
    stranger = open_journal(other)
    stranger.id = 7
    path = "journal/2-0fffffff.kwj"
    from kittiwake_node.store import segment

    head = segment.pack_head(2, 99, 0x0FFFFFFF, segment.State())
    with pytest.raises(UsageError, match="2 journals"):
        reading.read({**files, path: head}, "it")
    later = bytearray(segment.pack_head(2, JOURNAL_ID, 0x0FFFFFFF, segment.State()))
    later[3] = 2
    later[-4:] = (parse._crc(bytes(later[:-4]))).to_bytes(4, "little")
    with pytest.raises(UsageError, match="version 2"):
        reading.read({**files, path: bytes(later)}, "it")


def test_reading_with_a_segment_gone_counts_numbers_that_nothing_explains():
    files, _, _ = journal_files(0, listens=False)
    gone = sorted(p for p in files if p.startswith("journal/1-"))[1]
    read = reading.read({p: raw for p, raw in files.items() if p != gone}, "it")
    assert read.unexplained > 0 and not read.is_sound
    assert any("nothing says why" in line for line in tell.closing_lines(read))
