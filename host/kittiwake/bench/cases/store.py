"""Costs of the journal: an alert appended and committed, records read for the link, a start. A new one each time."""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.bench.cases.registry import Case, register

_OPEN = """
from kittiwake_node.link import record
from kittiwake_node.io import parts
from kittiwake_node.store.journal import TAIL_BYTES, Journal
def _blank(storage):
    if storage["kind"] == "folder":
        return parts.make_storage(storage)[0]
    device = parts.make_device(storage)
    erased = b"\\xff" * device.ioctl(5, 0)
    for block in (0, 1):
        device.ioctl(6, block)
        device.writeblocks(block, erased)
    return parts.make_storage(storage)[0]
def _open(fs):
    return Journal(fs, lambda: 0x123456789, tail_bytes=TAIL_BYTES)
def _append(journal, cls=record.ALERT, size=46):
    journal.append(cls, record.draft(record.ANOMALY, 0, cls, 1, 123456, 0, 1, bytes(size)))
"""
# The gateway listens and has acknowledged every alert before the next.
_COMMIT = (
    _OPEN
    + """
def make(storage):
    journal = _open(_blank(storage))
    def commit():
        _append(journal)
        journal.commit(record.ALERT)
        journal.ack(journal.next_seq)
    return commit, ()
"""
)
# Nobody listens, and there is never a moment for tidy(): every fifth commit makes its own room.
_HURRIED = (
    _OPEN
    + """
def make(storage):
    journal = _open(_blank(storage))
    def commit():
        _append(journal)
        journal.commit(record.ALERT)
    return commit, ()
"""
)
_READ = (
    _OPEN
    + """
def make(storage):
    journal = _open(_blank(storage))
    for _ in range(11):
        _append(journal)
    journal.commit(record.ALERT)
    return journal.read, (journal.next_seq - 11, 1000)
"""
)
# Full to the point of eviction, the newest segment of each class nearly full as well: a start reads those.
_RECOVER = (
    _OPEN
    + """
def make(storage):
    journal = _open(_blank(storage))
    turn = 0
    def add(cls, count):
        for _ in range(count):
            journal._pending[cls].extend(record.draft(record.ANOMALY, 0, cls, 1, 123456, 0, 1, bytes(46)))
        journal.commit(cls)
    while not sum(journal.evicted):
        add(turn % record.CLASSES, 24)
        turn += 1
    chains = journal._chains
    for cls in range(record.CLASSES):
        while chains.segments[cls][-1][1] < chains.segment_bytes - 2000:
            add(cls, 12)
        add(cls, 5)
    def start():
        _open(parts.make_storage(storage)[0])
    return start, ()
"""
)


@register
def _journal(kernels: list[str]) -> Iterator[Case]:
    yield Case("journal/commit", _COMMIT, "alert", calls=160, budget=400_000, allocates=True)
    yield Case("journal/commit-hurried", _HURRIED, "alert", calls=160, budget=700_000, allocates=True)
    yield Case("journal/read", _READ, "record", units=11, budget=150_000, allocates=True)
    yield Case("journal/recover", _RECOVER, "start", budget=50_000_000, allocates=True)
