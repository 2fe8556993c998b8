"""What must have arrived: the journal's own end, and the alerts that the reference finds in the samples."""

from fractions import Fraction

from kittiwake.reference import zscore
from tests.support.waiting import until

N, T = 20, Fraction(5, 2)
LIMIT_S = 60

_NEXT_SEQ = """
from kittiwake_node.io import storage
from kittiwake_node.store.journal import Journal
_j = Journal(storage.open_file_system(storage.FileBlockDevice({path!r}, 1 << 20)), lambda: 0)
print(_j.next_seq, sum(_j.evicted), _j.damaged)
"""


def journal_end(board):
    """Take the board back; its journal's next number, which says that nothing was evicted or damaged."""
    board.interrupt()
    printed = board.exec(_NEXT_SEQ.format(path=str(board.flash_path)))
    next_seq, evicted, damaged = (int(word) for word in printed.split())
    assert (evicted, damaged) == (0, 0)
    return next_seq


def wait_for_records(board, count=1):
    """Until the board has written its journal so many times more, whoever listens."""
    for _ in range(count):
        before = board.flash_path.read_bytes()
        until(lambda before=before: board.flash_path.read_bytes() != before, "a record in flash", LIMIT_S)


def alerts_by_boot(bodies):
    """(index, sum, sum of squares) of the alerts among messages' bodies, by boot, in their order."""
    boots = {}
    for body in bodies:
        if body.get("anomaly"):
            boots.setdefault(body["boot"], []).append((body["index"], body["s"], body["q"]))
    return boots


def assert_alerts_are_the_references(bodies, samples):
    """The last boot saw all samples, those before a beginning of them; give the alerts by boot."""
    expected = [(a.index, a.sum, a.sum_sq) for a in zscore.alerts(samples, N, T)]
    assert len(expected) >= 20
    boots = alerts_by_boot(bodies)
    assert boots[max(boots)] == expected
    assert all(seen == expected[: len(seen)] for seen in boots.values())
    return boots
