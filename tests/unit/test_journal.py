"""The journal over a file system with LittleFS's promises: commits, restarts, eviction, acknowledgement."""

import errno
import random

import pytest

from kittiwake_node.errors import NodeError
from kittiwake_node.link.record import ALERT, CLASSES, RAW, TELEMETRY
from tests.support import spec
from tests.support.fake_fs import FakeFs, fail_n_times
from tests.support.journals import JOURNAL_ID, add, drain, open_journal


def test_journal_when_new_holds_one_segment_with_its_id():
    fs = FakeFs()
    journal = open_journal(fs)
    assert fs.files == {"journal/2-00000000.kwj": spec.segment_head(2, JOURNAL_ID, 0, spec.state())}
    assert (journal.id, journal.next_seq, journal.acked, drain(journal)) == (JOURNAL_ID, 0, 0, [])


def test_journal_with_one_alert_has_the_bytes_of_the_specification():
    fs = FakeFs()
    journal = open_journal(fs)
    assert add(journal, ALERT, b"hot", layout=5)
    head = spec.segment_head(2, JOURNAL_ID, 0, spec.state())
    record = spec.record(type=9, cls=2, seq=0, boot=1, time_ms=7, layout=5, payload=b"hot")
    assert fs.files["journal/2-00000000.kwj"] == head + record


def test_journal_opened_again_keeps_its_id_and_repeats_a_boot_that_left_nothing():
    fs = FakeFs()
    for _ in range(3):
        journal = open_journal(fs.after_power_cut())
        assert (journal.id, journal.state.boot) == (JOURNAL_ID, 1)


def test_journal_counts_every_boot_that_left_a_record():
    fs = FakeFs()
    for boot in range(1, 6):
        journal = open_journal(fs)
        assert journal.state.boot == boot
        add(journal, (RAW, TELEMETRY, ALERT)[boot % 3], b"x")
        fs = fs.after_power_cut()


def test_journal_after_a_power_cut_has_what_was_committed_and_no_more():
    fs = FakeFs()
    journal = open_journal(fs)
    add(journal, TELEMETRY, b"safe")
    add(journal, TELEMETRY, b"gone", commit=False)
    add(journal, ALERT, b"safe too")
    journal = open_journal(fs.after_power_cut())
    assert drain(journal) == [(0, TELEMETRY, b"safe"), (1, ALERT, b"safe too")]
    assert journal.next_seq == 2


def test_journal_with_a_full_batch_commits_by_itself():
    fs = FakeFs()
    journal = open_journal(fs, batch_bytes=200)
    for i in range(5):
        add(journal, TELEMETRY, bytes([i]) * 18, commit=False)
    assert journal.pending_bytes(TELEMETRY) == 50
    assert len(drain(open_journal(fs.after_power_cut()))) == 4


def test_journal_of_a_record_longer_than_a_frame_refuses_it():
    journal = open_journal(FakeFs())
    with pytest.raises(NodeError, match="record-too-long"):
        add(journal, RAW, bytes(1000 - 31))
    assert add(journal, RAW, bytes(1000 - 32))


def test_journal_over_many_segments_reads_all_classes_in_order():
    journal = open_journal(FakeFs(blocks=512))
    rng = random.Random(1)
    want = []
    for seq in range(3000):
        cls, payload = rng.randrange(CLASSES), rng.randbytes(rng.randrange(200))
        assert add(journal, cls, payload)
        want.append((seq, cls, payload))
    assert journal.evicted == [0, 0, 0]
    for limit_bytes in (1, 500, 1010, 100_000):
        assert drain(journal, 0, limit_bytes) == want
    for start in (1, 777, 2998, 2999, 3000, 9999):
        assert drain(journal, start) == want[start:]


def test_journal_read_gives_one_layout_at_a_time():
    journal = open_journal(FakeFs())
    for layout in (1, 1, 2, 2, 2, 1):
        add(journal, ALERT, b"x", layout)
    sizes, seq = [], 0
    while seq < 6:
        raw, after = journal.read(seq, 1010)
        sizes.append(len(raw) // 33)
        seq = after
    assert sizes == [2, 3, 1]


@pytest.mark.parametrize("seed", range(3))
def test_journal_read_while_it_is_written_and_evicted_misses_nothing_that_is_there(seed):
    fs = FakeFs(blocks=48)
    journal = open_journal(fs)
    rng = random.Random(seed)
    there, got, at = {}, [], 0
    for _ in range(6000):
        cls, payload = rng.choice((0, 0, 1, 1, 1, 2)), rng.randbytes(rng.randrange(300))
        seq = journal.next_seq
        if add(journal, cls, payload):
            there[seq] = (seq, cls, payload)
        while rng.random() < 0.4:
            raw, after = journal.read(at, 600)
            offset = 0
            while offset < len(raw):
                seq = int.from_bytes(raw[offset + 12 : offset + 16], "little")
                assert at <= seq < after
                got.append(seq)
                offset += 32 + int.from_bytes(raw[offset + 4 : offset + 6], "little")
            at = after
        if rng.random() < 0.01:
            journal.ack(rng.randrange(at + 1))
    got_set = set(got)
    assert got == sorted(got_set) and got_set <= set(there)
    assert sum(journal.evicted) >= sum(1 for seq in there if seq < at and seq not in got_set)
    left = {seq for seq, _, _ in drain(journal, 0)}
    assert {seq for seq in left if seq < at} <= got_set


def test_journal_acks_cost_no_flash_but_the_removal_of_segments():
    fs = FakeFs()
    journal = open_journal(fs)
    for _ in range(400):
        add(journal, TELEMETRY, bytes(200))
    files, programs = len(fs.files), fs.programs
    for seq in range(401):
        journal.ack(seq)
    removed = files - len(fs.files)
    assert fs.programs - programs == removed > 5
    assert journal.acked == 400 and drain(journal) == []
    assert add(journal, TELEMETRY, b"next") and drain(journal) == [(400, TELEMETRY, b"next")]


@pytest.mark.parametrize("seq", [0, 3, 11, 1 << 32])
def test_journal_ack_that_is_old_or_ahead_changes_nothing(seq):
    journal = open_journal(FakeFs())
    for _ in range(10):
        add(journal, ALERT, b"x")
    journal.ack(4)
    journal.ack(seq)
    assert journal.acked == 4


def test_journal_cursor_survives_a_power_cut_up_to_the_last_mark():
    fs = FakeFs()
    journal = open_journal(fs)
    for _ in range(100):
        add(journal, ALERT, b"x")
    journal.ack(31)
    add(journal, ALERT, b"no mark yet")
    assert open_journal(fs.after_power_cut()).acked == 0
    journal.ack(32)
    add(journal, ALERT, b"mark")
    assert open_journal(fs.after_power_cut()).acked == 32
    mark = spec.record(type=0, cls=2, seq=101, layout=0, payload=spec.state(boot=1, acked=32))
    assert fs.files["journal/2-00000000.kwj"].count(mark) == 1


def test_journal_cut_before_evicted_segments_are_removed_removes_them_at_the_next_start():
    fs = FakeFs(blocks=32)
    journal = open_journal(fs)
    fail_n_times(fs, "remove", 10**9)
    while not journal.evicted[TELEMETRY]:
        assert add(journal, TELEMETRY, bytes(900))
    evicted, files = journal.evicted[TELEMETRY], len(fs.files)
    again = open_journal(fs.after_power_cut())
    assert again.evicted[TELEMETRY] == evicted
    assert len(again._fs.files) < files
    assert len(drain(again)) + evicted == journal.next_seq


def test_journal_cut_after_a_segment_was_created_removes_the_empty_file():
    fs = FakeFs()
    journal = open_journal(fs)
    add(journal, TELEMETRY, b"x")
    fs.files["journal/1-00000001.kwj"] = b""
    again = open_journal(fs)
    assert "journal/1-00000001.kwj" not in fs.files
    assert drain(again) == [(0, TELEMETRY, b"x")]


def test_journal_whose_numbers_are_used_up_refuses_and_repeats_none():
    fs = FakeFs(folders={"journal"})
    fs.files["journal/2-fffffffd.kwj"] = spec.segment_head(2, JOURNAL_ID, 0xFFFFFFFD, spec.state())
    journal = open_journal(fs)
    assert [add(journal, ALERT, b"x") for _ in range(4)] == [True, True, False, False]
    assert [seq for seq, _, _ in drain(journal)] == [0xFFFFFFFD, 0xFFFFFFFE]
    assert journal.evicted[ALERT] == 2


def test_journal_on_a_read_only_medium_says_so():
    fs = FakeFs()
    fail_n_times(fs, "mkdir", 1, errno.EROFS)
    with pytest.raises(NodeError, match="journal-open"):
        open_journal(fs)
