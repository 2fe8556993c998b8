"""Recovery: what the journal was when the power went, from its newest segments; bounded, whatever is behind them.

It reads only. It knows segments; what is made of the findings is the journal's.
"""

from ..core import record as rec
from ..errors import StorageError
from . import segment as seg


class Recovery:
    """What was found.

    Args:
        fs: file system.
        chains: Chains, found; nothing is changed but `sealed`, where the newest segment is damaged.
        on_damage: see segment.Reader.

    Attributes:
        id: the journal's id, None when there is no segment.
        state: the newest State.
        next_seq: above every number that a record has, or may have had before it was damaged.
        is_patchy: a head was damaged: the state should be written down again.

    Raises:
        StorageError: segments of no journal, of two, or of a later version.
    """

    def __init__(self, fs, chains, on_damage):
        self._fs = fs
        self._chains = chains
        self._on_damage = on_damage
        self._has_met_damage = False
        self.id = None
        self.state = seg.State()
        self.next_seq = 0
        self.is_patchy = False
        lost = 0
        for cls in range(rec.CLASSES):
            lost += self._recover_class(cls, chains.segments[cls])
        self.next_seq += lost
        if self.id is None and any(chains.segments):
            raise StorageError("journal-foreign", "no head of a segment can be read; erase the partition")

    def _recover_class(self, cls, segments):
        """Take state and last number from the newest segment; returns how many records its damaged end may have held.

        Older segments hold no later state: the newest one's head repeats it. Only when that head is damaged is the one
        before it read too.
        """
        lost = 0
        for at in range(len(segments) - 1, -1, -1):
            first_seq, size = segments[at]
            is_newest = at == len(segments) - 1
            self.next_seq = max(self.next_seq, first_seq)
            has_head = self._take_head(cls, first_seq)
            self._has_met_damage = False
            reader = seg.Reader(self._fs.open, self._chains.path(cls, first_seq), size, self._note, self.state)
            while True:
                seq = reader.peek()
                if seq < 0:
                    break
                self.next_seq = max(self.next_seq, seq + 1)
                self.state.boot = max(self.state.boot, reader.boot())
                reader.take()
            if is_newest and self._has_met_damage:
                self._chains.sealed[cls] = True
                lost = (reader.damaged_tail_bytes + rec.OVERHEAD_BYTES - 1) // rec.OVERHEAD_BYTES
            if has_head:
                break
            self.is_patchy = True
        return lost

    def _take_head(self, cls, first_seq):
        path = self._chains.path(cls, first_seq)
        try:
            with self._fs.open(path, "rb") as file:
                raw = file.read(seg.HEAD_BYTES)
        except OSError:
            raw = b""
        head = seg.unpack_head(raw)
        if head is None:
            self._on_damage(path, 0)
            return False
        if head[0] > seg.VERSION:
            raise StorageError("journal-newer", "version %d, this firmware reads up to %d" % (head[0], seg.VERSION))
        if self.id not in (None, head[2]):
            raise StorageError("journal-mixed", "segments of two journals; erase the partition")
        self.id = head[2]
        self.state.absorb(raw, seg.STATE_OFFSET)
        return True

    def _note(self, path, offset):
        self._has_met_damage = True
        self._on_damage(path, offset)
