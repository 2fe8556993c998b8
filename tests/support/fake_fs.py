"""A file system with LittleFS's promises, in memory: what was flushed stays, what was not is gone after a power cut."""

import errno


class FakeFs:
    """Has the methods of VfsLfs2 that the journal uses.

    Args:
        block_bytes, blocks: size of the medium.
        files: contents to start from.

    Attributes:
        files: path -> committed bytes.
        programs: commits that changed the medium (flush of something new, rename, remove, mkdir).
        fail: called as fail(operation, path) before every operation that changes the medium; may raise OSError.
        fail_late: the same, after the operation took effect.
        fail_read: called as fail_read(path) before a file is opened for reading; may raise OSError.
    """

    def __init__(self, block_bytes=4096, blocks=64, files=None, folders=()):
        self.block_bytes, self.blocks = block_bytes, blocks
        self.files = dict(files or {})
        self.folders = set(folders)
        self.programs = 0
        self.fail = lambda operation, path: None
        self.fail_late = lambda operation, path: None
        self.fail_read = lambda path: None

    def after_power_cut(self):
        """The medium as the next boot finds it."""
        return FakeFs(self.block_bytes, self.blocks, self.files, self.folders)

    def used_blocks(self):
        # Root and one metadata pair, and 60 bytes of metadata a file in pairs that are half full.
        return (
            4
            + len(self.files) * 60 * 4 // self.block_bytes
            + sum(self._file_blocks(len(f)) for f in self.files.values())
        )

    def _file_blocks(self, size):
        # LittleFS's skip list: block n begins with a pointer for every power of two that divides n, itself included.
        count, held = 0, 0
        while held < size:
            pointers = 0 if count == 0 else (count & -count).bit_length()
            held += self.block_bytes - 4 * pointers
            count += 1
        return count

    def changed(self, operation, path):
        self.fail(operation, path)
        self.programs += 1

    def ilistdir(self, path):
        if not path:
            return iter([(name, 0x4000, 0) for name in sorted(self.folders)])
        if path not in self.folders:
            raise OSError(errno.ENOENT)
        names = sorted(p for p in self.files if p.startswith(path + "/"))
        return iter([(p[len(path) + 1 :], 0x8000, 0, len(self.files[p])) for p in names])

    def mkdir(self, path):
        self.changed("mkdir", path)
        self.folders.add(path)

    def remove(self, path):
        if path not in self.files:
            raise OSError(errno.ENOENT)
        self.changed("remove", path)
        del self.files[path]

    def rename(self, old, new):
        self.changed("rename", new)
        self.files[new] = self.files.pop(old)

    def statvfs(self, path):
        free = self.blocks - self.used_blocks()
        return (self.block_bytes, self.block_bytes, self.blocks, free, free, 0, 0, 0, 0, 255)

    def open(self, path, mode):
        if mode == "rb":
            self.fail_read(path)
            if path not in self.files:
                raise OSError(errno.ENOENT)
            return _Reading(self.files[path])
        if mode == "wb":
            # LittleFS enters a new file, empty, at once; an old one keeps its contents until the flush.
            self.changed("open", path)
            self.files.setdefault(path, b"")
            return _Writing(self, path, b"")
        assert mode == "ab" and path in self.files, (mode, path)
        return _Writing(self, path, self.files[path])


class _Reading:
    def __init__(self, data):
        self._data, self._at = data, 0
        self._is_open = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._is_open = False

    def seek(self, offset):
        self._at = offset

    def read(self, count=-1):
        assert self._is_open
        piece = self._data[self._at :] if count < 0 else self._data[self._at : self._at + count]
        self._at += len(piece)
        return piece


class _Writing:
    def __init__(self, fs, path, data):
        self._fs, self._path, self._data = fs, path, bytearray(data)
        self._has_failed = False
        self._is_open = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def write(self, data):
        assert self._is_open
        self._data += bytes(data)
        return len(data)

    def flush(self):
        assert self._is_open
        if self._has_failed or self._fs.files.get(self._path) == self._data:
            return
        try:
            self._fs.changed("flush", self._path)
            # Copy on write: the old blocks are free only when the new ones are safe.
            need = self._fs._file_blocks(len(self._data)) - max(
                0, len(self._fs.files.get(self._path, b"")) // self._fs.block_bytes
            )
            if self._fs.used_blocks() + need > self._fs.blocks:
                raise OSError(errno.ENOSPC)
        except OSError:
            self._has_failed = True
            raise
        self._fs.files[self._path] = bytes(self._data)
        try:
            self._fs.fail_late("flush", self._path)
        except OSError:
            self._has_failed = True
            raise

    def close(self):
        self.flush()
        self._is_open = False


def fail_n_times(fs, operation, count, code=errno.EIO, late=False):
    """The next `count` operations of that name raise OSError, before or (late) after they took effect."""
    left = [count]

    def fail(done, path):
        if done == operation and left[0]:
            left[0] -= 1
            raise OSError(code)

    setattr(fs, "fail_late" if late else "fail", fail)
