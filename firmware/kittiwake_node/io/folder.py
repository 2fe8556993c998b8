"""A folder of the board's own file system, for boards whose flash has no partition for the journal.

Knows paths, not what is kept there. The promises are those of the file system beneath: the journal needs LittleFS.
"""

import os


class FolderFs:
    """The methods of VfsLfs2 that the journal uses, below one folder.

    Args:
        path: the folder, made when it is not there; no trailing slash.
    """

    def __init__(self, path):
        self._root = path
        try:
            os.mkdir(path)
        except OSError:
            pass  # it is there; when it cannot be made, the journal's own folder cannot either, and says so

    def _at(self, path):
        return self._root + "/" + path if path else self._root

    def open(self, path, mode):
        """Open a file; `flush` on it must reach the flash, as LittleFS does."""
        return open(self._at(path), mode)

    def ilistdir(self, path):
        """Iterate over (name, type, 0, size)."""
        return os.ilistdir(self._at(path))

    def mkdir(self, path):
        """Make a folder."""
        os.mkdir(self._at(path))

    def remove(self, path):
        """Remove a file."""
        os.remove(self._at(path))

    def rename(self, old, new):
        """Rename a file, in place of one of that name."""
        os.rename(self._at(old), self._at(new))

    def statvfs(self, path):
        """Blocks and free blocks of the file system beneath, as `os.statvfs`."""
        return os.statvfs(self._at(path))
