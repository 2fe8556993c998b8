"""The journal's files where it is in a folder of the board's file system."""

import binascii
import os


def print_files(root, folders):
    """Print a line for each file of a journal: its bytes, and its path below the root.

    Args:
        root: the folder that the journal is in.
        folders: those of the journal in it.
    """
    for folder in folders:
        try:
            names = os.listdir(root + "/" + folder)
        except OSError:
            continue
        for name in sorted(names):
            path = folder + "/" + name
            print(os.stat(root + "/" + path)[6], path)


def print_pieces(path, first, count, size):
    """Print a line a piece of a file: its CRC-32 and the piece in base 64.

    Args:
        path: of the file.
        first: number of the first piece.
        count: how many, less at the end.
        size: bytes of a piece, the last one may have less.
    """
    with open(path, "rb") as file:
        file.seek(first * size)
        for _ in range(count):
            piece = file.read(size)
            if not piece:
                return
            text = str(binascii.b2a_base64(piece), "ascii").strip()
            print("%08x" % (binascii.crc32(piece) & 0xFFFFFFFF), text)
