"""Costs of the journal: an alert appended and committed, records read back for the link. A fresh journal each time."""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.benches import Case, register

_OPEN = """
from kittiwake_node.core import record
from kittiwake_node.io import parts
from kittiwake_node.store.journal import Journal
def _blank(storage):
    if storage["kind"] == "folder":
        return parts.make_storage(storage)[0]
    device = parts.make_device(storage)
    erased = b"\\xff" * device.ioctl(5, 0)
    for block in (0, 1):
        device.ioctl(6, block)
        device.writeblocks(block, erased)
    return parts.make_storage(storage)[0]
def _append(journal, size=46):
    journal.append(record.ALERT, record.draft(record.ANOMALY, 0, record.ALERT, 1, 123456, 0, 1, bytes(size)))
"""
_COMMIT = (
    _OPEN
    + """
def make(storage):
    journal = Journal(_blank(storage), lambda: 0x123456789)
    def commit():
        _append(journal)
        journal.commit(record.ALERT)
        journal.ack(journal.next_seq)
    return commit, ()
"""
)
_READ = (
    _OPEN
    + """
def make(storage):
    journal = Journal(_blank(storage), lambda: 0x123456789)
    for _ in range(11):
        _append(journal)
    journal.commit(record.ALERT)
    return journal.read, (journal.next_seq - 11, 1000)
"""
)


@register
def _journal(kernels: list[str]) -> Iterator[Case]:
    yield Case("journal/commit", _COMMIT, "alert", calls=16, budget=700_000)
    yield Case("journal/read", _READ, "record", units=11, budget=150_000)
