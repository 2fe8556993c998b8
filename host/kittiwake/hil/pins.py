"""A board's pins from a test: set one, read one, by the board's own `machine.Pin`.

Knows source for a prompt; not what hangs on a pin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from kittiwake import board_code

Name = int | str
Pull = Literal["up", "down"]
_PULLS = {None: "None", "up": "machine.Pin.PULL_UP", "down": "machine.Pin.PULL_DOWN"}


class Pin:
    """One pin, an input until it is set.

    Args:
        run: runs source at the board's prompt and gives what that printed.
        name: as `machine.Pin` takes it.
    """

    def __init__(self, run: Callable[[str], str], name: Name):
        self._run = run
        self._name = board_code.literal(name)

    def set(self, level: bool | int) -> None:
        """Drive it.

        Args:
            level: high when true.

        Raises:
            TargetError: the board has no such pin, or none at all: ask for needs=["pin"].
        """
        self._run(f"import machine; machine.Pin({self._name}, machine.Pin.OUT, value={int(bool(level))})")

    def read(self, pull: Pull | None = None) -> int:
        """Make it an input and read it.

        Args:
            pull: resistor of the chip's own.

        Returns:
            0 or 1.

        Raises:
            TargetError: as of `set`.
        """
        made = f"machine.Pin({self._name}, machine.Pin.IN, {_PULLS[pull]})"
        return int(self._run(f"import machine; print({made}.value())"))


class Pins:
    """The pins of a board.

    Args:
        run: as of `Pin`.
        names: what the bench calls them -> what MicroPython does.
    """

    def __init__(self, run: Callable[[str], str], names: Mapping[str, Name]):
        self._run = run
        self._names = names

    def __getitem__(self, name: Name) -> Pin:
        """Give a pin by its name on the bench, else by MicroPython's."""
        return Pin(self._run, self._names.get(name, name) if isinstance(name, str) else name)
