"""Tails: what lies in them, when they are folded, and that no cut, failure or flipped bit in between loses a record."""

import errno
import random

import pytest

from kittiwake_node.errors import NodeError
from kittiwake_node.link.record import ALERT, CLASSES, RAW, TELEMETRY
from tests.support import spec
from tests.support.fake_fs import FakeFs, fail_n_times
from tests.support.journals import JOURNAL_ID, add, drain, open_journal

HEAD_BYTES = 56
TAIL = "tail-2/newest.kwj"


def _open(fs, **settings):
    return open_journal(fs, tail_bytes=512, **settings)


def _filled(count, size=20):
    fs = FakeFs()
    journal = _open(fs)
    for i in range(count):
        assert add(journal, ALERT, bytes([i]) * size)
    return fs, journal


def test_tail_with_one_alert_has_the_bytes_of_the_specification():
    fs = FakeFs()
    journal = _open(fs)
    assert add(journal, ALERT, b"hot", layout=5)
    head = spec.segment_head(2, JOURNAL_ID, 0, spec.state())
    record = spec.record(type=9, cls=2, seq=0, boot=1, time_ms=7, layout=5, payload=b"hot")
    first = spec.segment_head(2, JOURNAL_ID, 0, spec.state(boot=1))
    assert fs.files == {"journal/2-00000000.kwj": head, TAIL: first + record}


def test_tail_takes_single_commits_with_one_program_each_and_touches_no_segment():
    fs, journal = _filled(1)
    segment, programs = fs.files["journal/2-00000000.kwj"], fs.programs
    for i in range(7):  # 56 + 8 * 52 = 472
        assert add(journal, ALERT, bytes(20))
        assert fs.programs == programs + i + 1
    assert fs.files["journal/2-00000000.kwj"] == segment and len(fs.files[TAIL]) == 472


def test_tail_that_is_full_is_folded_and_begun_anew():
    fs, journal = _filled(8)
    old = fs.files[TAIL]
    assert add(journal, ALERT, bytes(20))
    assert fs.files["journal/2-00000000.kwj"][HEAD_BYTES:] == old[HEAD_BYTES:]
    assert len(fs.files[TAIL]) == HEAD_BYTES + 52
    assert [seq for seq, _, _ in drain(journal)] == list(range(9))
    assert drain(_open(fs.after_power_cut())) == drain(journal)


def test_tail_whose_records_are_acknowledged_is_begun_anew_without_a_segment():
    fs, journal = _filled(8)
    for i in range(100):
        journal.ack(journal.next_seq)
        assert add(journal, ALERT, bytes([i]) * 20)
    assert len(fs.files["journal/2-00000000.kwj"]) == HEAD_BYTES
    again = _open(fs.after_power_cut())
    assert (again.next_seq, again.id) == (108, JOURNAL_ID)
    assert again.acked >= 100 and [r[0] for r in drain(again)] == list(range(again.acked, 108))


def test_tail_is_not_for_long_batches():
    fs, journal = _filled(2)
    journal.append(RAW, spec_draft(RAW, 900))
    assert journal.commit(RAW) and "tail-0" not in fs.folders
    assert add(journal, ALERT, bytes(600))
    # The tail's records went along, and nothing reads them twice.
    assert len(fs.files["journal/2-00000000.kwj"]) == HEAD_BYTES + 2 * 52 + 632
    assert [seq for seq, _, _ in drain(journal)] == [0, 1, 2, 3]
    assert drain(_open(fs.after_power_cut())) == drain(journal)


def spec_draft(cls, size):
    return spec.record(type=9, cls=cls, seq=0, payload=bytes(size))


def test_tidy_makes_room_before_the_next_commit_needs_it():
    fs, journal = _filled(7)
    assert journal.tidy() and not journal.tidy()
    programs = fs.programs
    assert add(journal, ALERT, bytes(20))
    assert fs.programs == programs + 1 + 1  # the file is opened anew; no fold
    assert [seq for seq, _, _ in drain(journal)] == list(range(8))


def test_tidy_of_acknowledged_or_young_tails_writes_nothing():
    fs, journal = _filled(3)
    programs = fs.programs
    assert not journal.tidy()
    fs, journal = _filled(8)
    journal.ack(8)
    programs = fs.programs
    assert not journal.tidy() and fs.programs == programs


def test_tidy_on_a_medium_that_fails_is_tried_once():
    fs, journal = _filled(8)
    fail_n_times(fs, "flush", 10**9)
    assert journal.tidy() and not journal.tidy() and journal.failed == 1
    fs.fail = lambda operation, path: None
    assert add(journal, ALERT, b"on") and len(drain(journal)) == 9


@pytest.mark.parametrize("cut_at", range(1, 40))
def test_tail_cut_at_any_program_keeps_every_record_once(cut_at):
    """A cut is a medium on which nothing more succeeds."""
    fs = FakeFs()
    rng = random.Random(cut_at)
    journal = _open(fs)
    left = [20 + cut_at]

    def fail(operation, path):
        left[0] -= 1
        if left[0] <= 0:
            raise OSError(errno.EIO)

    fs.fail = fail
    safe = []
    while left[0] > 0:
        cls, payload, seq = rng.choice((1, 2, 2)), rng.randbytes(rng.randrange(80)), journal.next_seq
        if add(journal, cls, payload):
            safe.append((seq, cls, payload))
        if rng.random() < 0.2:
            journal.tidy()
    again = _open(fs.after_power_cut())
    assert drain(again, 0) == safe
    assert again.next_seq == len(safe) and again.damaged == 0
    assert add(again, ALERT, b"on") and drain(again, 0)[-1] == (len(safe), ALERT, b"on")


def test_tail_that_is_in_its_segment_already_is_not_read_again():
    fs, journal = _filled(8)
    tail = fs.files[TAIL]
    assert journal.tidy()
    assert fs.files[TAIL] == tail, "the file is left as it is until it is begun anew"
    again = _open(fs.after_power_cut())
    assert [seq for seq, _, _ in drain(again)] == list(range(8)) and again.next_seq == 8
    assert add(again, ALERT, b"x") and [seq for seq, _, _ in drain(again)] == list(range(9))


@pytest.mark.parametrize("at", range(HEAD_BYTES + 4 * 52))
def test_tail_with_a_flipped_bit_delivers_the_rest_and_repeats_no_number(at):
    fs, journal = _filled(4)
    want = drain(journal)
    raw = bytearray(fs.files[TAIL])
    raw[at] ^= 1 << at % 8
    fs.files[TAIL] = bytes(raw)
    again = _open(fs.after_power_cut())
    hit = (at - HEAD_BYTES) // 52
    found = drain(again)
    assert found == [r for r in want if at < HEAD_BYTES or r[0] != hit]
    assert again.damaged == 1 and 4 <= again.next_seq <= 6
    first = again.next_seq
    for i in range(3):
        # Every later start meets a clean tail.
        assert add(again, ALERT, b"%d" % i)
        again = _open(again._fs.after_power_cut())
        assert again.damaged == 0 and again.next_seq == first + 1 + i
    assert drain(again) == found + [(first + i, ALERT, b"%d" % i) for i in range(3)]


def test_tail_with_a_damaged_head_still_gives_the_state():
    fs, journal = _filled(30)
    journal.ack(25)
    assert add(journal, ALERT, b"x" * 20)
    tail = bytearray(fs.files[TAIL])
    tail[25] ^= 1
    fs.files[TAIL] = bytes(tail)
    again = _open(fs.after_power_cut())
    assert again.id == JOURNAL_ID and again.next_seq == journal.next_seq and again.damaged == 1


def test_tail_of_another_journal_or_of_a_later_version_refuses():
    fs, _ = _filled(2)
    later, mixed, foreign = fs.after_power_cut(), fs.after_power_cut(), FakeFs(folders={"tail-2", "journal"})
    later.files[TAIL] = spec.segment_head(2, JOURNAL_ID, 0, spec.state(), version=2)
    mixed.files[TAIL] = spec.segment_head(2, 99, 0, spec.state())
    foreign.files[TAIL] = b"hello"
    for medium, code in ((later, "journal-newer"), (mixed, "journal-mixed"), (foreign, "journal-foreign")):
        files = dict(medium.files)
        with pytest.raises(NodeError, match=code):
            _open(medium)
        assert medium.files == files


def test_tail_is_read_by_a_journal_without_tails_which_folds_it():
    fs, _ = _filled(5)
    again = open_journal(fs.after_power_cut())
    assert [seq for seq, _, _ in drain(again)] == list(range(5))
    assert add(again, ALERT, b"x")
    assert [seq for seq, _, _ in drain(open_journal(again._fs.after_power_cut()))] == list(range(6))


@pytest.mark.parametrize(("blocks", "block_bytes"), [(31, 4096), (400, 512)])
def test_tail_on_a_small_medium_or_of_small_blocks_is_not_made(blocks, block_bytes):
    fs = FakeFs(block_bytes=block_bytes, blocks=blocks)
    journal = _open(fs)
    assert add(journal, ALERT, b"x") and fs.folders == {"journal"}


def test_tail_of_a_lower_class_is_kept_when_its_segments_are_evicted():
    fs = FakeFs(blocks=40)
    journal = _open(fs)
    for i in range(300):
        assert add(journal, TELEMETRY, bytes([i & 255]) * 20)
    for _ in range(100):
        assert add(journal, ALERT, bytes(900))
    assert 250 < journal.evicted[TELEMETRY] < 300 and journal.evicted[ALERT] > 0
    kept = [seq for seq, cls, _ in drain(journal) if cls == TELEMETRY]
    assert kept == list(range(journal.evicted[TELEMETRY], 300))
    assert drain(_open(fs.after_power_cut())) == drain(journal)


@pytest.mark.parametrize("seed", range(6))
def test_tail_under_reading_acks_restarts_and_eviction_gives_each_record_once_in_order(seed):
    rng = random.Random(seed)
    fs = FakeFs(blocks=36)
    journal = _open(fs)
    at, got, produced = 0, [], 0
    for _ in range(4000):
        produced += 1
        add(journal, rng.randrange(CLASSES), rng.randbytes(rng.randrange(120)))
        if rng.random() < 0.3:
            journal.tidy()
        while rng.random() < 0.4:
            raw, after = journal.read(at, 600)
            offset = 0
            while offset < len(raw):
                got.append(int.from_bytes(raw[offset + 12 : offset + 16], "little"))
                offset += 32 + int.from_bytes(raw[offset + 4 : offset + 6], "little")
            at = after
        if rng.random() < 0.01:
            journal.ack(rng.randrange(at + 1))
        if rng.random() < 0.002:
            fs = fs.after_power_cut()
            boot, journal = journal.state.boot, _open(fs)
            assert journal.state.boot >= boot
    assert got == sorted(set(got)), "a record came twice, or late"
    left = [seq for seq, _, _ in drain(journal, at)]
    assert len(got) + len(left) + sum(journal.evicted) >= produced
