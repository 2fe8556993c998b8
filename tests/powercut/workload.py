"""The journal's workload under faults: a seeded run of commits, acknowledgements, descriptions and restarts.

It keeps the promises true that oracle.py judges by; faults, cuts and media are others' business. Runs on MicroPython.
"""

from kittiwake_node.link import record as rec


class Rng:
    """Small and the same everywhere (xorshift), so that a seed means the same run on every board."""

    def __init__(self, seed):
        self.x = seed * 2654435761 % 0xFFFFFFFF + 1

    def randrange(self, stop):
        x = self.x
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.x = x
        return x % stop


class Run:
    """The workload: what is done to a journal, and what is promised while it is.

    Args:
        open_journal: called as open_journal(journal id), gives a Journal over the same medium as before.
        rng: Rng.
        promises: oracle.Promises, kept true.
        on_promise: called whenever a promise changes.
        tidies: the journal has tails, and tidies now and then.
    """

    def __init__(self, open_journal, rng, promises, on_promise, tidies):
        self.open_journal, self.rng, self.promises, self.on_promise = open_journal, rng, promises, on_promise
        self.tidies = tidies
        self.journal = None

    def start(self):
        self.journal = self.open_journal(0x1234567800000000 + self.rng.randrange(1 << 30))
        self.promises.journal_id = self.journal.id
        self.describe()

    def describe(self):
        text = b"layout %d" % self.rng.randrange(3)
        layouts = self.promises.layouts
        for old in list(layouts):
            if old <= max(layouts) - 5:
                del layouts[old]  # eight are kept, and a cut may have left two that nobody was told of
        self.on_promise()
        self.layout = self.journal.describe(text)
        layouts[self.layout] = text
        self.on_promise()

    def commit(self, cls, count):
        journal, rng, promises = self.journal, self.rng, self.promises
        batch = []
        for i in range(count):
            payload = bytes([rng.randrange(256)]) * rng.randrange(200)
            draft = rec.draft(rec.EVENT, 0, cls, journal.state.boot, 5, 0, self.layout, payload)
            journal._pending[cls].extend(draft)
            batch.append((journal.next_seq + i, cls, journal.state.boot, payload))
        promises.under_way = batch
        self.on_promise()
        is_safe = journal.commit(cls)
        promises.under_way = []
        if is_safe:
            promises.committed.extend(batch)
        else:
            promises.refused[cls] += count
        self.on_promise()
        if self.tidies and rng.randrange(2):
            journal.tidy()
        return is_safe

    def ack(self):
        journal, promises = self.journal, self.promises
        promises.acked = journal.acked + self.rng.randrange(journal.next_seq - journal.acked + 1)
        self.on_promise()
        journal.ack(promises.acked)

    def turn(self):
        what = self.rng.randrange(100)
        if what < 90:
            # Alerts always find room; what the others would be refused is the unit tests' subject.
            self.commit((0, 1, 1, 2)[self.rng.randrange(4)], 1 + self.rng.randrange(4))
        elif what < 93:
            self.ack()
        elif what < 95:
            self.describe()
        else:
            self.start()
