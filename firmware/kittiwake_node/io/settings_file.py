"""The node's configuration file: read in pieces, replaced whole. Knows a path, not what the settings mean."""

import os


class SettingsFile:
    """One file.

    Args:
        path: of the file; "" for none.
    """

    def __init__(self, path):
        self._path = path

    @property
    def folder(self):
        """The folder that it lies in, "" for the root."""
        return self._path.rpartition("/")[0]

    def read(self, offset, limit_bytes):
        """(size of the file, up to `limit_bytes` from `offset` on); (0, b"") without a file."""
        if not self._path:
            return 0, b""
        with open(self._path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(min(offset, size))
            return size, file.read(limit_bytes)

    def replace(self, data):
        """Put `data` in place of the file's content, whole or not at all. Returns False without a file.

        Raises:
            OSError: the medium failed; the old content stands.
        """
        if not self._path:
            return False
        with open(self._path + ".new", "wb") as file:
            file.write(data)
        os.rename(self._path + ".new", self._path)
        return True
