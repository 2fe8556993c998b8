"""Cursor: reads the segments of all classes as one sequence, in order of their numbers.

It knows readers and the lists of segments that the journal keeps; it writes nothing.
"""

from ..core import record as rec


class Cursor:
    """A place in the journal, kept between reads so that going on costs no search.

    Args:
        segments: the journal's lists, by class, oldest first: [first_seq, bytes]. Read here, changed only there.
        make_reader: called as make_reader(class, first_seq, bytes), gives a segment.Reader.
    """

    def __init__(self, segments, make_reader):
        self._segments = segments
        self._make_reader = make_reader
        self._readers = [None] * rec.CLASSES  # by class: (first_seq of its segment, Reader)
        self._next = -1

    def read(self, start, limit_bytes, end):
        """Records from `start` on; see Journal.read. `end` is the number to give when there are none. Allocates."""
        out = bytearray()
        if start != self._next:
            self._readers = [None] * rec.CLASSES
        layout = None
        seq = start
        while True:
            reader = self._earliest(seq)
            if reader is None:
                if not out:
                    seq = end
                break
            if out and (len(out) + reader.take_size() > limit_bytes or layout != reader.layout()):
                break
            layout = reader.layout()
            seq = reader.peek() + 1
            out.extend(reader.take())
        self._next = seq
        return bytes(out), seq

    def grown(self, cls):
        """The newest segment of the class has more committed bytes now."""
        entry = self._readers[cls]
        first_seq, size = self._segments[cls][-1]
        if entry is not None and entry[0] == first_seq:
            entry[1].size = size

    def gone(self, cls, first_seq):
        """The segment is being removed."""
        entry = self._readers[cls]
        if entry is not None and entry[0] == first_seq:
            self._readers[cls] = None

    def _earliest(self, start):
        best = None
        best_seq = -1
        for cls in range(rec.CLASSES):
            reader = self._at(cls, start)
            if reader is not None:
                seq = reader.peek()
                if best is None or seq < best_seq:
                    best, best_seq = reader, seq
        return best

    def _at(self, cls, start):
        """The reader of a class standing at its first record not below `start`, or None when there is none."""
        segments = self._segments[cls]
        if not segments:
            return None
        entry = self._readers[cls]
        if entry is None:
            at = 0
            while at + 1 < len(segments) and segments[at + 1][0] <= start:
                at += 1
            entry = self._enter(cls, at)
        while True:
            first_seq, reader = entry
            seq = reader.peek()
            if seq >= start:
                return reader
            if seq >= 0:
                reader.take()
                continue
            if first_seq == segments[-1][0]:
                return None
            at = 0
            while segments[at][0] <= first_seq:
                at += 1
            entry = self._enter(cls, at)

    def _enter(self, cls, at):
        first_seq, size = self._segments[cls][at]
        entry = (first_seq, self._make_reader(cls, first_seq, size))
        self._readers[cls] = entry
        return entry
