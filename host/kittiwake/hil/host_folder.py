"""A folder of this machine for a board that has mounted it: what its questions about files are answered with.

Knows a folder and the questions of board_code/hil/host_folder; not how they travel, nor what reads the files.
"""

from __future__ import annotations

import base64
import errno
import json
import secrets
from collections.abc import Callable
from pathlib import Path

from kittiwake import board_code
from kittiwake.errors import UsageError
from kittiwake.target.base import Target
from kittiwake.target.requests import Requests

_FOLDER, _FILE = 0x4000, 0x8000


class HostFolder:
    """A folder that is only read, and never left: a link that leads out of it is not there.

    Args:
        root: the folder.

    Raises:
        UsageError: there is no such folder.
    """

    def __init__(self, root: Path):
        if not root.is_dir():
            raise UsageError(f"{root} is no folder", "name a folder of this machine")
        self._root = root.resolve()

    def answer(self, request: bytes) -> bytes:
        """Answer a question.

        Args:
            request: JSON: what, path from the folder, numbers.

        Returns:
            "+" and base64, or "-" and the number of an OSError.
        """
        try:
            what, path, *numbers = json.loads(request)
            place = self._place(path)
            if what == "read":
                return _good(_read(place, *numbers))
            if what == "list":
                return _good(_json(self._entry(place, *numbers)))
            if what == "stat":
                return _good(_json(_look(place)))
        except OSError as error:
            return b"-%d" % (error.errno or errno.EIO)
        except (ValueError, TypeError):
            pass  # a line that others wrote into
        return b"-%d" % errno.EINVAL

    def _place(self, path: str) -> Path:
        place = (self._root / path.lstrip("/")).resolve()
        if not place.is_relative_to(self._root):
            raise FileNotFoundError(errno.ENOENT, path)
        return place

    def _entry(self, place: Path, number: int) -> list[object]:
        names = sorted(entry.name for entry in place.iterdir() if entry.resolve().is_relative_to(self._root))
        return [names[number], *_look(place / names[number])] if number < len(names) else []


def _look(place: Path) -> list[int]:
    status = place.stat()
    return [_FOLDER, 0] if place.is_dir() else [_FILE, status.st_size]


def _read(place: Path, at: int, count: int) -> bytes:
    with place.open("rb") as file:
        file.seek(at)
        return file.read(count)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _good(data: bytes) -> bytes:
    return b"+" + base64.b64encode(data)


def mount(target: Target, run: Callable[[str], str], folder: Path, at: str) -> None:
    """Mount a folder on a board, and put it first where its imports look.

    Args:
        target: started.
        run: runs source at its prompt.
        folder: of this machine.
        at: path on the board.

    Raises:
        UsageError: there is no such folder, or the board has one already.
        TargetError: the board cannot mount it.
    """
    if target.requests is not None:
        raise UsageError(f"{target.name} has a folder mounted already", "reset() it first")
    served = HostFolder(folder)
    mark = f"\x1e{secrets.token_hex(8)} "
    run(board_code.source("hil/host_folder"))
    target.requests = Requests(mark, served.answer)
    run(board_code.call("mount_host_folder", mark, at))
