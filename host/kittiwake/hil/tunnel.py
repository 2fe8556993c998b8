"""A board on another machine: a program whose stdin and stdout are its console, as a port of this machine.

Knows processes and lines; `ssh lab socat - /dev/ttyACM0,raw` is such a program.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence

from kittiwake.errors import NoDeviceError
from kittiwake.target.line import Line
from kittiwake.target.spawn import guarded

_STOP_S = 5.0


class Tunnel:
    """A running program that carries a console, until `close`.

    Args:
        command: program and arguments.

    Attributes:
        port: path of the port that leads into it.

    Raises:
        NoDeviceError: there is no such program.
    """

    def __init__(self, command: Sequence[str]):
        if shutil.which(command[0]) is None:
            raise NoDeviceError(f"{command[0]} is not there", "install it, or mend the bench's tunnel")
        self._program = command[0]
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the program runs)
        self._line = Line()
        theirs = self._line.attach()
        self._process = guarded(list(command), stdin=theirs, stdout=theirs, stderr=self._complaints)
        theirs.close()
        self.port = self._line.port

    def check(self) -> None:
        """Raise when the program has ended by itself.

        Raises:
            NoDeviceError: with the last line that it wrote to stderr.
        """
        status = self._process.poll()
        if status is None:
            return
        self._complaints.seek(0)
        words = self._complaints.read().decode(errors="replace").strip().splitlines()
        last = words[-1] if words else "it said nothing"
        raise NoDeviceError(f"{self._program} ended with status {status}: {last}", "mend the bench's tunnel")

    def close(self) -> None:
        """End it. Idempotent."""
        self._process.kill()
        self._process.wait(_STOP_S)
        self._line.close()
        self._complaints.close()
