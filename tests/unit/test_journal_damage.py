"""The journal over bytes that are not what it wrote: flipped bits, damaged heads, foreign files, later versions."""

import errno
import random

import pytest

from kittiwake_node.errors import NodeError
from kittiwake_node.link.record import ALERT, RAW, TELEMETRY
from tests.support import spec
from tests.support.fake_fs import FakeFs
from tests.support.journals import JOURNAL_ID, add, drain, open_journal

HEAD_BYTES = 56


def _filled(count=20, cls=ALERT):
    fs = FakeFs()
    journal = open_journal(fs)
    for i in range(count):
        add(journal, cls, b"record %02d" % i)
    return fs, journal, drain(journal)


def _flip(fs, path, at, bit=0):
    raw = bytearray(fs.files[path])
    raw[at] ^= 1 << bit
    fs.files[path] = bytes(raw)


@pytest.mark.parametrize("at", range(HEAD_BYTES, HEAD_BYTES + 2 * 41))
def test_journal_with_a_flipped_bit_in_a_record_delivers_the_rest(at):
    fs, _, want = _filled()
    _flip(fs, "journal/2-00000000.kwj", at, at % 8)
    journal = open_journal(fs.after_power_cut())
    for _ in range(3):
        assert drain(journal) == want[:0] + [r for r in want if r[0] != (at - HEAD_BYTES) // 41]
    assert journal.damaged == 1
    assert journal.next_seq == 20


@pytest.mark.parametrize("at", range(HEAD_BYTES + 19 * 41, HEAD_BYTES + 20 * 41, 3))
def test_journal_with_a_damaged_end_never_gives_its_numbers_again(at):
    fs, _, want = _filled()
    _flip(fs, "journal/2-00000000.kwj", at)
    journal = open_journal(fs.after_power_cut())
    assert 20 <= journal.next_seq <= 22 and journal.damaged == 1
    first = journal.next_seq
    assert add(journal, ALERT, b"new")
    for _ in range(3):
        # Regression: every later start met the damage again and stepped over hundreds of numbers.
        fs = journal._fs.after_power_cut()
        journal = open_journal(fs)
        assert journal.next_seq == first + 1
    assert drain(journal) == want[:19] + [(first, ALERT, b"new")]


@pytest.mark.parametrize("seed", range(10))
def test_journal_with_bits_flipped_anywhere_alters_nothing_and_goes_on(seed):
    rng = random.Random(seed)
    fs = FakeFs()
    journal = open_journal(fs)
    committed = {}
    for _ in range(400):
        cls, payload = rng.randrange(3), rng.randbytes(rng.randrange(200))
        committed[journal.next_seq] = (journal.next_seq, cls, payload)
        add(journal, cls, payload)
    for path in list(fs.files):
        if rng.random() < 0.5:
            for _ in range(rng.choice((1, 3, 200))):
                _flip(fs, path, rng.randrange(HEAD_BYTES, len(fs.files[path])), rng.randrange(8))
    journal = open_journal(fs.after_power_cut())
    found = drain(journal)
    assert [committed[seq] for seq, _, _ in found] == found
    assert journal.damaged > 0 and journal.next_seq >= 400
    for i in range(100):
        seq = journal.next_seq
        assert seq not in committed and add(journal, rng.randrange(3), b"%d" % i)
        committed[seq] = None
    assert len(drain(journal)) == len(found) + 100


def test_journal_with_a_damaged_head_delivers_its_records_and_finds_the_state():
    # Regression: with the newest head damaged, the marks before it were not looked at.
    fs = FakeFs(blocks=64)
    journal = open_journal(fs)
    for i in range(90):
        add(journal, ALERT, bytes([i]) * 300)
    journal.ack(40)
    add(journal, ALERT, b"with a mark")
    while len(fs.files) < 6:
        add(journal, ALERT, bytes(300))
    want = drain(journal)
    _flip(fs, max(fs.files), 30)
    again = open_journal(fs.after_power_cut())
    assert (again.acked, again.id, again.next_seq) == (40, JOURNAL_ID, journal.next_seq)
    assert drain(again) == want and again.damaged == 1


def test_journal_with_a_segment_that_cannot_be_read_delivers_the_others():
    # Regression: the error of the medium went through read() and stopped the node.
    fs = FakeFs()
    journal = open_journal(fs)
    for i in range(60):
        add(journal, TELEMETRY, bytes([i]) * 300)
    victim = sorted(fs.files)[1]

    def fail_read(path):
        if path == victim:
            raise OSError(errno.EIO)

    fs.fail_read = fail_read
    found = drain(journal)
    assert 0 < len(found) < 60 and journal.damaged > 0
    assert add(journal, ALERT, b"on")


def test_journal_evicting_a_segment_that_cannot_be_read_goes_on():
    # Regression: counting what an unreadable segment holds raised out of commit().
    fs = FakeFs(blocks=32)
    journal = open_journal(fs)
    for _ in range(30):
        add(journal, RAW, bytes(900))

    def fail_read(path):
        raise OSError(errno.EIO)

    fs.fail_read = fail_read
    for _ in range(200):
        assert add(journal, ALERT, bytes(900))


@pytest.mark.parametrize("content", [b"hello", b"KWJ" + bytes(60), bytes(500), b"\xff" * 4096])
def test_journal_over_segments_of_somebody_else_refuses_and_leaves_them(content):
    fs = FakeFs(files={"journal/2-00000000.kwj": content}, folders={"journal"})
    with pytest.raises(NodeError, match="journal-foreign"):
        open_journal(fs)
    assert fs.files == {"journal/2-00000000.kwj": content}


def test_journal_of_a_later_version_refuses_and_leaves_it():
    files = {"journal/2-00000000.kwj": spec.segment_head(2, JOURNAL_ID, 0, spec.state(), version=2)}
    fs = FakeFs(files=files, folders={"journal"})
    with pytest.raises(NodeError, match="journal-newer"):
        open_journal(fs)
    assert fs.files == files


def test_journal_made_of_two_refuses():
    fs = FakeFs(folders={"journal"})
    fs.files["journal/1-00000000.kwj"] = spec.segment_head(1, 1, 0, spec.state())
    fs.files["journal/2-00000000.kwj"] = spec.segment_head(2, 2, 0, spec.state())
    with pytest.raises(NodeError, match="journal-mixed"):
        open_journal(fs)


def test_journal_beside_files_of_other_names_leaves_them():
    fs = FakeFs(folders={"journal", "lib"})
    others = ("journal/notes.txt", "journal/2-0000000x.kwj", "journal/9-00000000.kwj", "journal/layout-zzzz.kwl")
    fs.files.update(dict.fromkeys(others, b"mine"))
    journal = open_journal(fs)
    assert journal.describe(b"[]") == 1
    assert add(journal, ALERT, b"x") and all(fs.files[path] == b"mine" for path in others)


def test_journal_written_by_hand_from_the_specification_is_read():
    # Every number and byte here is formed by tests/support/spec.py, none by the journal.
    old = spec.state(boot=3, acked=0, evicted=(7, 0, 0), floor=(20, 0, 0))
    new = spec.state(boot=4, acked=31, evicted=(7, 2, 0), floor=(20, 0, 0))
    raw = [spec.record(cls=0, seq=seq, payload=b"raw") for seq in (20, 22)]
    telemetry = [spec.record(cls=1, seq=seq, payload=b"tele") for seq in (30, 31, 34)]
    mark = spec.record(type=0, cls=1, seq=32, payload=new)
    alerts = [spec.record(cls=2, seq=seq, boot=5, payload=b"alert") for seq in (32, 33)]
    fs = FakeFs(folders={"journal"})
    fs.files = {
        "journal/0-00000002.kwj": spec.segment_head(0, 77, 2, old) + spec.record(cls=0, seq=2, payload=b"evicted"),
        "journal/0-00000014.kwj": spec.segment_head(0, 77, 0x14, old) + b"".join(raw),
        "journal/1-0000001e.kwj": spec.segment_head(1, 77, 0x1E, old) + b"".join(telemetry[:2]) + mark + telemetry[2],
        "journal/2-00000020.kwj": spec.segment_head(2, 77, 0x20, old) + b"".join(alerts),
    }
    journal = open_journal(fs)
    assert (journal.id, journal.next_seq, journal.acked, journal.state.boot) == (77, 35, 31, 6)
    assert journal.evicted == [7, 2, 0] and journal.damaged == 0
    assert drain(journal) == [(31, 1, b"tele"), (32, 2, b"alert"), (33, 2, b"alert"), (34, 1, b"tele")]
    assert drain(journal, 0)[0][0] == 20
    assert "journal/0-00000002.kwj" not in fs.files


# Channel descriptions.


def test_layouts_with_the_same_text_keep_their_number():
    fs = FakeFs()
    journal = open_journal(fs)
    assert [journal.describe(text) for text in (b"a", b"a", b"b", b"b", b"a")] == [1, 1, 2, 2, 3]
    again = open_journal(fs.after_power_cut())
    assert again.describe(b"a") == 3
    assert [again.description(n) for n in (1, 2, 3, 4)] == [b"a", b"b", b"a", b"{}"]
    assert fs.files["journal/layout-0002.kwl"] == spec.sealed(b"b")


def test_layouts_beyond_eight_forget_the_oldest():
    journal = open_journal(FakeFs())
    for i in range(20):
        assert journal.describe(b"%d" % i) == i + 1
    assert [journal.description(n) for n in range(11, 21)] == [b"{}"] * 2 + [b"%d" % i for i in range(12, 20)]


def test_layouts_with_a_flipped_bit_are_gone_and_written_anew():
    # Regression: a description had no check of its own, so a flipped bit changed a unit without anyone knowing.
    fs = FakeFs()
    journal = open_journal(fs)
    journal.describe(b'[{"scale":"1/100"}]')
    for at in range(len(fs.files["journal/layout-0001.kwl"])):
        damaged = fs.after_power_cut()
        _flip(damaged, "journal/layout-0001.kwl", at, at % 8)
        journal = open_journal(damaged)
        assert journal.description(1) == b"{}"
        assert journal.describe(b'[{"scale":"1/100"}]') == 2


def test_layouts_too_long_for_a_frame_are_refused():
    # Regression: the frame that should carry it was one that the gateway cannot take, and no record followed.
    journal = open_journal(FakeFs())
    assert journal.describe(b"x" * 1000) == 1
    with pytest.raises(NodeError, match="1001 bytes, limit 1000"):
        journal.describe(b"x" * 1001)


@pytest.mark.parametrize("operation", ["open", "flush", "rename"])
def test_layouts_cut_while_written_leave_the_old_ones(operation):
    fs = FakeFs()
    journal = open_journal(fs)
    journal.describe(b"old")

    def fail(done, path):
        if done == operation:
            raise OSError(errno.EIO)

    fs.fail = fail
    with pytest.raises(NodeError, match="journal-layout"):
        journal.describe(b"new")
    again = open_journal(fs.after_power_cut())
    assert again.description(1) == b"old" and again.description(2) == b"{}"
    assert again.describe(b"new") == 2 and again.description(2) == b"new"
