"""A folder of this machine with the methods of VfsLfs2, as a board's root; for code that runs on CPython in tests."""

import os


class HostFs:
    """Below one folder.

    Args:
        root: the folder.
        block_bytes, blocks: what `statvfs` says; what its files take is what is not free.
    """

    def __init__(self, root, block_bytes=4096, blocks=256):
        self.root, self._block_bytes, self._blocks = root, block_bytes, blocks

    def _at(self, path):
        return os.path.join(self.root, path)

    def open(self, path, mode):
        return open(self._at(path), mode)

    def ilistdir(self, path):
        for name in sorted(os.listdir(self._at(path))):
            full = os.path.join(self._at(path), name)
            yield (name, 0x4000 if os.path.isdir(full) else 0x8000, 0, os.path.getsize(full))

    def mkdir(self, path):
        os.mkdir(self._at(path))

    def remove(self, path):
        os.remove(self._at(path))

    def rename(self, old, new):
        os.replace(self._at(old), self._at(new))

    def statvfs(self, path):
        used = sum(1 + os.path.getsize(path) // self._block_bytes for path in self._files())
        return (self._block_bytes, self._block_bytes, self._blocks, max(0, self._blocks - used), 0, 0, 0, 0, 0, 255)

    def _files(self):
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.root) for name in names]

    def contents(self):
        """Path -> content of every file."""
        found = {}
        for path in self._files():
            with open(path, "rb") as file:
                found[os.path.relpath(path, self.root)] = file.read()
        return found
