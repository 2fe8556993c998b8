"""Instruments beside a board: what sets or reads its surroundings, as a source, a meter or a logic probe does.

Knows how to reach an instrument; what its values mean is the test's business. One with an interface of its own is a
class with `set` and `read`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kittiwake.errors import UsageError
from kittiwake.target.power import run
from kittiwake.target.qemu import QemuTarget

_VALUE = "{value}"


class Instrument(Protocol):
    """What sets or reads something beside a board."""

    def set(self, value: int | float | str) -> None:
        """Set it to a value."""

    def read(self) -> str:
        """Read it; the test knows what the text means."""


class CommandInstrument:
    """An instrument that a program of this machine works.

    Args:
        set: program and arguments, `{value}` among them for the value; empty when it only reads.
        read: program and arguments that print the reading; empty when it only sets.
    """

    def __init__(self, set: Sequence[str] = (), read: Sequence[str] = ()):
        self._set, self._read = list(set), list(read)

    def set(self, value: int | float | str) -> None:
        """Run the command that sets it.

        Raises:
            UsageError: it has none.
            KittiwakeError: it fails.
        """
        if not self._set:
            raise UsageError("this instrument only reads", "give the bench its command `set`")
        run([part.replace(_VALUE, str(value)) for part in self._set])

    def read(self) -> str:
        """Run the command that reads it.

        Returns:
            What it printed, without white space around it.

        Raises:
            UsageError: it has none.
            KittiwakeError: it fails.
        """
        if not self._read:
            raise UsageError("this instrument only sets", "give the bench its command `read`")
        return run(self._read).strip()


class EmulatedDevice:
    """A property of a device that QEMU emulates, as the temperature of a sensor.

    Args:
        target: the emulated board.
        path: of the device, as "/machine/peripheral/sensor".
        name: of the property.
    """

    def __init__(self, target: QemuTarget, path: str, name: str):
        self._target = target
        self._path, self._name = path, name

    def set(self, value: int | float | str) -> None:
        """Set the property.

        Raises:
            TargetError: there is no such device, or it refuses the value.
        """
        self._target.qmp("qom-set", path=self._path, property=self._name, value=value)

    def read(self) -> str:
        """Read the property."""
        return str(self._target.qmp("qom-get", path=self._path, property=self._name))
