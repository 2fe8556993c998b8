"""What is kept of a board when a test on it has failed: console, link, journal, and how it is, as files.

Knows targets and a folder; not pytest, and not what a journal says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from kittiwake import board_code
from kittiwake.errors import KittiwakeError
from kittiwake.hil.board import CONSOLE_BYTES, Board
from kittiwake.target.qemu import QemuTarget
from kittiwake.target.unix import UnixTarget

_ANSWER_S = 5.0
_BLANK = (0x00, 0xFF)


def dump(board: Board, folder: Path, stem: str) -> dict[str, str]:
    """Write what there is. A board that does not answer is not asked twice, and what it lacks is left out.

    Args:
        board: as the test left it; a node that runs is left alone.
        folder: where files go; made where it is not there.
        stem: that their names begin with.

    Returns:
        What ("console", "link", "journal", "health") -> name of its file in the folder.
    """
    parts: dict[str, tuple[str, Callable[[Board], bytes]]] = {
        "console": ("console.txt", _console),
        "link": ("link.bin", _link),
        "journal": ("journal.img", _journal),
        "health": ("health.json", _health),
    }
    files = {}
    folder.mkdir(parents=True, exist_ok=True)
    for what, (ending, read) in parts.items():
        try:
            content = read(board)
        except (KittiwakeError, OSError) as error:
            content = f"not to be had: {error}\n".encode()
            ending = f"{what}.txt"
        if content:
            files[what] = f"{stem}.{ending}"
            (folder / files[what]).write_bytes(content)
    return files


def _console(board: Board) -> bytes:
    """What its code printed, and what the machine's own console said beneath, where that is kept."""
    text = board.console or board.target.node_text()
    return text.encode()[-CONSOLE_BYTES:]


def _link(board: Board) -> bytes:
    if not isinstance(board.target, QemuTarget):
        return b""
    return _end_of(board.target.work_dir / "link.log")


def _journal(board: Board) -> bytes:
    """The whole partition; nothing where nobody has written to it."""
    if isinstance(board.target, QemuTarget):
        image = board.target.storage_image()
    elif isinstance(board.target, UnixTarget) and board.target.flash_path.exists():
        image = board.target.flash_path.read_bytes()
    else:
        return b""
    return b"" if any(image.count(byte) == len(image) for byte in _BLANK) else image


def _health(board: Board) -> bytes:
    if board.target.node_is_running:
        return b""  # it says how it is by itself, over its link and in its journal
    board.target.exec(board_code.source("hil/state"), _ANSWER_S)
    state = json.loads(board.target.exec("print_state()", _ANSWER_S))
    return json.dumps(state, indent=1).encode() + b"\n"


def _end_of(path: Path) -> bytes:
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - CONSOLE_BYTES))
        return log.read()
