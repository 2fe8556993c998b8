"""The bench: which boards stand on it, what their power hangs on, what is wired to them, as `bench.toml` says.

Knows the file's form; boards are opened elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from kittiwake.config.load import Section, load
from kittiwake.errors import UsageError
from kittiwake.target.base import is_port

FILE = "bench.toml"
Command = list[str]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]


class Power(Section):
    """What a board's supply hangs on."""

    off: Command = Field(min_length=1, description="Program and arguments that turn it off.")
    on: Command = Field(min_length=1, description="Program and arguments that turn it on.")


class InstrumentSettings(Section):
    """An instrument beside a board: commands, or a device that QEMU emulates."""

    set: Command = Field(default=[], description="Program and arguments that set it, {value} for the value.")
    read: Command = Field(default=[], description="Program and arguments that print what it reads.")
    device: str | None = Field(default=None, description="An emulated device, such as /machine/peripheral/sensor.")
    property: str | None = Field(default=None, description="A property of that device, such as temperature.")

    @model_validator(mode="after")
    def _is_one_of_both(self) -> InstrumentSettings:
        if (self.device is None) != (self.property is None):
            raise ValueError("has a device or a property, and needs both")
        if (self.device is None) == (not self.set and not self.read):
            raise ValueError("needs commands, or a device and its property, and not both")
        return self


class WantedMicroPython(Section):
    """What a board is to run. It is flashed before a run where it runs something else, and what was on it is gone."""

    version: str = Field(pattern=r"^\d+\.\d+\.\d+(-\w+)?$", description="As the board says it: 1.28.0, 1.29.0-preview.")
    board: str = Field(description="Which board it is, as `kittiwake boards` lists it.")
    image: str = Field(min_length=1, description="File of MicroPython's, from the bench's folder.")


class BenchBoard(Section):
    """A board on the bench."""

    name: Word = Field(description="What --board calls it.")
    target: str = Field(description="id:SERIAL, a path, a URL, or an emulated board: qemu:virt, esp-qemu:esp32.")
    has: list[Word] = Field(default=[], description="What is wired to it: sensors, loops.")
    pins: dict[Word, int | str] = Field(default={}, description="What hangs on which pin, as machine.Pin names it.")
    tunnel: Command = Field(
        default=[], description="Program that carries its console on stdin and stdout, as ssh does."
    )
    arguments: Command = Field(default=[], description="More arguments for QEMU, of an emulated board.")
    image: str | None = Field(default=None, description="MicroPython's .bin, for Espressif's emulators.")
    power: Power | None = Field(default=None, description="What its supply hangs on.")
    micropython: WantedMicroPython | None = Field(default=None, description="What it is to run; any when absent.")
    instruments: dict[Word, InstrumentSettings] = Field(default={}, description="What is beside it.")

    @model_validator(mode="after")
    def _can_be_flashed(self) -> BenchBoard:
        if self.micropython is not None and (self.tunnel or not is_port(self.target)):
            raise ValueError("micropython is flashed at a port of this machine, and neither in a tunnel nor emulated")
        return self


class Bench(Section):
    """All of a bench."""

    boards: list[BenchBoard] = Field(default=[], description="The boards, one table [[boards]] each.")

    @model_validator(mode="after")
    def _names_are_unique(self) -> Bench:
        names = [board.name for board in self.boards]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two boards are called {twice}")
        return self

    def find(self, name: str) -> BenchBoard | None:
        """Give a board of this bench; None when none is called so.

        Args:
            name: of the board.
        """
        return next((board for board in self.boards if board.name == name), None)

    def with_all(self, needs: list[str]) -> list[BenchBoard]:
        """List the boards that have all of this, in the file's order.

        Args:
            needs: words of `has`, names of `pins`.
        """
        return [board for board in self.boards if set(needs) <= {*board.has, *board.pins}]


def read(path: Path) -> Bench:
    """Read a bench's file.

    Args:
        path: of it.

    Returns:
        The bench.

    Raises:
        UsageError: it is not there.
        ConfigError: it cannot be; names file, line, setting and mend.
    """
    if not path.is_file():
        raise UsageError(f"{path} is not there", "write one: see the how-to page of tests with hardware in the loop")
    bench = load(path, Bench)
    for board in bench.boards:
        if board.micropython is not None:
            board.micropython.image = str(path.parent / board.micropython.image)
        if board.image is not None:
            board.image = str(path.parent / board.image)
    return bench
