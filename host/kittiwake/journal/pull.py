"""Fetch a device's journal partition, piece by piece, over its console. It knows targets, and no journal."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.target.base import Target

_READER = """
import binascii as _b
from kittiwake_node.io import parts as _p
_d = _p.make_device({storage!r})
_s = min(512, _d.ioctl(5, 0))
_n = _d.ioctl(4, 0) * (_d.ioctl(5, 0) // _s)
_buf = bytearray(_s)
def _pull(first, count):
    for i in range(first, min(first + count, _n)):
        at = i * _s
        _d.readblocks(at // _d.ioctl(5, 0), _buf, at % _d.ioctl(5, 0))
        c = _buf[0]
        if _buf == bytes([c]) * _s:
            print("=%d %d" % (c, _s))
        else:
            print("%08x" % (_b.crc32(_buf) & 0xFFFFFFFF), str(_b.b2a_base64(_buf), "ascii").strip())
print(_n, _s)
"""
_PIECES_A_CALL = 64
_ATTEMPTS = 3
_TIMEOUT_S = 60.0


def pull(board: Target, storage: dict, on_progress: Callable[[int, int], None] = lambda done, total: None) -> bytes:
    """Read the whole partition.

    Args:
        board: started, no node running.
        storage: the `storage` section of the node's configuration.
        on_progress: called with (pieces read, pieces in all), of 512 bytes or a block.

    Returns:
        The image.

    Raises:
        KittiwakeError: the device has no such storage, or the line garbles what it says.
    """
    if storage.get("kind") == "folder":
        raise KittiwakeError("the journal is in a folder, not on a partition", "copy the folder's files")
    try:
        count, size = (int(word) for word in board.exec(_READER.format(storage=storage)).split())
    except TargetError as error:
        said = (error.traceback or str(error)).strip().splitlines()[-1]
        raise KittiwakeError(
            f"the device does not open its journal's partition: {said}",
            "deploy the firmware, and give the storage of its configuration with --config",
        ) from error
    image = bytearray()
    while len(image) < count * size:
        done = len(image) // size
        on_progress(done, count)
        image += _some(board, done, min(_PIECES_A_CALL, count - done), size)
    on_progress(count, count)
    return bytes(image)


def _some(board: Target, first: int, count: int, size: int) -> bytes:
    """Pieces from `first` on; asked for again when the line garbled them: a console has no check of its own."""
    attempt = 1
    while True:
        said = board.exec(f"_pull({first}, {count})", _TIMEOUT_S).split()
        pairs = [" ".join(said[at : at + 2]) for at in range(0, len(said), 2)]
        try:
            pieces = [_piece(pair, size, first + at) for at, pair in enumerate(pairs)]
            if len(pieces) != count:
                raise KittiwakeError(f"{len(pieces)} pieces arrived of {count}", "try again; the device was only read")
            return b"".join(pieces)
        except KittiwakeError:
            if attempt == _ATTEMPTS:
                raise
            attempt += 1


def _piece(said: str, size: int, number: int) -> bytes:
    try:
        if said.startswith("="):
            value, length = (int(word) for word in said[1:].split())
            piece = bytes([value]) * length
        else:
            crc, text = said.split()
            piece = base64.b64decode(text, validate=True)
            if binascii.crc32(piece) != int(crc, 16):
                raise ValueError("check")
        if len(piece) != size:
            raise ValueError("length")
    except ValueError:
        raise KittiwakeError(f"piece {number} arrived damaged", "try again; the device was only read") from None
    return piece
