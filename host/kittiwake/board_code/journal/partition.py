"""The journal's partition, read piece by piece."""

import binascii

from kittiwake_node.io import parts


def open_partition(storage):
    """Open it. Prints the number of pieces, and the bytes of one.

    Args:
        storage: as the node's configuration has it.
    """
    global _device, _count, _piece
    _device = parts.make_device(storage)
    size = min(512, _device.ioctl(5, 0))
    _count = _device.ioctl(4, 0) * (_device.ioctl(5, 0) // size)
    _piece = bytearray(size)
    print(_count, size)


def print_pieces(first, count):
    """Print a line a piece: its CRC-32 and the piece in base 64; or "=", a byte and how often, where all are alike.

    Args:
        first: number of the first.
        count: how many, less at the end.
    """
    size = len(_piece)
    block = _device.ioctl(5, 0)
    for number in range(first, min(first + count, _count)):
        at = number * size
        _device.readblocks(at // block, _piece, at % block)
        c = _piece[0]
        if _piece == bytes([c]) * size:
            print("=%d %d" % (c, size))
        else:
            text = str(binascii.b2a_base64(_piece), "ascii").strip()
            print("%08x" % (binascii.crc32(_piece) & 0xFFFFFFFF), text)
