"""Cursor: reads the segments and tails of all classes as one sequence, in order of their numbers.

It knows readers, and the segments and tails that the journal keeps; it writes nothing.
"""

from ..link import record as rec
from .segment import Reader
from .tail import TailReader

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import File

    from .chains import Chains

_TAIL = -1  # in place of a segment's first number


class Cursor:
    """A place in the journal, kept between reads so that going on costs no search.

    Args:
        chains: the journal's chains.Chains. Read here, changed only there.
        open_file: see segment.Reader.
        on_damage: see segment.Reader.
    """

    def __init__(
        self, chains: "Chains", open_file: "Callable[[str, str], File]", on_damage: "Callable[[str, int], object]"
    ) -> None:
        self._chains = chains
        self._segments = chains.segments
        self._tails = chains.tails
        self._open = open_file
        self._on_damage = on_damage
        self._readers: "list[tuple[int, Reader] | None]" = [
            None
        ] * rec.CLASSES  # by class: (first_seq of its segment or _TAIL, Reader)
        self._next = -1

    def read(self, start: int, limit_bytes: int, end: int) -> tuple[bytes, int]:
        """Records from `start` on; see Journal.read. `end` is the number to give when there are none. Allocates."""
        out = bytearray()
        if start != self._next:
            self._readers = [None] * rec.CLASSES
        description = None
        seq = start
        while True:
            reader = self._earliest(seq)
            if reader is None:
                if not out:
                    seq = end
                break
            if out and (len(out) + reader.take_size() > limit_bytes or description != reader.description()):
                break
            description = reader.description()
            seq = reader.peek() + 1
            out.extend(reader.take())
        for entry in self._readers:
            if entry is not None:
                entry[1].close()
        self._next = seq
        return bytes(out), seq

    def changed(self, cls: int) -> None:
        """The newest segment of the class may have more committed bytes now, and its tail may be another."""
        entry = self._readers[cls]
        if entry is None:
            return
        if isinstance(entry[1], TailReader):
            if not entry[1].is_of(self._tails[cls]):
                self._readers[cls] = None
        elif self._segments[cls] and entry[0] == self._segments[cls][-1][0]:
            entry[1].size = self._segments[cls][-1][1]

    def gone(self, cls: int, first_seq: int) -> None:
        """The segment is being removed."""
        entry = self._readers[cls]
        if entry is not None and entry[0] == first_seq:
            self._readers[cls] = None

    def count(self, cls: int, first_seq: int, size: int, start: int) -> int:
        """Count the records of a segment that are not below a number. Reads all of it.

        Args:
            cls: class.
            first_seq: of the segment.
            size: committed bytes of it.
            start: the number.
        """
        reader = self._make_reader(cls, first_seq, size)
        count = 0
        while True:
            seq = reader.peek()
            if seq < 0:
                reader.close()
                return count
            if seq >= start:
                count += 1
            reader.take()

    def _earliest(self, start: int) -> "Reader | None":
        best = None
        best_seq = -1
        for cls in range(rec.CLASSES):
            reader = self._at(cls, start)
            if reader is not None:
                seq = reader.peek()
                if best is None or seq < best_seq:
                    best, best_seq = reader, seq
        return best

    def _at(self, cls: int, start: int) -> "Reader | None":
        """The reader of a class standing at its first record not below `start`, or None when there is none."""
        entry = self._readers[cls] or self._find(cls, start)
        while entry is not None:
            first_seq, reader = entry
            seq = reader.peek()
            if seq >= start:
                return reader
            if seq >= 0:
                reader.take()
                continue
            reader.close()
            entry = self._next_of(cls, first_seq)
        return None

    def _find(self, cls: int, start: int) -> "tuple[int, Reader] | None":
        segments, tail = self._segments[cls], self._tails[cls]
        if tail.data and (not segments or tail.first_seq <= start):
            return self._enter_tail(cls)
        if not segments:
            return None
        at = 0
        while at + 1 < len(segments) and segments[at + 1][0] <= start:
            at += 1
        return self._enter(cls, at)

    def _next_of(self, cls: int, first_seq: int) -> "tuple[int, Reader] | None":
        segments = self._segments[cls]
        if first_seq == _TAIL:
            return None
        if first_seq == segments[-1][0]:
            return self._enter_tail(cls) if self._tails[cls].data else None
        at = 0
        while segments[at][0] <= first_seq:
            at += 1
        return self._enter(cls, at)

    def _make_reader(self, cls: int, first_seq: int, size: int) -> Reader:
        return Reader(self._open, self._chains.path(cls, first_seq), size, self._on_damage)

    def _enter(self, cls: int, at: int) -> "tuple[int, Reader]":
        first_seq, size = self._segments[cls][at]
        entry = (first_seq, self._make_reader(cls, first_seq, size))
        self._readers[cls] = entry
        return entry

    def _enter_tail(self, cls: int) -> "tuple[int, Reader]":
        entry = (_TAIL, TailReader(self._tails[cls]))
        self._readers[cls] = entry
        return entry
