"""Segments: the journal's files, their names, heads and marks; a reader that survives damage (docs/spec/journal.md).

It knows bytes and one open file at a time; which segment is written, sent or dropped is journal.py's policy.
"""

import binascii
import struct

from ..link import record as rec

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import Buffer, File

MAGIC = b"KWJ"
VERSION = 1
# magic, version, class, 3 reserved, journal id, first seq; then the state; then a CRC-32 over all before it.
_HEAD = "<3sBB3xQI"
_STATE = "<IIIIIIII"
_STATE_BYTES = 32
STATE_OFFSET = 20
HEAD_BYTES = STATE_OFFSET + _STATE_BYTES + 4
MARK_BYTES = rec.OVERHEAD_BYTES + _STATE_BYTES

_CHUNK_BYTES = 1024
_RECORD_LEAST_BYTES = rec.OVERHEAD_BYTES
_RECORD_MOST_BYTES = rec.OVERHEAD_BYTES + rec.PAYLOAD_LIMIT_BYTES


class State:
    """What the journal must remember beside its records; written into every segment's head and, between, in marks.

    Every number only grows, so the newest state is the largest of those found, number by number.

    Attributes:
        boot: boots counted.
        acked: first sequence number that is not acknowledged.
        evicted: records evicted before they were acknowledged, by class.
        floor: by class, the sequence number below which segments are gone or to be removed.
    """

    def __init__(self) -> None:
        self.boot = 0
        self.acked = 0
        self.evicted = [0, 0, 0]
        self.floor = [0, 0, 0]

    def copy(self) -> "State":
        """Another State with the same numbers."""
        other = State()
        other.boot, other.acked = self.boot, self.acked
        other.evicted, other.floor = list(self.evicted), list(self.floor)
        return other

    def pack(self) -> bytes:
        """The state as 32 bytes."""
        e, f = self.evicted, self.floor
        return struct.pack(_STATE, self.boot, self.acked, e[0], e[1], e[2], f[0], f[1], f[2])

    def absorb(self, raw: "Buffer", offset: int) -> None:
        """Raise every number to the one packed at raw[offset:] where that is larger."""
        v = struct.unpack_from(_STATE, raw, offset)
        self.boot = max(self.boot, v[0])
        self.acked = max(self.acked, v[1])
        for c in range(rec.CLASSES):
            self.evicted[c] = max(self.evicted[c], v[2 + c])
            self.floor[c] = max(self.floor[c], v[5 + c])


def name(cls: int, first_seq: int) -> str:
    """File name of the segment of class `cls` whose numbers start at `first_seq` or later; sorts by age in a class."""
    return "%d-%08x.kwj" % (cls, first_seq)


def parse_name(text: str) -> tuple[int, int] | None:
    """(class, first_seq) of a segment's file name, or None for any other file."""
    if len(text) != 14 or text[1] != "-" or text[10:] != ".kwj" or text[0] not in "012":
        return None
    try:
        return int(text[0]), int(text[2:10], 16)
    except ValueError:
        return None


def pack_head(cls: int, journal: int, first_seq: int, state: "State") -> bytes:
    """The head of a new segment."""
    head = struct.pack(_HEAD, MAGIC, VERSION, cls, journal, first_seq) + state.pack()
    return head + struct.pack("<I", binascii.crc32(head) & 0xFFFFFFFF)


def unpack_head(raw: bytes) -> tuple[int, int, int, int] | None:
    """Check a segment's head.

    Returns:
        (version, class, journal id, first_seq), or None when its check fails. The state stands at raw[STATE_OFFSET:].
    """
    if len(raw) < HEAD_BYTES or raw[:3] != MAGIC:
        return None
    crc = binascii.crc32(memoryview(raw)[: HEAD_BYTES - 4]) & 0xFFFFFFFF
    if struct.unpack_from("<I", raw, HEAD_BYTES - 4)[0] != crc:
        return None
    v = struct.unpack_from(_HEAD, raw, 0)
    return v[1], v[2], v[3], v[4]


def pack_mark(cls: int, state: "State", seq: int) -> bytearray:
    """A mark: the state, as a record of type MARK that is never sent; `seq` is the next number, still free."""
    mark = rec.draft(rec.MARK, 0, cls, state.boot, 0, 0, 0, state.pack())
    rec.seal(mark, 0, len(mark), seq)
    return mark


class Reader:
    """Walks the records of one segment file in order, skipping marks and damage. Allocates a chunk per refill.

    The file stays open between refills, for finding it costs more than reading. Whoever reads calls `close` before
    anything is committed: an open reader would look at blocks that LittleFS has since given away.

    Args:
        open_file: called as open_file(path, "rb").
        path: of the segment.
        size: committed bytes of it; may be raised.
        on_damage: called as on_damage(path, offset) for every run of bytes that holds no record or cannot be read, each
            time it is met.

    Attributes:
        state: a State to absorb heads and marks into, or None.
        damaged_tail_bytes: bytes passed over since the last whole record or mark.
    """

    def __init__(
        self,
        open_file: "Callable[[str, str], File]",
        path: str,
        size: int,
        on_damage: "Callable[[str, int], object]",
        state: "State | None" = None,
    ) -> None:
        self._file: "File | None" = None
        self._open = open_file
        self._path = path
        self.size = size
        self._on_damage = on_damage
        self.state = state
        self.damaged_tail_bytes = 0
        self._at = HEAD_BYTES  # file offset of _buf[0]
        self._pos = 0
        self._seq = -1  # of the record at _pos, once `peek` has checked it
        self._buf: "Buffer" = b""

    def peek(self) -> int:
        """Sequence number of the record that `take` will return, or -1 at the end."""
        if self._seq >= 0:
            return self._seq
        while self._fill(_RECORD_LEAST_BYTES):
            size = rec.size_at(self._buf, self._pos)
            if size > _RECORD_MOST_BYTES or not self._fill(size):
                if self._pos < len(self._buf):  # else the medium failed and the cursor stands at the end already
                    self._skip_damage()
                continue
            buf, pos = self._buf, self._pos
            if not rec.is_whole(buf, pos):
                self._skip_damage()
                continue
            self.damaged_tail_bytes = 0
            if buf[pos] != rec.MARK:
                self._seq = rec.seq_at(buf, pos)
                return self._seq
            if self.state is not None and size == MARK_BYTES:
                self.state.absorb(buf, pos + rec.HEADER_BYTES)
            self._pos = pos + size
        return -1

    def take_size(self) -> int:
        """Bytes of the record that `peek` found."""
        return rec.size_at(self._buf, self._pos)

    def boot(self) -> int:
        """Boot count of the record that `peek` found."""
        count: int = struct.unpack_from("<I", self._buf, self._pos + 16)[0]
        return count

    def description(self) -> int:
        """Channel description number of the record that `peek` found."""
        return self._buf[self._pos + 10] | self._buf[self._pos + 11] << 8

    def take(self) -> memoryview:
        """The record that `peek` found, as a memoryview valid until the next call; steps over it."""
        buf, start = self._buf, self._pos
        self._pos = end = start + rec.size_at(buf, start)
        self._seq = -1
        return memoryview(buf)[start:end]

    def close(self) -> None:
        """Close the file, when it is open; the next refill opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _fill(self, count: int) -> bool:
        # At least `count` bytes from the cursor on, or False when the segment ends before.
        if len(self._buf) - self._pos >= count:
            return True
        start = self._at + self._pos
        if start + count > self.size:
            return False
        try:
            if self._file is None:
                self._file = self._open(self._path, "rb")
            self._file.seek(start)
            self._buf = self._file.read(min(max(count, _CHUNK_BYTES), self.size - start))
            if start + len(self._buf) >= self.size:
                self.close()
        except OSError:
            self.close()
            # The medium cannot give it: what comes behind in this segment is as lost as if its bytes had changed.
            self._on_damage(self._path, start)
            self.damaged_tail_bytes += self.size - start
            self._at, self._pos, self._buf = self.size, 0, b""
            return False
        self._at, self._pos = start, 0
        return len(self._buf) >= count

    def _skip_damage(self) -> None:
        # A damaged length cannot be trusted, so the next record is looked for at every byte; its CRC tells.
        self._on_damage(self._path, self._at + self._pos)
        while True:
            self._pos += 1
            self.damaged_tail_bytes += 1
            if not self._fill(_RECORD_LEAST_BYTES):
                self.damaged_tail_bytes += max(0, self.size - self._at - self._pos)
                self._at, self._pos, self._buf = self.size, 0, b""
                return
            size = rec.size_at(self._buf, self._pos)
            plausible = size <= _RECORD_MOST_BYTES
            if plausible and self._fill(size) and rec.is_whole(self._buf, self._pos):
                return
