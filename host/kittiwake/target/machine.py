"""An emulated board's hardware: its processor and flash in an emulator, its two lines, its folder on this machine.

Knows when the emulator runs and what lies in the folder; neither prompts nor what the firmware does.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from kittiwake.errors import TargetError
from kittiwake.target import images, romfs
from kittiwake.target.emulator import Emulator
from kittiwake.target.line import Line
from kittiwake.target.private_folder import private_folder

_PREFIX = "kittiwake-qemu-"
# As boards/qemu-common/cmodules/kwboard has them.
_CONSOLE_INPUT, _FEED = "console.in", b"\x10"


class Machine:
    """The hardware of one emulated board; nothing runs until `power_up`.

    Args:
        board: which.
        count: count instructions exactly (one a nanosecond of the board's time).
        arguments: more arguments for QEMU.

    Attributes:
        console: its first UART.
        link: its second UART.
        work_dir: its folder: console.log is all that the board ever printed.
        is_off: its power is cut: the emulator is there, reset and paused.
    """

    def __init__(self, board: images.Board, count: bool, arguments: list[str]):
        self.console, self.link = Line(), Line()
        self.work_dir = Path()
        self.is_off = False
        self._board = board
        self._count = count
        self._arguments = arguments
        self._emulator: Emulator | None = None
        self._rom_files: dict[str, bytes] = {}
        self._folder_lock = -1

    @property
    def is_alive(self) -> bool:
        """Whether the emulator runs, with the power cut or not."""
        return self._emulator is not None and self._emulator.is_alive

    def power_up(self) -> None:
        """Start the emulator, paused before its first instruction; `boot` lets it run.

        Raises:
            NoDeviceError: the firmware is not built, or QEMU is not there.
            TargetError: it does not start.
        """
        image = images.image(self._board)
        if self._folder_lock < 0:
            self.work_dir, self._folder_lock = private_folder(self, _PREFIX)
        self.set_strap(run_main=False)
        arguments = list(self._arguments)
        if self._rom_files:
            (self.work_dir / "romfs.img").write_bytes(romfs.image(self._rom_files))
            address = self._board.description["memory"]["romfs_address"]
            arguments += ["-device", f"loader,file=romfs.img,addr={address:#x},force-raw=on"]
        self._emulator = Emulator(
            self._board, image.firmware, self.work_dir, self._count, self.console, self.link, arguments
        )
        self.is_off = False

    def emulator(self) -> Emulator:
        """Give the running emulator.

        Raises:
            TargetError: it was not started, or has ended.
        """
        if self._emulator is None:
            raise TargetError(f"{self._board.target} is not started", "start it first")
        self._emulator.check_alive()
        return self._emulator

    def boot(self) -> None:
        """Let the processor run from its first instruction."""
        self.emulator().qmp.call("cont")
        self.is_off = False

    def wait_for_end(self) -> None:
        """Give an emulator whose lines were cut the moment it takes to end.

        Raises:
            TargetError: it has ended.
        """
        if self._emulator is not None:
            self._emulator.wait_for_end()
            self._emulator.check_alive()

    def cut_power(self) -> None:
        """Stop the machine at this instant and leave it reset and paused; its flash stays."""
        if self.is_alive and not self.is_off:
            qmp = self.emulator().qmp
            qmp.call("stop")
            self.console.drop()
            qmp.call("system_reset")
        self.is_off = True

    def flash_rom(self, files: Mapping[str, bytes]) -> bool:
        """Add files to the read-only file system; the next `power_up` has them.

        Args:
            files: path -> content.

        Returns:
            Whether that changes it.

        Raises:
            TargetError: they do not fit.
        """
        every = {**self._rom_files, **files}
        if every == self._rom_files:
            return False
        size, room = len(romfs.image(every)), self._board.description["memory"]["romfs_bytes"]
        if size > room:
            raise TargetError(f"{size} bytes of files do not fit {self._board.target}'s {room} of flash")
        self._rom_files = every
        return True

    def read_memory(self, address: int, size: int) -> bytes:
        """Copy a piece of the machine's memory, while it runs or while its power is cut.

        Args:
            address: of the first byte.
            size: bytes.
        """
        path = self.work_dir / "memory.img"
        self.emulator().qmp.call("pmemsave", val=address, size=size, filename=str(path))
        return path.read_bytes()

    @contextlib.contextmanager
    def beside_console(self, data: bytes) -> Iterator[bytes]:
        """Leave input for the console in the folder, as long as the context lasts.

        Args:
            data: the input.

        Yields:
            The byte after which the board's console reads it.
        """
        path = self.work_dir / _CONSOLE_INPUT
        path.write_bytes(data)
        try:
            yield _FEED
        finally:
            path.unlink(missing_ok=True)

    def set_strap(self, run_main: bool) -> None:
        """Set the pin that the board looks at when it boots.

        Args:
            run_main: it runs main.py; else it stays at its prompt.
        """
        (self.work_dir / "strap").write_text("run" if run_main else "hold")

    def console_text(self) -> str:
        """All that the board ever printed; "" before it was started."""
        try:
            return (self.work_dir / "console.log").read_text(errors="replace")
        except OSError:
            return ""

    def end(self) -> None:
        """End the emulator, and with it what its memory held. Idempotent."""
        self.console.detach()
        self.link.detach()
        if self._emulator is not None:
            self._emulator.stop()
        self._emulator = None
        self.is_off = False

    def close(self) -> None:
        """End it, close the lines, remove the folder. Idempotent."""
        self.end()
        self.console.close()
        self.link.close()
        if self._folder_lock >= 0:
            os.close(self._folder_lock)
            self._folder_lock = -1
            shutil.rmtree(self.work_dir, ignore_errors=True)
