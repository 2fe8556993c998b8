"""An image for a board when none was named: fetched by mpflash where that is installed, else where to get one.

Knows mpflash's command line and where it puts files; not what is in them. Nothing here opens a connection.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from kittiwake.boards.description import Board, FlashedBoard
from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.flash import tool
from kittiwake.flash.progress import Say


def image(board: Board, say: Say) -> Path:
    """Have mpflash (MIT) download the newest stable image into its own folder.

    Args:
        board: one that is flashed.
        say: is given a line of progress.

    Returns:
        The image's file.

    Raises:
        UsageError: the board is emulated, or mpflash is not installed; the mend says where images are.
        KittiwakeError: it brought nothing.
    """
    if not isinstance(board, FlashedBoard):
        raise UsageError("no image is named", "`make boards` builds the firmware of emulated boards")
    forms = " or ".join(f".{form}" for form in board.flash.images)
    where = f"{board.download_url} has them ({forms}); name one by --image"
    program = tool.where("mpflash")
    if program is None:
        raise UsageError("no image is named", f"{where}, or pip install mpflash")
    say(f"asking mpflash for {board.micropython} …")
    outcome = tool.run([program, "download", "--board", board.micropython, "--version", "stable"])
    path = _newest(board)
    if path is None:
        raise KittiwakeError(f"mpflash brought no image of {board.micropython}: {outcome.cause}", where)
    return path


def _newest(board: FlashedBoard) -> Path | None:
    """The highest version of the plain build (variants have a name before the version), best format first."""
    folder = Path(os.environ.get("MPFLASH_FIRMWARE") or Path.home() / "Downloads" / "firmware")
    form = "|".join(board.flash.images)
    pattern = re.compile(rf"{re.escape(board.micropython)}-(?:\d{{8}}-)?v(\d+)\.(\d+)\.(\d+)\.({form})")
    candidates: list[tuple[list[int], int, Path]] = []
    for path in folder.glob(f"*/{board.micropython}-*"):
        if named := pattern.fullmatch(path.name):
            *version, suffix = named.groups()
            rank = next(at for at, form in enumerate(board.flash.images) if form == suffix)
            candidates.append(([int(part) for part in version], -rank, path))
    return max(candidates)[2] if candidates else None
