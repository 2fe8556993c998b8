"""Chains: the journal's segment files, one chain a class, each with its tail, and the space they take.

It knows files and sizes. What is written, when one is dropped and what the bytes mean is not its business.
"""

from ..errors import StorageError
from ..link import record as rec
from . import segment as seg
from .tail import Tail

if False:  # for mypy alone
    from typing import Any

    from kittiwake_types import Buffer, File, FileSystem

# LittleFS copies on write: the root pair, the journal's first pair, the tails of three open files and one to spare; and
# an entry of the directory costs up to 64 bytes in metadata pairs (two blocks) that split when half full.
_RESERVE_BLOCKS = 10
_SMALLEST_BLOCKS = 6
_ENTRY_BYTES = 256
_WRITE_BLOCKS = 4
_POINTERS_BYTES = 8  # a block of a LittleFS file holds two pointers on average beside its data
_ENOSPC = 28
_SEGMENT_LEAST_BYTES = 8192
_SEGMENT_MOST_BYTES = 32768
# Raw records come in long batches. A tail needs a directory of its own, two blocks of which are copied on write, and a
# block where LittleFS's cache is too small to keep it in there.
_TAILED = (rec.TELEMETRY, rec.ALERT)
_TAILS_BLOCKS = 6
_TAILS_MEDIUM_BLOCKS = 32
_TAIL_LEAST_BYTES = 256


class Chains:
    """The segments on a file system.

    Args:
        fs: file system, see journal.Journal.
        folder: of the journal; there when a method is called.

    Attributes:
        id: of the journal, for the heads of new segments and tails.
        segments: by class, oldest first: [first_seq, committed bytes].
        tails: by class, a tail.Tail.
        sealed: by class: nothing more is written into the newest segment.
        segment_bytes: a segment that would grow past this is full.
        used_bytes: what the segments occupy, in whole blocks.
        failed: operations that the medium refused and that need not be repeated.
        is_crowded: the last `try_write` that failed did so for want of space.
    """

    def __init__(self, fs: "FileSystem", folder: str) -> None:
        self._fs = fs
        self._folder = folder
        self._writers: "list[File | None]" = [None] * rec.CLASSES
        self._block_bytes = 1
        self.id: "int | Any" = None  # until the journal knows it
        self.tails = [Tail(fs, cls) for cls in range(rec.CLASSES)]
        self.segments: list[list[list[int]]] = [[] for _ in range(rec.CLASSES)]
        self.sealed = [False] * rec.CLASSES
        self.segment_bytes = self.used_bytes = self.failed = 0
        self.is_crowded = False

    def path(self, cls: int, first_seq: int) -> str:
        """Path of a segment."""
        return self._folder + "/" + seg.name(cls, first_seq)

    def blocks(self, size: int) -> int:
        """Bytes that a file of `size` bytes occupies."""
        usable = self._block_bytes - _POINTERS_BYTES
        return (size + usable - 1) // usable * self._block_bytes

    def find(self) -> None:
        """Fill `segments` from the folder, which is made when it is not there. Raises OSError."""
        if self._folder not in [entry[0] for entry in self._fs.ilistdir("")]:
            self._fs.mkdir(self._folder)
        empty = []
        for entry in self._fs.ilistdir(self._folder):
            parsed = seg.parse_name(entry[0])
            if parsed and entry[3] == 0:
                empty.append(parsed)
            elif parsed:
                self.segments[parsed[0]].append([parsed[1], entry[3]])
        for cls, first_seq in empty:
            # A cut between creating a segment and committing its head: nothing was ever in it.
            self._fs.remove(self.path(cls, first_seq))
        for segments in self.segments:
            segments.sort()

    def measure(self, segment_bytes: int | None, limit_bytes: int | None, tail_bytes: int) -> int:
        """Learn what the medium holds; `segment_bytes` becomes at most an eighth of it, at least a block.

        Args:
            segment_bytes: wanted, or None: see journal.Journal.
            limit_bytes: most to use, or None.
            tail_bytes: of a tail, wanted. At most an eighth of a block is taken, what LittleFS keeps in a directory; on
                a small medium, or one of small blocks, there are no tails.

        Returns:
            Bytes that segments may use.

        Raises:
            StorageError: they are too few for a journal.
            OSError: the medium failed.
        """
        stat = self._fs.statvfs("")
        block, count, free = stat[0], stat[2], stat[3]
        if segment_bytes is None:
            # Few files make finding one cheap, small ones make a start cheap (docs/measurements.md has the figures).
            size = max(_SEGMENT_LEAST_BYTES, min(count * block // 64, _SEGMENT_MOST_BYTES))
            segment_bytes = size // block * (block - _POINTERS_BYTES)
        self._block_bytes = block
        self.used_bytes = sum([self.blocks(held) for segments in self.segments for _, held in segments])
        most = count * block // max(block, min(segment_bytes, count * block // 8))
        reserve = _RESERVE_BLOCKS * block + most * _ENTRY_BYTES
        tail_bytes = min(tail_bytes, block // 8)
        if tail_bytes >= _TAIL_LEAST_BYTES and count >= _TAILS_MEDIUM_BLOCKS:
            reserve += _TAILS_BLOCKS * block
            for cls in _TAILED:
                self.tails[cls].allow(tail_bytes)
        # Other files on the partition leave less.
        room = min(count * block - reserve, self.used_bytes + (free - _WRITE_BLOCKS) * block) // block * block
        if limit_bytes is not None:
            room = min(room, limit_bytes)
        self.segment_bytes = max(block - _POINTERS_BYTES, min(segment_bytes, room // 8))
        if room < _SMALLEST_BLOCKS * block:
            raise StorageError("storage-small", "%d bytes for the journal, least %d" % (room, _SMALLEST_BLOCKS * block))
        return room

    def is_at(self, limit_bytes: int) -> bool:
        """Whether one more segment would take more than the limit."""
        return self.used_bytes + self.blocks(self.segment_bytes) > limit_bytes

    def is_full(self, cls: int, size: int, next_seq: int) -> bool:
        """Whether `size` more bytes begin a new segment."""
        if not self.segments[cls]:
            return True
        first_seq, held = self.segments[cls][-1]
        # A segment that begins at the next number is empty, and its successor would have the same name.
        return (self.sealed[cls] or held + size > self.segment_bytes) and first_seq != next_seq

    def begins_at(self, cls: int, size: int, next_seq: int, acked: int) -> int:
        """First number of the segment that a commit of a mark and `size` bytes would begin; -1 when it begins none."""
        tail = self.tails[cls]
        if tail.has_room(seg.MARK_BYTES + size):
            return -1
        held = tail.unfolded_bytes(acked)
        first_seq = tail.first_seq if held else next_seq
        if not tail.can_begin(seg.HEAD_BYTES + size):
            held += seg.MARK_BYTES + size
        return first_seq if held and self.is_full(cls, held, first_seq) else -1

    def begin(self, cls: int, first_seq: int, state: "seg.State", data: "Buffer" = b"") -> None:
        """Begin a segment with `data` in it. Raises OSError; then there is none."""
        self._drop_writer(cls)
        content = seg.pack_head(cls, self.id, first_seq, state) + data
        writer = None
        try:
            writer = self._fs.open(self.path(cls, first_seq), "wb")
            writer.write(content)
            writer.flush()
        except OSError:
            if writer is not None:
                self._writers[cls] = writer
                self._drop_writer(cls)
                self.unlink(cls, first_seq)
            raise
        self._writers[cls] = writer
        self.segments[cls].append([first_seq, len(content)])
        self.used_bytes += self.blocks(len(content))
        self.sealed[cls] = False

    def succeed(self, cls: int, next_seq: int, state: "seg.State") -> bool:
        """Begin a segment behind the newest, with what the tail holds. Returns False when that one is empty itself.

        Raises:
            OSError: then there is none.
        """
        tail = self.tails[cls]
        held = tail.unfolded_bytes(state.acked)
        first_seq = tail.first_seq if held else next_seq
        if self.segments[cls] and self.segments[cls][-1][0] == first_seq:
            return False
        self.begin(cls, first_seq, state, tail.data if held else b"")
        tail.drop()
        return True

    def fold(self, cls: int, state: "seg.State", mark: bytes | bytearray = b"") -> None:
        """Move what the tail holds, and a mark, into a segment. Raises OSError; then it is still in the tail."""
        tail = self.tails[cls]
        if tail.unfolded_bytes(state.acked):
            self._extend(cls, tail.data + mark, tail.first_seq, state)
        tail.drop()

    def clean_tail(self, cls: int, next_seq: int, state: seg.State) -> None:
        """Begin a sealed tail of the journal anew, what it held in a segment; a refusal is counted in `failed`."""
        tail = self.tails[cls]
        try:
            self.fold(cls, state)
            tail.begin(seg.pack_head(cls, self.id, next_seq, state), b"", next_seq, next_seq)
        except OSError:
            self.failed += 1  # it stays sealed: what it holds goes with the next commit

    def try_write(
        self,
        cls: int,
        mark: bytes | bytearray,
        batch: bytearray,
        first_seq: int,
        end_seq: int,
        before: "seg.State",
        after: "seg.State",
    ) -> int:
        """Append to the tail, or begin it anew, or else write into a segment; and sync.

        Args:
            cls: class.
            mark: in front of the batch, b"" for none.
            batch: records; all of them become safe, or none.
            first_seq: first number in the batch.
            end_seq: number after its last.
            before: State without the commit.
            after: State with it, for a head that is written with the batch.

        Returns:
            0 when they are not safe, 1 when they are, 2 when `after` is on the medium too.
        """
        tail = self.tails[cls]
        try:
            if tail.has_room(len(mark) + len(batch)):
                tail.append(mark + batch, end_seq)
                return 2 if mark else 1
            if tail.can_begin(seg.HEAD_BYTES + len(batch)):
                self.fold(cls, before)
                tail.begin(seg.pack_head(cls, self.id, first_seq, after), batch, first_seq, end_seq)
                return 2
            data = mark + batch
            if tail.unfolded_bytes(before.acked):
                data = tail.data + data
                first_seq = tail.first_seq
            self._extend(cls, data, first_seq, after)
        except OSError as error:
            self.is_crowded = error.args[0] == _ENOSPC
            return 0
        tail.drop()
        return 2 if mark else 1

    def _extend(self, cls: int, data: "Buffer", first_seq: int, state: "seg.State") -> None:
        segments = self.segments[cls]
        try:
            if self.is_full(cls, len(data), first_seq):
                self.begin(cls, first_seq, state, data)
                return
            writer = self._writers[cls]
            if writer is None:
                writer = self._writers[cls] = self._fs.open(self.path(cls, segments[-1][0]), "ab")
            writer.write(data)
            writer.flush()
        except OSError:
            # What the medium made of it is unknown, so nothing is written behind it.
            self.sealed[cls] = True
            self._drop_writer(cls)
            raise
        self.used_bytes += self.blocks(segments[-1][1] + len(data)) - self.blocks(segments[-1][1])
        segments[-1][1] += len(data)

    def remove(self, cls: int, first_seq: int) -> None:
        """Take a segment away."""
        segments = self.segments[cls]
        for at in range(len(segments)):
            if segments[at][0] == first_seq:
                self.used_bytes -= self.blocks(segments.pop(at)[1])
                break
        self.unlink(cls, first_seq)

    def unlink(self, cls: int, first_seq: int) -> None:
        """Remove a segment's file; one that cannot be removed is found again at the next start, and removed then."""
        try:
            self._fs.remove(self.path(cls, first_seq))
        except OSError:
            self.failed += 1

    def close(self) -> None:
        """Close what is open; everything that counts was synced before."""
        for cls in range(rec.CLASSES):
            self._drop_writer(cls)
            self.tails[cls].close()

    def _drop_writer(self, cls: int) -> None:
        writer, self._writers[cls] = self._writers[cls], None
        if writer is not None:
            try:
                writer.close()
            except OSError:
                self.failed += 1
