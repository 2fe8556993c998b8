"""Fetch a device's journal partition, block by block, over its console. It knows targets, and no journal."""

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
_n, _s = _d.ioctl(4, 0), _d.ioctl(5, 0)
_buf = bytearray(_s)
def _pull(first, count):
    for i in range(first, min(first + count, _n)):
        _d.readblocks(i, _buf)
        c = _buf[0]
        if _buf == bytes([c]) * _s:
            print("=%d %d" % (c, _s))
        else:
            print("%08x" % (_b.crc32(_buf) & 0xFFFFFFFF), str(_b.b2a_base64(_buf), "ascii").strip())
print(_n, _s)
"""
_BLOCKS_A_CALL = 8
_TIMEOUT_S = 60.0


def pull(board: Target, storage: dict, on_progress: Callable[[int, int], None] = lambda done, total: None) -> bytes:
    """Read the whole partition.

    Args:
        board: started, no node running.
        storage: the `storage` section of the node's configuration.
        on_progress: called with (blocks read, blocks in all).

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
        for said in board.exec(f"_pull({done}, {_BLOCKS_A_CALL})", _TIMEOUT_S).split("\n"):
            if said.strip():
                image += _block(said.strip(), size, len(image) // size)
    on_progress(count, count)
    return bytes(image)


def _block(said: str, size: int, number: int) -> bytes:
    try:
        if said.startswith("="):
            value, length = (int(word) for word in said[1:].split())
            block = bytes([value]) * length
        else:
            crc, text = said.split()
            block = base64.b64decode(text, validate=True)
            if binascii.crc32(block) != int(crc, 16):
                raise ValueError("check")
        if len(block) != size:
            raise ValueError("length")
    except ValueError:
        raise KittiwakeError(f"block {number} arrived damaged", "try again; the device was only read") from None
    return block
