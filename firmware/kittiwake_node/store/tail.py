"""A tail: a class's newest records, in a file so small that LittleFS keeps it inside its directory.

A commit that appends to a segment erases a block and copies what the segment's last one held; a commit to a tail
programs the tail and nothing else. A tail that is full is folded: its records go into a segment together.

It knows its file and its bytes (docs/spec/journal.md). When it is folded, and into what, is chains.py's.
"""

from . import segment as seg

if False:  # for mypy alone
    from kittiwake_types import Buffer, File, FileSystem

_FOLDER = "tail-%d"
_NAME = "newest.kwj"


class Tail:
    """The tail of one class.

    Args:
        fs: file system, see journal.Journal.
        cls: class.

    Attributes:
        path: of its file.
        limit_bytes: of the file; 0 for a class that has no tail, but may have had one.
        data: its records and marks, in memory; empty when there is nothing in the file that a segment has not.
        first_seq, end_seq: number that its records begin at, and that after the last.
        is_sealed: nothing is appended: what the medium made of the file is unknown, or it was damaged.
    """

    def __init__(self, fs: "FileSystem", cls: int) -> None:
        self._fs = fs
        self._writer: "File | None" = None
        self._folder = _FOLDER % cls
        self.path = self._folder + "/" + _NAME
        self.limit_bytes = 0
        self._file_bytes = 0
        self.data = bytearray()
        self.first_seq = self.end_seq = 0
        self.is_sealed = False

    def size(self) -> int:
        """Bytes of the file, 0 when it is not there: a cut may have come between its making and its first commit.

        Raises:
            OSError: the medium failed.
        """
        for entry in self._fs.ilistdir(self._folder) if self._has_folder() else ():
            if entry[0] == _NAME:
                size: int = entry[3]
                return size
        return 0

    def allow(self, limit_bytes: int) -> None:
        """Make the folder, when it is not there, and take records from now on. Raises OSError."""
        if not self._has_folder():
            self._fs.mkdir(self._folder)
        self.limit_bytes = limit_bytes

    def found(self, data: bytearray, file_bytes: int, first_seq: int, end_seq: int) -> None:
        """Take what recovery read; `data` is its whole records, `file_bytes` what the file has."""
        self.data, self._file_bytes = data, file_bytes
        self.first_seq, self.end_seq = first_seq, end_seq

    def unfolded_bytes(self, acked: int) -> int:
        """Bytes that have to go into a segment before the file is used for anything else."""
        return len(self.data) if self.end_seq > acked else 0

    def has_room(self, size: int) -> bool:
        """Whether `size` bytes can be appended."""
        return bool(self._file_bytes) and not self.is_sealed and self._file_bytes + size <= self.limit_bytes

    def can_begin(self, size: int) -> bool:
        """Whether `size` bytes, head included, can be a new tail."""
        return size <= self.limit_bytes and not (self.is_sealed and self.data)

    def append(self, data: "Buffer", end_seq: int) -> None:
        """Append and sync; all of it becomes safe, or none. Raises OSError."""
        try:
            if self._writer is None:
                self._writer = self._fs.open(self.path, "ab")
            self._writer.write(data)
            self._writer.flush()
        except OSError:
            self.is_sealed = True
            self.close()
            raise
        self.data.extend(data)
        self._file_bytes += len(data)
        self.end_seq = end_seq

    def begin(self, head: bytes, data: "Buffer", first_seq: int, end_seq: int) -> None:
        """Replace the file by a new tail and sync; there is the old one or the new one. Raises OSError."""
        self.close()
        try:
            # The old content stays until the sync: LittleFS changes a file as a whole.
            self._writer = self._fs.open(self.path, "wb")
            self._writer.write(head + data)
            self._writer.flush()
        except OSError:
            self.is_sealed = True
            self.close()
            raise
        # LittleFS may have found the directory's block full when it opened the file; it would believe that until
        # the file is opened again, and compact at every commit.
        self.close()
        self.is_sealed = False
        self.found(bytearray(data), len(head) + len(data), first_seq, end_seq)

    def drop(self) -> None:
        """Forget the records: a segment has them, or the broker. The file stays as it is until the next `begin`."""
        self.found(bytearray(), 0, 0, 0)
        self.is_sealed = False

    def close(self) -> None:
        """Close the file; what counts was synced before."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except OSError:
                self.is_sealed = True

    def _has_folder(self) -> bool:
        return self._folder in [entry[0] for entry in self._fs.ilistdir("")]


class TailReader(seg.Reader):
    """Walks the records of a tail in memory; goes on when the tail grows."""

    def __init__(self, tail: "Tail") -> None:
        super().__init__(None, tail.path, 0, None)  # type: ignore[arg-type]  # both serve Reader._fill, which is not ours
        self._buf = tail.data
        self._at = 0

    def is_of(self, tail: "Tail") -> bool:
        """Whether the tail is still the one that this reader began with."""
        return self._buf is tail.data

    def _fill(self, count: int) -> bool:
        return self._pos + count <= len(self._buf)
