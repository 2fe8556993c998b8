"""What a board told before a power cut and lists after it, in the form that tests/powercut/oracle.py judges."""

from tests.powercut import oracle
from tests.support.journal_oracle import payload


class Listing:
    """A journal as a board listed it after a start.

    Args:
        journal_id, acked, next_seq, evicted, damaged, boot: as the board said.
        raw: its records from the cursor on, as bytes.
    """

    def __init__(self, journal_id, acked, next_seq, evicted, damaged, boot, raw):
        self.id, self.acked, self.next_seq = journal_id, acked, next_seq
        self.evicted, self.damaged, self.failed = [evicted, 0, 0], damaged, 0
        self.state = self
        self.boot = boot
        self.found = oracle.parse(raw)


class Told:
    """Promises, taken from the lines of a worker (journal_oracle.JournalOracle.hear says which)."""

    def __init__(self):
        self.promises = oracle.Promises()
        self._open = {0: [], 1: [], 2: []}
        self._next_seq = 0

    def hear(self, lines):
        """Take what was said between a start and a cut."""
        under_way = None
        for line in lines:
            words = line.split()
            if words[0] == "A":
                number, cls, size, boot = map(int, words[1:])
                self._open[cls].append((cls, boot, payload(number, size)))
                under_way = cls
            elif words[0] == "C":
                self.promises.committed += self._number(int(words[1]))
                self._next_seq += len(self._open[int(words[1])])
                self._open[int(words[1])] = []
            elif words[0] == "K":
                self.promises.acked = int(words[1])
        self.promises.under_way = [] if under_way is None else self._number(under_way)

    def judge(self, listing):
        """The faults of a listing; what arrived without being called safe is promised from now on."""
        faults = oracle.judge(self.promises, listing, listing.found)
        committed = self.promises.committed
        last = committed[-1][0] if committed else -1
        committed += [record for record in listing.found if record[0] > last]
        self.promises.under_way = []
        self.promises.journal_id = listing.id
        self._next_seq = listing.next_seq
        self._open = {0: [], 1: [], 2: []}
        return faults

    def _number(self, cls):
        return [(self._next_seq + i, *record) for i, record in enumerate(self._open[cls])]
