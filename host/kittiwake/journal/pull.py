"""Fetch a device's journal partition, piece by piece, over its console. It knows targets, and no journal."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from kittiwake import board_code
from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.target.base import Target

_PIECES_A_CALL = 64
_ATTEMPTS = 3
_TIMEOUT_S = 60.0


def pull(
    board: Target, storage: dict[str, Any], on_progress: Callable[[int, int], None] = lambda done, total: None
) -> bytes:
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
        board.exec(board_code.source("journal/partition"))
        count, size = (int(word) for word in board.exec(board_code.call("open_partition", storage)).split())
    except TargetError as error:
        raise KittiwakeError(
            f"the device does not open its journal's partition: {error.last_line}",
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
        words = board.exec(board_code.call("print_pieces", first, count), _TIMEOUT_S).split()
        pairs = [" ".join(words[at : at + 2]) for at in range(0, len(words), 2)]
        try:
            pieces = [_piece(pair, size, first + at) for at, pair in enumerate(pairs)]
            if len(pieces) != count:
                raise KittiwakeError(f"{len(pieces)} pieces arrived of {count}", "try again; the device was only read")
            return b"".join(pieces)
        except KittiwakeError:
            if attempt == _ATTEMPTS:
                raise
            attempt += 1


def _piece(line: str, size: int, number: int) -> bytes:
    try:
        if line.startswith("="):
            value, length = (int(word) for word in line[1:].split())
            piece = bytes([value]) * length
        else:
            crc, text = line.split()
            piece = base64.b64decode(text, validate=True)
            if binascii.crc32(piece) != int(crc, 16):
                raise ValueError("check")
        if len(piece) != size:
            raise ValueError("length")
    except ValueError:
        raise KittiwakeError(f"piece {number} arrived damaged", "try again; the device was only read") from None
    return piece
