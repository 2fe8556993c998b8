"""Chains: the journal's segment files, one chain a class, and the space they take.

It knows files and sizes. What is written, when one is dropped and what the bytes mean is not its business.
"""

from ..core import record as rec
from . import segment as seg

# LittleFS copies on write: the root pair, the journal's first pair, the tails of three open files and one to spare; and
# an entry of the directory costs up to 64 bytes in metadata pairs (two blocks) that split when half full.
_RESERVE_BLOCKS = 10
_ENTRY_BYTES = 256
_WRITE_BLOCKS = 4
_POINTERS_BYTES = 8  # a block of a LittleFS file holds two pointers on average beside its data
_ENOSPC = 28


class Chains:
    """The segments on a file system.

    Args:
        fs: file system, see journal.Journal.
        folder: of the journal; there when a method is called.

    Attributes:
        segments: by class, oldest first: [first_seq, committed bytes].
        sealed: by class: nothing more is written into the newest segment.
        segment_bytes: a segment that would grow past this is full.
        used_bytes: what the segments occupy, in whole blocks.
        failed: operations that the medium refused and that need not be repeated.
        is_crowded: the last `try_write` that failed did so for want of space.
    """

    def __init__(self, fs, folder):
        self._fs = fs
        self._folder = folder
        self._writers = [None] * rec.CLASSES
        self._block_bytes = 1
        self.segments = [[] for _ in range(rec.CLASSES)]
        self.sealed = [False] * rec.CLASSES
        self.segment_bytes = self.used_bytes = self.failed = 0
        self.is_crowded = False

    def path(self, cls, first_seq):
        """Path of a segment."""
        return self._folder + "/" + seg.name(cls, first_seq)

    def blocks(self, size):
        """Bytes that a file of `size` bytes occupies."""
        usable = self._block_bytes - _POINTERS_BYTES
        return (size + usable - 1) // usable * self._block_bytes

    def find(self):
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

    def measure(self, segment_bytes, limit_bytes):
        """Learn what the medium holds; `segment_bytes` becomes at most an eighth of it, at least a block.

        Args:
            segment_bytes: wanted.
            limit_bytes: most to use, or None.

        Returns:
            (bytes that segments may use, block size in bytes). Raises OSError.
        """
        stat = self._fs.statvfs("")
        block, count, free = stat[0], stat[2], stat[3]
        self._block_bytes = block
        self.used_bytes = sum([self.blocks(held) for segments in self.segments for _, held in segments])
        most = count * block // max(block, min(segment_bytes, count * block // 8))
        reserve = _RESERVE_BLOCKS * block + most * _ENTRY_BYTES
        # Other files on the partition leave less.
        room = min(count * block - reserve, self.used_bytes + (free - _WRITE_BLOCKS) * block) // block * block
        if limit_bytes is not None:
            room = min(room, limit_bytes)
        self.segment_bytes = max(block - _POINTERS_BYTES, min(segment_bytes, room // 8))
        return room, block

    def is_full(self, cls, size, next_seq):
        """Whether `size` more bytes begin a new segment."""
        if not self.segments[cls]:
            return True
        first_seq, held = self.segments[cls][-1]
        # A segment that begins at the next number is empty, and its successor would have the same name.
        return (self.sealed[cls] or held + size > self.segment_bytes) and first_seq != next_seq

    def begin(self, cls, first_seq, head):
        """Begin a segment. Raises OSError; then there is none."""
        self._drop_writer(cls)
        writer = None
        try:
            writer = self._fs.open(self.path(cls, first_seq), "wb")
            writer.write(head)
            writer.flush()
        except OSError:
            if writer is not None:
                self._writers[cls] = writer
                self._drop_writer(cls)
                self.unlink(cls, first_seq)
            raise
        self._writers[cls] = writer
        self.segments[cls].append([first_seq, len(head)])
        self.used_bytes += self.blocks(len(head))
        self.sealed[cls] = False

    def try_write(self, cls, data, next_seq, make_head):
        """Append to the newest segment, or to a new one when it is full, and sync.

        Args:
            cls: class.
            data: bytes; all of them become safe, or none.
            next_seq: first number in them.
            make_head: called as make_head(class) for the head of a new segment.

        Returns:
            Whether they are safe.
        """
        segments = self.segments[cls]
        try:
            if self.is_full(cls, len(data), next_seq):
                self.begin(cls, next_seq, make_head(cls))
            if self._writers[cls] is None:
                self._writers[cls] = self._fs.open(self.path(cls, segments[-1][0]), "ab")
            self._writers[cls].write(data)
            self._writers[cls].flush()
        except OSError as error:
            self.is_crowded = error.args[0] == _ENOSPC
            # What the medium made of it is unknown, so nothing is written behind it.
            self.sealed[cls] = True
            self._drop_writer(cls)
            return False
        self.used_bytes += self.blocks(segments[-1][1] + len(data)) - self.blocks(segments[-1][1])
        segments[-1][1] += len(data)
        return True

    def remove(self, cls, first_seq):
        """Take a segment away."""
        segments = self.segments[cls]
        for at in range(len(segments)):
            if segments[at][0] == first_seq:
                self.used_bytes -= self.blocks(segments.pop(at)[1])
                break
        self.unlink(cls, first_seq)

    def unlink(self, cls, first_seq):
        """Remove a segment's file; one that cannot be removed is found again at the next start, and removed then."""
        try:
            self._fs.remove(self.path(cls, first_seq))
        except OSError:
            self.failed += 1

    def close(self):
        """Close what is open; everything that counts was synced before."""
        for cls in range(rec.CLASSES):
            self._drop_writer(cls)

    def _drop_writer(self, cls):
        writer, self._writers[cls] = self._writers[cls], None
        if writer is not None:
            try:
                writer.close()
            except OSError:
                self.failed += 1
