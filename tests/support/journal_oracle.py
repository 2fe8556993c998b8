"""What a journal must hold after a power cut, from what it said before; nothing of kittiwake_node.

It reads two kinds of text: what the board told while it worked, line by line, and what it lists after the next start.
Records are formed a second time from their number alone, so none can be invented or altered unseen.
"""

from kittiwake.reference import wire

RAW, TELEMETRY, ALERT = 0, 1, 2
CLASSES = (RAW, TELEMETRY, ALERT)
TYPE = 9


def payload(number, size):
    """The bytes that the board put into record `number`."""
    return bytes((31 * number + 7 * i) & 0xFF for i in range(size))


class JournalOracle:
    """Told what a board says; `check` compares a listing. Any difference is an AssertionError.

    Attributes:
        committed: records that the board called safe.
        listed: records seen in listings.
    """

    def __init__(self):
        self.committed = self.listed = 0
        self._told = {}  # number -> (class, size, boot)
        self._open = {cls: [] for cls in CLASSES}  # appended, not said to be safe
        self._safe = {cls: [] for cls in CLASSES}  # safe, and not acknowledged
        self._numbers = {}  # sequence number -> record number
        self._acked = 0
        self._id = None

    def hear(self, lines):
        """Take what the board told between a start and the cut. A last line that was cut off is not to be given.

        Lines: "A number class size boot" before a record is appended, "C class" after a class was committed, "K" before
        everything safe is acknowledged and "k" once it is.
        """
        for line in lines:
            words = line.split()
            if words[0] == "A":
                number, cls, size, boot = map(int, words[1:])
                assert number not in self._told, f"the board told number {number} twice"
                self._told[number] = (cls, size, boot)
                self._open[cls].append(number)
            elif words[0] == "C":
                cls = int(words[1])
                self.committed += len(self._open[cls])
                self._safe[cls] += self._open[cls]
                self._open[cls] = []
            elif words[0] == "K":
                self._safe = {cls: [] for cls in CLASSES}  # from now on they may go, and need not
                self._acked = int(words[1])
            else:
                raise AssertionError(f"the board said {line!r}")

    def check(self, journal_id, acked, next_seq, evicted, damaged, records):
        """Compare a listing with what was heard.

        Args:
            journal_id: of the journal; may not change.
            acked, next_seq: its cursor and its end.
            evicted, damaged: records evicted and runs of damage that it admits: none is due here.
            records: its records from the cursor on, as bytes, in its order.
        """
        assert self._id in (None, journal_id), "the journal was made anew"
        self._id = journal_id
        assert (evicted, damaged) == (0, 0), f"{evicted} evicted, {damaged} runs of damage"
        assert acked <= self._acked, f"cursor at {acked}, acknowledged up to {self._acked}"
        before = acked - 1
        found = {cls: [] for cls in CLASSES}
        for raw in records:
            seq, number = self._identify(raw)
            assert before < seq < next_seq, f"number {seq} after {before}, the end at {next_seq}"
            before = seq
            known = self._numbers.setdefault(seq, number)
            assert known == number, f"sequence number {seq} was record {known}, is record {number}"
            found[self._told[number][0]].append(number)
            self.listed += 1
        for cls in CLASSES:
            missing = [number for number in self._safe[cls] if number not in found[cls]]
            assert not missing, f"class {cls}: committed and lost: {missing[:5]}, {len(missing)} in all"
            assert found[cls] == sorted(found[cls]), f"class {cls} is out of order"
            new = [number for number in self._open[cls] if number in found[cls]]
            assert new == self._open[cls][: len(new)], f"class {cls}: {new} came through, an earlier one did not"
            # What came through without being called safe is on the medium now, and must stay there.
            self._safe[cls] += new
            self._open[cls] = []

    def _identify(self, raw):
        number = int.from_bytes(raw[20:24], "little")  # the board puts it into the time
        assert number in self._told, f"record {number} was never appended"
        cls, size, boot = self._told[number]
        seq = int.from_bytes(raw[12:16], "little")
        expected = wire.record(TYPE, 0, cls, 1, seq, boot, number, 0, payload(number, size))
        assert raw == expected, f"record {number} was altered"
        return seq, number


def split(raw):
    """Cut records out of bytes by the lengths that they carry."""
    while raw:
        size = 32 + int.from_bytes(raw[4:6], "little")
        yield raw[:size]
        raw = raw[size:]
