"""From a name to a board: one of the bench, a free one that has what is asked for, or a target by its own name.

Knows bench, locks and targets; not who asks.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import NamedTuple, TypedDict

from kittiwake.errors import KittiwakeError, NoDeviceError, PortBusyError, UsageError
from kittiwake.hil import espressif
from kittiwake.hil.bench import Bench, BenchBoard, InstrumentSettings
from kittiwake.hil.board import Board
from kittiwake.hil.instruments import CommandInstrument, EmulatedDevice, Instrument
from kittiwake.hil.locks import Lock
from kittiwake.hil.traced import Traced
from kittiwake.hil.tunnel import Tunnel
from kittiwake.ports import serial
from kittiwake.target import available
from kittiwake.target.base import Target, is_port
from kittiwake.target.power import CommandSwitch, PowerSwitch
from kittiwake.target.qemu import QemuTarget
from kittiwake.target.visit import open_visited

ANY = "any"
_LOG = logging.getLogger(__name__)


class HeldBoard(Board):
    """A board that nobody else uses while it is open.

    Args:
        target: as of `Board`.
        described: by the bench.
        lock: of the board, not taken yet; None where each run has a board of its own.
        wait_s: how long to wait for it.
        tunnel: the program that its console comes through; None for none.
        flash: write the MicroPython that it is to run onto it even when it runs that.
    """

    def __init__(
        self,
        target: Target,
        described: BenchBoard,
        lock: Lock | None,
        wait_s: float,
        tunnel: Tunnel | espressif.Emulator | None,
        flash: bool,
    ):
        instruments = {name: _instrument(target, settings) for name, settings in described.instruments.items()}
        super().__init__(target, described.name, described.has, instruments, described.pins)
        self._lock, self._wait_s, self._tunnel = lock, wait_s, tunnel
        self._wanted, self._flash = described.micropython, flash

    def start(self) -> None:
        """Wait for the board where others have it, have it run what it is to run, then start it.

        Raises:
            PortBusyError: another run has it; the message says which.
            KittiwakeError: it does not start.
        """
        if self._lock is not None:
            self._lock.take(self._wait_s)
        if self._wanted is not None:
            from kittiwake.hil import wanted  # few runs flash, and it brings much with it

            wanted.bring(self.target.name, self._wanted, _LOG.info, self._flash)
            self._wanted = None  # once is enough
        try:
            super().start()
        except KittiwakeError:
            if self._tunnel is not None:
                self._tunnel.check()  # its own words say more
            raise

    def stop(self) -> None:
        """Stop it, and let others have it. Idempotent."""
        try:
            super().stop()
        finally:
            if self._tunnel is not None:
                self._tunnel.close()
            if self._lock is not None:
                self._lock.release()


def find(name: str, bench: Bench) -> list[BenchBoard]:
    """Find what a name means.

    Args:
        name: of a board of the bench; a target; "any" for whichever is free, "any:lis3dh+loop" for one that has these.
        bench: where boards stand.

    Returns:
        Boards, any of which will do, the best first.

    Raises:
        UsageError: nothing has that name.
    """
    kind, _, needs = name.partition(":")
    if kind == ANY:
        boards = bench.with_all(needs.split("+") if needs else [])
        if not boards:
            raise UsageError(f"no board of the bench has {needs or 'a name'}", "see `kittiwake hil list`")
        return boards
    board = bench.find(name)
    if board is not None:
        return [board]
    try:
        available(name)
    except UsageError as error:
        known = [board.name for board in bench.boards]
        if not known:
            raise
        raise error.with_note(f"the bench has {', '.join(known)}") from None
    # A name of its own, which is not of the form that the bench asks for.
    return [BenchBoard.model_construct(name=name, target=name)]


def lock_of(board: BenchBoard) -> Lock | None:
    """Give the lock of a board; None for an emulated or virtual one, of which each run starts its own."""
    if board.tunnel:
        return Lock(f"tunnel {' '.join(board.tunnel)}", board.name)
    return Lock(_identity(board.target), board.name) if is_port(board.target) else None


def _identity(port: str) -> str:
    """What tells a board from others, however it is called: its adapter's serial number where that has one."""
    if port.startswith("id:") or "://" in port:
        return port
    try:
        path = os.path.realpath(serial.resolve(port))
    except KittiwakeError:
        return port  # not plugged in: its start will say so
    known = next((one for one in serial.list_ports() if os.path.realpath(one.path) == path), None)
    return f"id:{known.serial_number}" if known is not None and known.serial_number else path


def problem(board: BenchBoard) -> KittiwakeError | None:
    """Say why a board cannot be opened here; None when it can, or when only a try will tell."""
    if board.tunnel or board.power is not None:
        return None  # behind something that may have to be started first
    lock = lock_of(board)
    if lock is not None and lock.holder() is not None:
        return None  # busy is not absent: the start waits
    if espressif.is_espressif(board.target):
        return espressif.problem(board.target, _image(board))
    return available(board.target)


def _image(board: BenchBoard) -> Path | None:
    return Path(board.image) if board.image is not None else None


class State(TypedDict):
    """A board of the bench at this moment: "free", "held" or "absent"; the detail says by whom, or why."""

    name: str
    target: str
    has: list[str]
    state: str
    detail: str


def state(board: BenchBoard) -> State:
    """Tell who has a board, or why it is not there.

    Args:
        board: of the bench.
    """
    lock = lock_of(board)
    holder = lock.holder() if lock is not None else None
    word, detail = "free", ""
    if holder is not None:
        word, detail = "held", f"process {holder['pid']} ({holder['command']}) since {holder['since']}"
    elif (why := problem(board)) is not None:
        word, detail = "absent", str(why)
    return {"name": board.name, "target": board.target, "has": board.has, "state": word, "detail": detail}


class Locked(NamedTuple):
    """A board's name, and its lock, taken."""

    name: str
    lock: Lock


def locked(name: str, bench: Bench, wait_s: float = 0.0) -> Locked:
    """Lock a board without opening it.

    Args:
        name: as `find` takes it.
        bench: where boards stand.
        wait_s: how long to wait for it; of several boards, the first that is free is taken at once or not at all.

    Returns:
        The lock, taken; the caller releases it.

    Raises:
        UsageError: nothing has that name, or each run has a board of its own by it.
        PortBusyError: others have it; the message says who.
    """
    described, lock = _free_one(name, bench)
    if lock is None:
        raise UsageError(f"{name} is no board that others could take", "name one on a port")
    lock.take(wait_s)
    return Locked(described.name, lock)


class TracedBoard(Traced, HeldBoard):
    """A board that nobody else uses, and that notes which lines run."""


def open_board(
    name: str, bench: Bench, wait_s: float = 0.0, count: bool = False, flash: bool = False, trace: bool = False
) -> Board:
    """Make the board of that name; nothing is started yet, but the board that `any` stands for is locked.

    Args:
        name: as `find` takes it.
        bench: where boards stand.
        wait_s: how long to wait for one that others have.
        count: count instructions, where it is emulated.
        flash: write the MicroPython that the bench wants onto it even when it runs that.
        trace: note which lines run: it is a `Traced`; an emulated one runs the image that can tell, where it has one.

    Returns:
        The board.

    Raises:
        UsageError: nothing has that name.
        PortBusyError: of several, none is free.
    """
    described, lock = _free_one(name, bench)
    return _opened(described, lock, wait_s, count, flash, trace)


def _free_one(name: str, bench: Bench) -> tuple[BenchBoard, Lock | None]:
    """The board that a name means, and its lock; where several will do, one that is free, locked already."""
    boards = find(name, bench)
    if len(boards) == 1:
        return boards[0], lock_of(boards[0])
    for described in boards:
        lock = lock_of(described)
        if problem(described) is None and (lock is None or lock.try_take()):
            return described, lock
    raise PortBusyError(f"no board that is {name} is free", "see `kittiwake hil list`")


def _opened(described: BenchBoard, lock: Lock | None, wait_s: float, count: bool, flash: bool, trace: bool) -> Board:
    power: PowerSwitch | None = None
    tunnel: Tunnel | espressif.Emulator | None = None
    if espressif.is_espressif(described.target):
        tunnel = emulator = espressif.Emulator(described.target, _image(described))
        power = emulator if emulator.keeps_flash else None
    else:
        power = CommandSwitch(described.power.off, described.power.on) if described.power is not None else None
        tunnel = Tunnel(described.tunnel) if described.tunnel else None
    place = tunnel.port if tunnel is not None else described.target
    options: dict[str, object] = {} if is_port(place) else {"deploy": False}
    if described.target.startswith("qemu:"):
        options |= {"count": count, "arguments": described.arguments, "trace": trace}
    kind = TracedBoard if trace else HeldBoard
    return kind(open_visited(place, power, **options), described, lock, wait_s, tunnel, flash)


def _instrument(target: Target, settings: InstrumentSettings) -> Instrument:
    if settings.device is None or settings.property is None:
        return CommandInstrument(settings.set, settings.read)
    if not isinstance(target, QemuTarget):
        raise NoDeviceError(f"{target.name} is not emulated: it has no {settings.device}", "give the bench commands")
    return EmulatedDevice(target, settings.device, settings.property)
