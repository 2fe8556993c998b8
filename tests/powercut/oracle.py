"""What a journal must hold, kept as plain lists by whoever uses it; the judge of a journal after a power cut.

It knows nothing of segments, marks or files: only what was committed, acknowledged and counted. Runs on MicroPython.
"""
# ruff: noqa: UP031, B905 (MicroPython)

import struct


class Promises:
    """What has been promised so far.

    Attributes:
        committed: list of (seq, class, boot, payload), in order, for which commit has returned True.
        under_way: the batch of the commit that has not returned: all of it may be there, or none.
        acked: what the journal was told, cursor.
    """

    def __init__(self):
        self.committed = []
        self.under_way = []
        self.acked = 0
        self.layouts = {}
        self.journal_id = None

    def stand(self):
        """How things stand, small enough to keep one for every step: `committed` only grows, so its length will do."""
        return (len(self.committed), self.under_way, self.acked, dict(self.layouts), self.journal_id)

    def at(self, stand):
        """A copy of the promises as they were at `stand`."""
        other = Promises()
        other.committed = self.committed[: stand[0]]
        other.under_way, other.acked, other.journal_id = list(stand[1]), stand[2], stand[4]
        other.layouts = dict(stand[3])
        return other


def parse(raw):
    """(seq, class, boot, payload) of each record, cut apart by SPEC.md's table and not by the codec."""
    out = []
    at = 0
    while at < len(raw):
        (size,) = struct.unpack_from("<H", raw, at + 4)
        seq, boot = struct.unpack_from("<II", raw, at + 12)
        out.append((seq, raw[at + 3], boot, bytes(raw[at + 28 : at + 28 + size])))
        at += size + 32
    if at != len(raw):
        raise ValueError("records do not end where the bytes do")
    return out


def drain(journal, start):
    """Everything from `start` on, as the link's session would read it."""
    out = []
    seq = start
    while True:
        raw, after = journal.read(seq, 1010)
        if not raw:
            return out
        out.extend(parse(raw))
        seq = after


def judge(promises, journal):
    """Hold a journal that was just opened against what was promised before the cut.

    Returns:
        A list of (kind, detail), empty when all holds: lost, altered, invented, reordered, reused or miscounted.
    """
    faults = []
    found = drain(journal, 0)
    seqs = [record[0] for record in found]
    for before, after in zip(seqs, seqs[1:]):
        if after <= before:
            faults.append(("reordered", "%d after %d" % (after, before)))
    known = {record[0]: record for record in promises.committed}
    began = {record[0]: record for record in promises.under_way}
    for record in found:
        if record[0] in known:
            if record != known[record[0]]:
                faults.append(("altered", "%d of class %d" % record[:2]))
        elif record[0] not in began or record != began[record[0]]:
            faults.append(("invented", "%d of class %d" % record[:2]))
    there = set(seqs)
    arrived = [seq in there for seq in began]
    if any(arrived) and not all(arrived):
        faults.append(("lost", "half of a commit: %r" % arrived))
    missing_unacked, missing = [0, 0, 0], [0, 0, 0]
    present = [False, False, False]
    for seq, cls, _, _ in promises.committed:
        if seq in there:
            present[cls] = True
            continue
        missing[cls] += 1
        if seq >= promises.acked:
            missing_unacked[cls] += 1
            if present[cls]:
                faults.append(("lost", "%d, and older ones of its class are there" % seq))
    for cls in range(3):
        if missing_unacked[cls] > journal.evicted[cls]:
            faults.append(("lost", "%d of class %d, evicted %d" % (missing_unacked[cls], cls, journal.evicted[cls])))
        if journal.evicted[cls] > missing[cls]:
            faults.append(
                ("miscounted", "%d evicted of class %d, missing %d" % (journal.evicted[cls], cls, missing[cls]))
            )
    if journal.acked > promises.acked:
        faults.append(("invented", "cursor %d, told %d" % (journal.acked, promises.acked)))
    last = max(promises.committed[-1][0] if promises.committed else -1, seqs[-1] if seqs else -1)
    if journal.next_seq <= last:
        faults.append(("reused", "next number %d, used up to %d" % (journal.next_seq, last)))
    boots = [record[2] for record in promises.committed]
    if boots and journal.state.boot <= max(boots):
        faults.append(("reused", "boot %d, used up to %d" % (journal.state.boot, max(boots))))
    if promises.journal_id is not None and journal.id != promises.journal_id:
        faults.append(("invented", "another journal id"))
    for number in promises.layouts:
        if journal.layout(number) != promises.layouts[number]:
            faults.append(("altered", "layout %d" % number))
    if journal.damaged or journal.failed:
        faults.append(("miscounted", "damaged %d, failed %d" % (journal.damaged, journal.failed)))
    return faults
