"""Costs of the journal, a new one each time."""

from kittiwake_node.io import parts
from kittiwake_node.link import record
from kittiwake_node.store.journal import TAIL_BYTES, Journal


def _blank(storage):
    if storage["kind"] == "folder":
        return parts.make_storage(storage)[0]
    device = parts.make_device(storage)
    erased = b"\xff" * device.ioctl(5, 0)
    for block in (0, 1):
        device.ioctl(6, block)
        device.writeblocks(block, erased)
    return parts.make_storage(storage)[0]


def _open(fs):
    return Journal(fs, lambda: 0x123456789, tail_bytes=TAIL_BYTES)


def _append(journal, cls=record.ALERT, size=46):
    journal.append(cls, record.draft(record.ANOMALY, 0, cls, 1, 123456, 0, 1, bytes(size)))


def make_commit(storage):
    """Make a commit of an alert. The gateway listens and has acknowledged every alert before the next.

    Args:
        storage: as the node's configuration has it.
    """
    journal = _open(_blank(storage))

    def commit():
        _append(journal)
        journal.commit(record.ALERT)
        journal.ack(journal.next_seq)

    return commit, ()


def make_hurried_commit(storage):
    """Make a commit while nobody listens and there is never a moment for tidy(): every fifth makes its own room.

    Args:
        storage: as the node's configuration has it.
    """
    journal = _open(_blank(storage))

    def commit():
        _append(journal)
        journal.commit(record.ALERT)

    return commit, ()


def make_read(storage):
    """Make a reading of eleven alerts for the link.

    Args:
        storage: as the node's configuration has it.
    """
    journal = _open(_blank(storage))
    for _ in range(11):
        _append(journal)
    journal.commit(record.ALERT)
    return journal.read, (journal.next_seq - 11, 1000)


def make_start(storage):
    """Make a start on a journal that is full to the point of eviction.

    The newest segment of each class is nearly full as well: a start reads those.

    Args:
        storage: as the node's configuration has it.
    """
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
