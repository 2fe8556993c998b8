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
        refused: by class, records whose commit has returned False: counted as evicted, not there.
        acked: what the journal was told, cursor.
    """

    def __init__(self):
        self.committed = []
        self.under_way = []
        self.refused = [0, 0, 0]
        self.acked = 0
        self.layouts = {}
        self.journal_id = None

    def stand(self):
        """How things stand, small enough to keep one for every step: `committed` only grows, so its length will do."""
        layouts, refused = dict(self.layouts), list(self.refused)
        return (len(self.committed), self.under_way, self.acked, layouts, self.journal_id, refused)

    def at(self, stand):
        """A copy of the promises as they were at `stand`."""
        other = Promises()
        other.committed = self.committed[: stand[0]]
        other.under_way, other.acked, other.journal_id = list(stand[1]), stand[2], stand[4]
        other.layouts, other.refused = dict(stand[3]), list(stand[5])
        return other


def parse(raw):
    """(seq, class, boot, payload) of each record, cut apart by docs/spec/record.md's table and not by the codec."""
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


def judge(promises, journal, found=None):
    """Hold a journal that was just opened against what was promised before the cut.

    Args:
        promises: Promises; `committed` is in order of the numbers.
        journal: has read, layout and the attributes of Journal.
        found: what `drain` of all of it gave, where that is known already.

    Returns:
        A list of (kind, detail), empty when all holds: lost, altered, invented, reordered, reused or miscounted.
    """
    faults = []
    if found is None:
        found = drain(journal, 0)
    seqs = [record[0] for record in found]
    for before, after in zip(seqs, seqs[1:]):
        if after <= before:
            faults.append(("reordered", "%d after %d" % (after, before)))
    began = {record[0]: record for record in promises.under_way}
    there = {record[0]: record for record in found}
    missing_unacked, missing = [0, 0, 0], [0, 0, 0]
    present = [False, False, False]
    promised = 0
    for record in promises.committed:
        seq, cls = record[0], record[1]
        if seq in there:
            promised += 1
            present[cls] = True
            if record != there[seq]:
                faults.append(("altered", "%d of class %d" % (seq, cls)))
            continue
        missing[cls] += 1
        if seq >= promises.acked:
            missing_unacked[cls] += 1
            if present[cls]:
                faults.append(("lost", "%d, and older ones of its class are there" % seq))
    if promised < len(found):
        known = {record[0] for record in promises.committed}
        for record in found:
            if record[0] not in known and record != began.get(record[0]):
                faults.append(("invented", "%d of class %d" % record[:2]))
    arrived = [seq in there for seq in began]
    if any(arrived) and not all(arrived):
        faults.append(("lost", "half of a commit: %r" % arrived))
    for cls in range(3):
        if missing_unacked[cls] > journal.evicted[cls]:
            faults.append(("lost", "%d of class %d, evicted %d" % (missing_unacked[cls], cls, journal.evicted[cls])))
        gone = missing[cls] + promises.refused[cls]
        if journal.evicted[cls] > gone:
            faults.append(("miscounted", "%d evicted of class %d, gone %d" % (journal.evicted[cls], cls, gone)))
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
        if journal.description(number) != promises.layouts[number]:
            faults.append(("altered", "layout %d" % number))
    if journal.damaged or journal.failed:
        faults.append(("miscounted", "damaged %d, failed %d" % (journal.damaged, journal.failed)))
    return faults
