"""Which files of a board are not as they should be."""

import binascii
import os


def _differs(path, size, crc):
    try:
        if os.stat(path)[6] != size:
            return True
        actual = 0
        with open(path, "rb") as file:
            while True:
                piece = file.read(512)
                if not piece:
                    return actual & 0xFFFFFFFF != crc
                actual = binascii.crc32(piece, actual)
    except OSError:
        return True


def print_differing(files):
    """Print the paths of those that are absent or something else, one a line.

    Args:
        files: (path, bytes, CRC-32) of each.
    """
    for path, size, crc in files:
        if _differs(path, size, crc):
            print(path)
