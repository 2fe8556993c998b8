"""Other people's flashing tools, run as programs: found, watched line by line, ended when they hang or are interrupted.

Knows processes; not what the lines mean. esptool and stm32loader are under the GPL and this project is not: they are
started, and never imported.
"""

from __future__ import annotations

import io
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from kittiwake.errors import KittiwakeError

_SILENCE_S = 180.0  # erasing all of a large flash takes two minutes, without a word
_END_S = 10.0
_EXTRA = "pip install 'kittiwake[flash]'"
_MENDS = {"esptool": _EXTRA, "stm32loader": _EXTRA, "dfu-util": "apt-get install dfu-util, or brew install dfu-util"}


@dataclass(frozen=True)
class Outcome:
    """How a program ended: its exit code, and every line that it printed, on stdout and stderr."""

    code: int
    lines: tuple[str, ...]

    def has(self, text: str) -> bool:
        """Whether some line holds this text.

        Args:
            text: what a tool prints in this case.
        """
        return any(text in line for line in self.lines)

    @property
    def cause(self) -> str:
        """What the program itself says went wrong: its last line that names an error, else its last line."""
        lines = [line.strip() for line in self.lines if line.strip()]
        named = [line for line in lines if "ERROR: " in line]
        return (named or lines or ["it said nothing"])[-1].rpartition("ERROR: ")[2]


def where(name: str) -> str | None:
    """Give the path of a program: from this Python's own folder, else from PATH; None when it is in neither."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(name)


def find(name: str) -> str:
    """Give the path of a tool.

    Raises:
        KittiwakeError: it is not installed; the mend says which package has it.
    """
    path = where(name)
    if path is None:
        raise KittiwakeError(f"{name} is not installed", _MENDS[name])
    return path


def run(command: list[str], on_line: Callable[[str], None] = lambda line: None) -> Outcome:
    """Run a program to its end.

    Args:
        command: what `find` gave, and its arguments.
        on_line: is given each line as it comes.

    Returns:
        How it ended.

    Raises:
        KittiwakeError: it cannot be started, or fell silent and was ended.
        KeyboardInterrupt: the user did; the program was ended first.
    """
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        )
    except OSError as error:
        raise KittiwakeError(f"{command[0]} cannot be started: {error.strerror}", "reinstall it") from error
    output = cast(io.BufferedReader, process.stdout)
    printed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(output, printed), daemon=True)
    reader.start()
    lines = []
    try:
        while (line := printed.get(timeout=_SILENCE_S)) is not None:
            lines.append(line)
            on_line(line)
        return Outcome(process.wait(_END_S), tuple(lines))
    except (queue.Empty, subprocess.TimeoutExpired) as error:
        name = Path(command[0]).name
        raise KittiwakeError(f"{name} hangs, and was ended", "re-plug the board, then run it again") from error
    finally:
        _end(process)
        reader.join(_END_S)
        output.close()


def _read(stream: io.BufferedReader, lines: queue.SimpleQueue[str | None]) -> None:
    """Split what comes into lines; a progress bar ends its own by a carriage return."""
    rest = b""
    while piece := stream.read1(4096):
        *whole, rest = (rest + piece).replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            lines.put(line.decode("utf-8", "replace"))
    lines.put(rest.decode("utf-8", "replace"))
    lines.put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
