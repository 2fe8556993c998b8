"""The journal on each target's own flash: what was committed is there after a new start, byte for byte."""

import pytest

from kittiwake.target import open_target
from tests.support import journal_oracle
from tests.support.hil import blank, blank_journal, partition

_OPEN = """
import binascii
from kittiwake_node.link import record
from kittiwake_node.io import parts
from kittiwake_node.store.journal import TAIL_BYTES, Journal
journal = Journal(parts.make_storage({storage!r})[0], lambda: 0x1122334455667788, tail_bytes=TAIL_BYTES)
def append(number, cls, size):
    body = bytes([(31 * number + 7 * i) & 255 for i in range(size)])
    journal.append(cls, record.draft(9, 0, cls, journal.state.boot, number, 0, 1, body))
def listing():
    at = journal.acked
    while True:
        raw, at = journal.read(at, 512)
        if not raw:
            break
        print(binascii.hexlify(raw).decode())
"""


@pytest.fixture
def opened(board):
    """Opens the journal on the board; the first time a new one."""
    blank_journal(board)

    def open_journal():
        board.exec(_OPEN.format(storage=board.node_overrides()["storage"]))

    open_journal()
    return open_journal


def listing(board):
    raw = b"".join(bytes.fromhex(line) for line in board.exec("listing()", 30).split())
    return [journal_oracle_fields(r) for r in journal_oracle.split(raw)]


def journal_oracle_fields(raw):
    """(seq, class, number) of a record that is, byte for byte, what its number says."""
    number, cls, size = int.from_bytes(raw[20:24], "little"), raw[3], int.from_bytes(raw[4:6], "little")
    seq, boot = int.from_bytes(raw[12:16], "little"), int.from_bytes(raw[16:20], "little")
    body = journal_oracle.payload(number, size)
    assert raw == journal_oracle.wire.record(journal_oracle.TYPE, 0, cls, 1, seq, boot, number, 0, body)
    return seq, cls, number


def value(board, expression):
    return eval(board.exec(f"print(repr({expression}))"))


def test_store_committed_records_are_there_after_a_new_start(board, opened):
    board.exec(
        "for i in range(12):\n    append(i, (2, 1, 0)[i % 3], 40)\n    if i % 3 == 0:\n        journal.commit(2)"
    )
    board.exec("journal.commit_all()\njournal.close()")
    before = listing(board)
    assert sorted(number for _, _, number in before) == list(range(12))
    board.reboot()
    opened()
    assert listing(board) == before
    assert value(board, "(journal.next_seq, journal.acked, sum(journal.evicted), journal.damaged)") == (12, 0, 0, 0)


def test_store_uncommitted_records_vanish_whole(board, opened):
    board.exec("append(0, 2, 20)\njournal.commit(2)\nappend(1, 1, 20)\nappend(2, 1, 20)")
    board.reboot()
    opened()
    assert [number for _, _, number in listing(board)] == [0]
    assert value(board, "journal.next_seq") == 1


def test_store_acknowledged_records_make_room(board, opened):
    board.exec(
        "for i in range(60):\n    append(i, 2, 60)\n    journal.commit(2)\n    journal.ack(journal.next_seq)", 60
    )
    assert listing(board) == []
    assert value(board, "journal.used_bytes") <= value(board, "journal.limit_bytes")
    assert value(board, "sum(journal.evicted)") == 0
    board.exec("append(99, 2, 60)\njournal.commit(2)")
    board.reboot()
    opened()
    assert [number for _, _, number in listing(board)][-1] == 99
    assert value(board, "journal.next_seq") == 61


def test_store_boots_are_counted_and_the_id_stays(board, opened):
    board.exec("append(0, 2, 8)\njournal.commit(2)")
    first = value(board, "(journal.id, journal.state.boot)")
    board.exec("journal.close()")
    board.reboot()
    opened()
    assert value(board, "(journal.id, journal.state.boot)") == (first[0], first[1] + 1)


def test_store_full_evicts_the_lowest_class_and_counts_it(board, opened):
    """Only where the flash is small: elsewhere filling it takes minutes, and tests on a smaller medium do it."""
    limit = value(board, "journal.limit_bytes")
    if limit > 20000:
        board.exec("journal.limit_bytes = 12 * 4096")
        limit = 12 * 4096
    count = 2 * limit // 250
    board.exec(
        "append(0, 2, 30)\njournal.commit(2)\n"
        f"for i in range(1, {count}):\n    append(i, 0, 218)\n    journal.commit(0)",
        120,
    )
    found = listing(board)
    evicted = value(board, "list(journal.evicted)")
    assert (0, 2, 0) in found
    assert evicted[0] > 0 and evicted[1:] == [0, 0]
    assert len(found) + sum(evicted) == count
    assert [number for _, _, number in found] == [0, *range(count - len(found) + 1, count)]


_ALERTS = """
import gc, kwboard
def alert():
    append(0, 2, 46)
    journal.commit(2)
def costs(count):
    found = []
    for _ in range(count):
        gc.collect()
        found.append(kwboard.count(alert))
        journal.tidy()
    print(found)
"""


@pytest.mark.board("qemu:mps2-an385")
def test_store_each_alert_costs_at_most_700000_instructions(target_name):
    """Not their mean, each: with nobody listening, and with what the node does between two of them."""
    with open_target(target_name, count=True) as counting:
        counting.exec(_OPEN.format(storage=counting.node_overrides()["storage"]) + _ALERTS)
        costs = eval(counting.exec("costs(300)", 60))
    assert len(costs) == 300
    assert max(costs) <= 700_000
    assert sum(costs) / 300 <= 400_000


_KEEP = """
from kittiwake_node.link import record
from kittiwake_node.io import machine_facts, parts
from kittiwake_node.keeping import Keeping
device = parts.make_device({storage!r})
size = device.ioctl(5, 0)
for block in (0, 1):
    device.ioctl(6, block)
    device.writeblocks(block, b"somebody's data " * (size // 16))
keeping = Keeping(lambda: parts.make_storage({storage!r}), parts.make_memory, machine_facts.random_u64)
journal = keeping.journal
journal.append(2, record.draft(9, 0, 2, 1, 5, 0, 1, b"an alarm"))
safe = journal.commit(2)
buf = bytearray(16)
device.readblocks(0, buf)
"""


def test_store_on_a_foreign_partition_is_in_memory_and_leaves_it_alone(board):
    storage = partition(board)
    blank(board, storage)
    board.exec(_KEEP.format(storage=storage), 30)
    assert value(board, "(keeping.state, safe, bytes(buf))") == ("foreign", True, b"somebody's data ")
    assert b"an alarm" in value(board, "bytes(journal.read(0, 500)[0])")
    blank(board, storage)


_LOCKED = """
from kittiwake_node.link import record
from kittiwake_node.io import machine_facts, parts, storage
from kittiwake_node.keeping import Keeping
class Locked:
    def __init__(self, device):
        self.readblocks = device.readblocks
        self._ioctl = device.ioctl
    def writeblocks(self, *arguments):
        return -30
    def ioctl(self, operation, argument):
        return -30 if operation == 6 else self._ioctl(operation, argument)
device = parts.make_device({storage!r})
parts.make_storage({storage!r})  # formats it
make = lambda: (storage.open_file_system(Locked(device)), None)
keeping = Keeping(make, parts.make_memory, machine_facts.random_u64)
journal = keeping.journal
journal.append(2, record.draft(9, 0, 2, 1, 5, 0, 1, b"an alarm"))
safe = journal.commit(2)
"""


def test_store_on_a_read_only_partition_is_in_memory(board):
    storage = partition(board)
    blank(board, storage)
    board.exec(_LOCKED.format(storage=storage), 30)
    assert value(board, "(keeping.state, safe)") == ("read-only", True)
    assert b"an alarm" in value(board, "bytes(journal.read(0, 500)[0])")
    blank_journal(board)
