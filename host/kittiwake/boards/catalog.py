"""The boards that are known: each described in a file of its own, `boards/NAME/board.toml`.

Knows where those files lie, not what they say (description.py).
"""

from __future__ import annotations

import difflib
from pathlib import Path

from kittiwake.boards.description import Board, FlashedBoard
from kittiwake.config.load import parse
from kittiwake.errors import KittiwakeError, UsageError

_PACKAGE = Path(__file__).resolve().parents[1]
# An installed wheel's, then a checkout's.
_PLACES = (_PACKAGE / "_boards", _PACKAGE.parents[1] / "boards")


def read(path: Path) -> Board:
    """Read one board.toml.

    Args:
        path: of the file.

    Returns:
        The board; a FlashedBoard where it has [flash].

    Raises:
        ConfigError: it cannot be read or breaks the schema; names file, line, setting and mend.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KittiwakeError(f"{path} cannot be read: {error}", "reinstall kittiwake") from error
    board = parse(text, Board, {}, str(path))
    if board.flash is None:
        return board
    return FlashedBoard.model_validate(board.model_dump(exclude_unset=True))


def names() -> list[str]:
    """List the boards' names: real ones first, then virtual ones."""
    return sorted((path.parent.name for path in _files()), key=lambda name: (name.startswith("qemu-"), name))


def find(name: str) -> Board:
    """Give a board.

    Raises:
        UsageError: there is no such board.
        ConfigError: its file is broken.
    """
    for path in _files():
        if path.parent.name == name:
            return read(path)
    known = names()
    near = difflib.get_close_matches(name.lower(), known, 1, 0.4)
    mend = f"did you mean {near[0]}?" if near else "`kittiwake boards` lists them"
    raise UsageError(f"no board {name!r}", mend)


def by_usb(vid: int | None, pid: int | None) -> list[str]:
    """Name the boards that show these USB ids; several share an adapter."""
    boards = []
    for name in names():
        if any((usb.vid, usb.pid) == (vid, pid) for usb in find(name).usb):
            boards.append(name)
    return boards


def _files() -> list[Path]:
    for place in _PLACES:
        files = sorted(place.glob("*/board.toml"))
        if files:
            return files
    raise KittiwakeError(f"no boards are described in {_PLACES[0]}", "reinstall kittiwake")
