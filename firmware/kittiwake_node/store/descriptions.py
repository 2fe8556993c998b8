"""Channel descriptions, kept beside the records that refer to them by number (docs/spec/journal.md).

It knows their files and numbers; what a description says is the node's and the gateway's.
"""

import binascii
import struct

from ..errors import ConfigError, StorageError

if False:  # for mypy alone
    from kittiwake_types import FileSystem

TEXT_LIMIT_BYTES = 1000  # one frame of the link carries it
_KEPT = 8
_NUMBER_LIMIT = 0xFFFF
_CRC_BYTES = 4
_NEW = "layout.new"


def check_size(text: bytes) -> None:
    """Refuse a description that is too long for a frame. Raises ConfigError."""
    if len(text) > TEXT_LIMIT_BYTES:
        raise ConfigError("channels", "names and units take %d bytes, limit %d" % (len(text), TEXT_LIMIT_BYTES))


class Descriptions:
    """The descriptions of one journal.

    Args:
        fs: file system, see journal.Journal.
        folder: of the journal; there when a method is called.
    """

    def __init__(self, fs: "FileSystem", folder: str) -> None:
        self._fs = fs
        self._folder = folder

    def number_of(self, text: bytes) -> int:
        """Number of the description `text`: the newest one's when it says the same, else the next, written and safe.

        Raises:
            ConfigError: it is too long for a frame.
            StorageError: all numbers are used up, or the medium failed.
        """
        check_size(text)
        try:
            return self._number_of(text)
        except OSError as error:
            raise StorageError("journal-layout", "the medium answered %s" % error)

    def _number_of(self, text: bytes) -> int:
        numbers = self._numbers()
        if numbers and self.text(numbers[-1]) == text:
            return numbers[-1]
        number = numbers[-1] + 1 if numbers else 1
        if number > _NUMBER_LIMIT:
            raise StorageError("layouts-exhausted", "erase the partition to begin a new journal")
        with self._fs.open(self._folder + "/" + _NEW, "wb") as file:
            file.write(text + struct.pack("<I", binascii.crc32(text) & 0xFFFFFFFF))
        # A cut before this leaves a file that the next description overwrites.
        self._fs.rename(self._folder + "/" + _NEW, self._path(number))
        for old in numbers[: 1 - _KEPT]:
            self._fs.remove(self._path(old))
        return number

    def text(self, number: int) -> bytes:
        """The description of that number, b"{}" when it is gone or damaged."""
        try:
            with self._fs.open(self._path(number), "rb") as file:
                raw = file.read(TEXT_LIMIT_BYTES + _CRC_BYTES)
        except OSError:
            return b"{}"
        text = raw[:-_CRC_BYTES]
        if raw[-_CRC_BYTES:] != struct.pack("<I", binascii.crc32(text) & 0xFFFFFFFF):
            return b"{}"
        return text

    def _numbers(self) -> list[int]:
        numbers = []
        for entry in self._fs.ilistdir(self._folder):
            name = entry[0]
            if len(name) == 15 and name.startswith("layout-") and name.endswith(".kwl"):
                try:
                    numbers.append(int(name[7:11], 16))
                except ValueError:
                    pass  # somebody else's file
        numbers.sort()
        return numbers

    def _path(self, number: int) -> str:
        return "%s/layout-%04x.kwl" % (self._folder, number)
