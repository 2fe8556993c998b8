"""Power switches of real boards: what a board's supply hangs on, and how it is turned off and on.

Knows commands; not which board is behind a switch. A switch with an interface of its own is a class with `off` and
`on`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Protocol

from kittiwake.errors import KittiwakeError

_TIMEOUT_S = 30.0


class PowerSwitch(Protocol):
    """What turns a board's supply off and on."""

    def off(self) -> None:
        """Turn it off; return when it is off."""

    def on(self) -> None:
        """Turn it on; the board boots by itself."""


class CommandSwitch:
    """A switch that a program of this machine works: uhubctl for a hub's port, a relay's or a plug's own tool.

    Args:
        off: program and arguments that turn the supply off.
        on: likewise, on.
        timeout_s: seconds that either may take.
    """

    def __init__(self, off: Sequence[str], on: Sequence[str], timeout_s: float = _TIMEOUT_S):
        self._off, self._on = list(off), list(on)
        self._timeout_s = timeout_s

    def off(self) -> None:
        """Run the command that turns it off.

        Raises:
            KittiwakeError: it cannot be run, fails, or does not end in time.
        """
        run(self._off, self._timeout_s)

    def on(self) -> None:
        """Run the command that turns it on.

        Raises:
            KittiwakeError: as of `off`.
        """
        run(self._on, self._timeout_s)


def run(command: Sequence[str], timeout_s: float = _TIMEOUT_S) -> str:
    """Run a command of the bench to its end.

    Args:
        command: program and arguments.
        timeout_s: seconds that it may take.

    Returns:
        What it wrote to stdout.

    Raises:
        KittiwakeError: it cannot be run, fails, or does not end in time; with the last line it wrote.
    """
    program = command[0]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout_s
        )
    except subprocess.TimeoutExpired as error:
        raise KittiwakeError(f"{program} did not end within {timeout_s:g} s", "see what it waits for") from error
    except OSError as error:
        raise KittiwakeError(f"{program} does not run: {error.strerror}", "mend the bench's command") from error
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise KittiwakeError(f"{program} failed with status {done.returncode}: {words}", "mend the bench's command")
    return done.stdout
