"""Recovery: what the journal was when the power went, from its newest segments and tails; bounded, whatever is behind.

It knows segments. Recovery reads only; `resume` then clears away what a cut left.
"""

from ..errors import StorageError
from ..link import record as rec
from . import segment as seg

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import FileSystem

    from .chains import Chains
    from .tail import Tail


class Recovery:
    """What was found.

    Args:
        fs: file system.
        chains: Chains, found; nothing is changed but `sealed`, where the newest segment is damaged, and the tails.
        on_damage: see segment.Reader.

    Attributes:
        id: the journal's id, None when there is no segment.
        state: the newest State.
        next_seq: above every number that a record has, or may have had before it was damaged.
        is_patchy: a head was damaged: the state should be written down again.

    Raises:
        StorageError: segments of no journal, of two, or of a later version.
    """

    def __init__(self, fs: "FileSystem", chains: "Chains", on_damage: "Callable[[str, int], object]") -> None:
        self._fs = fs
        self._chains = chains
        self._on_damage = on_damage
        self._has_met_damage = False
        self.id: int | None = None
        self.state = seg.State()
        self.next_seq = 0
        self.is_patchy = False
        lost = 0
        is_empty = not any(chains.segments)
        for cls in range(rec.CLASSES):
            self._last_seq = -1  # of the class's newest segment
            lost += self._recover_class(cls, chains.segments[cls])
            tail = chains.tails[cls]
            size = tail.size()
            if size:
                is_empty = False
                lost += self._recover_tail(chains.segments[cls], tail, size)
        self.next_seq += lost
        if self.id is None and not is_empty:
            raise StorageError("journal-foreign", "no head of a segment can be read; erase the partition")

    def _recover_class(self, cls: int, segments: list[list[int]]) -> int:
        """Take state and last number from the newest segment; returns how many records its damaged end may have held.

        Older segments hold no later state: the newest one's head repeats it. Only when that head is damaged is the one
        before it read too.
        """
        lost = 0
        for at in range(len(segments) - 1, -1, -1):
            first_seq, size = segments[at]
            is_newest = at == len(segments) - 1
            self.next_seq = max(self.next_seq, first_seq)
            has_head = self._take_head(self._chains.path(cls, first_seq)) >= 0
            self._has_met_damage = False
            reader = seg.Reader(self._fs.open, self._chains.path(cls, first_seq), size, self._note, self.state)
            while True:
                seq = reader.peek()
                if seq < 0:
                    break
                if is_newest:
                    self._last_seq = seq
                self.next_seq = max(self.next_seq, seq + 1)
                self.state.boot = max(self.state.boot, reader.boot())
                reader.take()
            reader.close()
            if is_newest and self._has_met_damage:
                self._chains.sealed[cls] = True
                lost = (reader.damaged_tail_bytes + rec.OVERHEAD_BYTES - 1) // rec.OVERHEAD_BYTES
            if has_head:
                break
            self.is_patchy = True
        return lost

    def _recover_tail(self, segments: list[list[int]], tail: "Tail", size: int) -> int:
        """Take a tail's records, unless a segment has them; returns how many its damaged bytes may have held."""
        self._has_met_damage = False
        first_seq = self._take_head(tail.path)
        if first_seq < 0:
            self._has_met_damage = self.is_patchy = True
        self.next_seq = max(self.next_seq, first_seq)
        reader = seg.Reader(self._fs.open, tail.path, size, self._note, self.state)
        data = bytearray()
        end_seq = first_seq
        while True:
            seq = reader.peek()
            if seq < 0:
                break
            if first_seq < 0:
                first_seq = seq
            end_seq = seq + 1
            self.next_seq = max(self.next_seq, end_seq)
            self.state.boot = max(self.state.boot, reader.boot())
            data.extend(reader.take())
        reader.close()
        # A cut came after the records went into a segment and before the tail was begun anew.
        is_folded = first_seq >= 0 and (self._last_seq >= first_seq or bool(segments) and segments[-1][0] > first_seq)
        tail.found(bytearray() if is_folded else data, size, first_seq, end_seq)
        if not self._has_met_damage:
            if is_folded:
                tail.drop()
            return 0
        tail.is_sealed = True
        if is_folded:
            return 0
        return (reader.damaged_tail_bytes + rec.OVERHEAD_BYTES - 1) // rec.OVERHEAD_BYTES

    def _take_head(self, path: str) -> int:
        # First number of a segment or a tail, -1 when its head is damaged.
        try:
            with self._fs.open(path, "rb") as file:
                raw = file.read(seg.HEAD_BYTES)
        except OSError:
            raw = b""
        head = seg.unpack_head(raw)
        if head is None:
            self._on_damage(path, 0)
            return -1
        if head[0] > seg.VERSION:
            raise StorageError("journal-newer", "version %d, this firmware reads up to %d" % (head[0], seg.VERSION))
        if self.id not in (None, head[2]):
            raise StorageError("journal-mixed", "segments of two journals; erase the partition")
        self.id = head[2]
        self.state.absorb(raw, seg.STATE_OFFSET)
        return head[3]

    def _note(self, path: str, offset: int) -> None:
        self._has_met_damage = True
        self._on_damage(path, offset)


def resume(chains: "Chains", state: seg.State, next_seq: int, new_id: "Callable[[], int]") -> int:
    """Go on where the journal stood, or begin it.

    Args:
        chains: with the journal's id, None to begin one; measured.
        state: the journal's.
        next_seq: the journal's.
        new_id: see journal.Journal.

    Returns:
        The journal's id.

    Raises:
        OSError: the medium failed.
    """
    for cls in range(rec.CLASSES):
        segments = chains.segments[cls]
        while len(segments) > 1 and segments[1][0] <= max(state.floor[cls], state.acked):
            chains.remove(cls, segments[0][0])
    if chains.id is None:
        chains.id = new_id()
        chains.begin(rec.ALERT, next_seq, state)
    for cls in range(rec.CLASSES):
        # Clean files now, or every start would look at the damage and step over numbers again.
        try:
            if chains.sealed[cls]:
                chains.succeed(cls, next_seq, state)
        except OSError:
            pass  # what is written next begins a segment anyway
        if chains.tails[cls].is_sealed:
            chains.clean_tail(cls, next_seq, state)
    return chains.id
