"""A folder of the host as a read-only file system of the board: each access is a line to stdout, answered on stdin."""

import binascii
import io
import json
import sys

import vfs

_PIECE = 180  # bytes of a file in one answer, which is 240 in base64: a UART's buffer may hold no more than 256
_FOLDER = 0x4000
_INVALID, _READ_ONLY = 22, 30


class HostFile(io.IOBase):
    """A file, open for reading."""

    def __init__(self, folder, path, size, is_text):
        self._folder, self._path, self._size, self._is_text = folder, path, size, is_text
        self._at = 0

    def readinto(self, buffer):
        """Read into a buffer; give how many bytes."""
        piece = self._folder.ask("read", self._path, self._at, min(len(buffer), _PIECE))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def read(self, size=-1):
        """Read so many bytes, or all that is left."""
        left = self._size - self._at
        return self._value(self._bytes(left if size is None or size < 0 else min(size, left)))

    def readline(self):
        """Read up to a line's end, and that."""
        start, line = self._at, b""
        while b"\n" not in line:
            piece = self._bytes(min(_PIECE, self._size - self._at))
            if not piece:
                break
            line += piece
        end = line.find(b"\n") + 1 or len(line)
        self._at = start + end
        return self._value(line[:end])

    def readlines(self):
        """Read all lines that are left."""
        return list(self)

    def seek(self, offset, whence=0):
        """Go to an offset from the beginning, from here, or from the end."""
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def tell(self):
        """Give the offset."""
        return self._at

    def ioctl(self, request, argument):
        """Answer the runtime: nothing to flush or to close, and how much to read at a time."""
        return _PIECE if request == 11 else 0

    def close(self):
        """Read no more; the host keeps nothing open."""
        self._at = self._size

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def _bytes(self, count):
        data = bytearray(max(0, count))
        view, filled = memoryview(data), 0
        while filled < count:
            got = self.readinto(view[filled:])
            if not got:
                break
            filled += got
        return bytes(view[:filled])

    def _value(self, data):
        return str(data, "utf-8") if self._is_text else data


class HostFolder:
    """The file system."""

    def __init__(self, mark):
        self._mark = mark
        self._cwd = "/"

    def ask(self, what, path, *numbers):
        """Ask the host, in one line; give what it answers."""
        print(self._mark + json.dumps((what, path) + numbers))
        answer = sys.stdin.readline()
        if answer[0] == "-":
            raise OSError(int(answer[1:]))
        return binascii.a2b_base64(answer[1:])

    def mount(self, readonly, mkfs):
        """Be mounted: paths begin at the root."""
        self._cwd = "/"

    def umount(self):
        """Be taken away."""
        self._cwd = "/"

    def open(self, path, mode):
        """Open a file for reading."""
        if mode.strip("rbt"):
            raise OSError(_READ_ONLY)
        kind, size = self._look(path)
        if kind == _FOLDER:
            raise OSError(_INVALID)
        return HostFile(self, self._whole(path), size, "b" not in mode)

    def stat(self, path):
        """Give kind and size, as os.stat."""
        kind, size = self._look(path)
        return (kind, 0, 0, 0, 0, 0, size, 0, 0, 0)

    def ilistdir(self, path):
        """Give (name, kind, inode, size) of what is in a folder."""
        path, at = self._whole(path), 0
        while True:
            entry = json.loads(self.ask("list", path, at))
            if not entry:
                return
            yield entry[0], entry[1], 0, entry[2]
            at += 1

    def chdir(self, path):
        """Go to a folder."""
        if self._look(path)[0] != _FOLDER:
            raise OSError(_INVALID)
        self._cwd = self._whole(path).rstrip("/") + "/"

    def getcwd(self):
        """Give the folder that relative paths begin at."""
        return self._cwd.rstrip("/") or "/"

    def _refuse(self, *_):
        raise OSError(_READ_ONLY)

    remove = rename = mkdir = rmdir = _refuse

    def _whole(self, path):
        return path if path.startswith("/") else self._cwd + path

    def _look(self, path):
        return json.loads(self.ask("stat", self._whole(path)))


def mount_host_folder(mark, at):
    """Mount it, and let imports find it before all else.

    Args:
        mark: of the lines.
        at: path on the board.
    """
    vfs.mount(HostFolder(mark), at)
    sys.path.insert(0, at)
