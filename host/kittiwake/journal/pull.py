"""Fetch a device's journal, a partition or the files of a folder, over its console. It knows targets, and no record."""

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
_PIECE_BYTES = 512
_FOLDERS = ("journal", "tail-0", "tail-1", "tail-2")
_TIMEOUT_S = 60.0


def pull(
    board: Target, storage: dict[str, Any], on_progress: Callable[[int, int], None] = lambda whole_pieces, total: None
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
        raise KittiwakeError("the journal is in a folder, not on a partition", "pull_files fetches those")
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
        whole_pieces = len(image) // size
        on_progress(whole_pieces, count)
        image += _some(board, whole_pieces, min(_PIECES_A_CALL, count - whole_pieces), size)
    on_progress(count, count)
    return bytes(image)


def pull_files(
    board: Target, storage: dict[str, Any], on_progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, bytes]:
    """Read the files of a journal that is in a folder of the board's file system.

    Args:
        board: as `pull` takes it.
        storage: the `storage` section of the node's configuration, of kind "folder".
        on_progress: called with (files read, files in all).

    Returns:
        Path below the folder -> content, as `image.load` gives it.

    Raises:
        KittiwakeError: there is no journal, or the line garbles what it says.
    """
    board.exec(board_code.source("journal/folder"))
    root = storage["path"]
    lines = board.exec(board_code.call("print_files", root, _FOLDERS), _TIMEOUT_S).splitlines()
    if not lines:
        raise KittiwakeError(f"there is no journal in {root} on the device", "name its storage with --config")
    files = {}
    for done, (size, _, path) in enumerate(line.partition(" ") for line in lines):
        on_progress(done, len(lines))
        folder, _, name = path.partition("/")
        # A board's word becomes a path here: only what the call could have printed may.
        if folder not in _FOLDERS or not name or set(name) & set("/\\") or name == ".." or not size.isdecimal():
            raise KittiwakeError(f"the device lists a file that no journal has: {path[:80]!r}", "try again")
        files[path] = _file(board, f"{root}/{path}", int(size))
    on_progress(len(lines), len(lines))
    return files


def _file(board: Target, path: str, size: int) -> bytes:
    content, number = b"", 0
    while len(content) < size:
        count = min(_PIECES_A_CALL, -(-(size - len(content)) // _PIECE_BYTES))
        content += _asked(
            board,
            board_code.call("print_pieces", path, number, count, _PIECE_BYTES),
            [min(_PIECE_BYTES, size - len(content) - at * _PIECE_BYTES) for at in range(count)],
            number,
        )
        number += count
    return content


def _some(board: Target, first: int, count: int, size: int) -> bytes:
    return _asked(board, board_code.call("print_pieces", first, count), [size] * count, first)


def _asked(board: Target, call: str, sizes: list[int], first: int) -> bytes:
    """Pieces of these sizes; asked for again when the line garbled them: a console has no check of its own."""
    attempt = 1
    while True:
        words = board.exec(call, _TIMEOUT_S).split()
        pairs = [" ".join(words[at : at + 2]) for at in range(0, len(words), 2)]
        try:
            if len(pairs) != len(sizes):
                why = f"{len(pairs)} pieces arrived of {len(sizes)}"
                raise KittiwakeError(why, "try again; the device was only read")
            return b"".join(
                _piece(pair, size, first + at) for at, (pair, size) in enumerate(zip(pairs, sizes, strict=True))
            )
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
