"""The identity of traces: of the record alone, the same in every process."""

import hashlib

import pytest

from kittiwake.bridge.way import Way
from kittiwake.observe.steps import PUBLISH, ROW, SAMPLE, Key
from kittiwake_node.link import record as rec
from tools.devices import EPOCH_MS, MemoryJournal

JOURNAL = 0x1122334455667788


class Told:
    """Steps, in a list."""

    def __init__(self, wanted=lambda key: True):
        self.steps, self.wants = [], wanted

    def tell(self, step):
        self.steps.append(step)


@pytest.fixture
def records():
    journal = MemoryJournal(JOURNAL)
    for _ in range(4):
        journal.add(rec.READING, b"\0\0\0\0\0\0\0\0")
    return [rec.decode(raw)[0] for raw in journal.records]


def test_ids_are_the_digest_of_device_journal_seq_and_step():
    key = Key("press-7", f"{JOURNAL:016x}", 9)
    text = b"press-7/1122334455667788/9/"
    assert key.trace_id.to_bytes(16) == hashlib.sha256(text).digest()[:16]
    for step in (SAMPLE, PUBLISH, ROW):
        assert key.span_id(step).to_bytes(8) == hashlib.sha256(text + step.encode()).digest()[:8]


@pytest.mark.parametrize(("share", "least", "most"), [(0, 0, 0), (0.1, 150, 250), (1, 2000, 2000)])
def test_share_of_the_records_is_traced(share, least, most):
    assert least <= sum(Key("press-7", f"{JOURNAL:016x}", seq).is_of_share(share) for seq in range(2000)) <= most


def test_way_of_a_record_begins_with_its_sample_and_ends_when_it_is_safe(records):
    told, now_ns = Told(), [EPOCH_MS * 1_000_000 + 5]
    way = Way(told, lambda: now_ns[0])
    way.begin("press-7", JOURNAL)
    way.taken(records[0])
    now_ns[0] += 20
    way.confirmed(0)
    way.confirmed(0)
    way.confirmed(3)
    began = EPOCH_MS * 1_000_000
    key = Key("press-7", f"{JOURNAL:016x}", 0)
    assert [(s.name, s.key, s.begin_ns - began, s.end_ns - began) for s in told.steps] == [
        (SAMPLE, key, 0, 5),
        (PUBLISH, key, 5, 25),
    ]


def test_way_forgets_a_former_journal_and_tells_of_no_record_that_nobody_wants(records):
    told = Told(lambda key: key.seq != 2)
    way = Way(told)
    way.begin("press-7", JOURNAL)
    way.taken(records[1])
    way.begin("press-7", JOURNAL + 1)
    way.confirmed(1)
    way.taken(records[2])
    way.confirmed(2)
    assert [step.name for step in told.steps] == [SAMPLE]


def test_sample_of_a_board_whose_clock_is_ahead_takes_no_time(records):
    told = Told()
    way = Way(told, lambda: 1000)
    way.begin("press-7", JOURNAL)
    way.taken(records[0])
    assert (told.steps[0].begin_ns, told.steps[0].end_ns) == (1000, 1000)
