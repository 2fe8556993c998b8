"""MicroPython onto STM32 boards over a serial port, by stm32loader and the chip's own ROM bootloader (ST, AN3155).

Knows stm32loader's command line and what its lines mean; not image formats. Chip first, then all of the flash is
erased, and each piece is written and read back.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from kittiwake.boards.description import FlashedBoard
from kittiwake.errors import KittiwakeError, NoDeviceError, PortBusyError, PortLostError, UsageError, VerificationError
from kittiwake.flash import attempts, tool
from kittiwake.flash.formats import Piece
from kittiwake.flash.image import Image
from kittiwake.flash.progress import Progress
from kittiwake.ports import serial

_SLOW_BAUDRATE = 57600
_CHIP_ID = re.compile(r"^Chip id: 0x([0-9A-Fa-f]+)")
_SIZE = re.compile(r"^Flash size: (\d+) KiB")
_AT = re.compile(r"^(Write|Read) \d+ bytes at 0x([0-9A-Fa-f]+)")
_VERIFIED = "Verification OK"
_LOST = ("SerialException", "OSError", "termios.error", "could not open port")
_RUN_AGAIN = "run the same command again"


class Stm32Facts(TypedDict):
    """What the chip says: its product id, and its flash's size (None where it does not say)."""

    chip: str
    flash_bytes: int | None


def identify(board: FlashedBoard, port: str, baudrate: int, progress: Progress) -> Stm32Facts:
    """Ask the chip what it is; it is reset for that where DTR and RTS are wired, and nothing on it is changed.

    Args:
        board: what should be there.
        port: of its bootloader.
        baudrate: of the line.
        progress: told of the stage.

    Returns:
        `chip`, its product id, and `flash_bytes` (None where it does not say).

    Raises:
        UsageError: it is not the board's chip, or has less flash.
        NoDeviceError: no bootloader answers.
        PortBusyError, PortLostError: of the port.
    """
    progress.enter("asking the chip what it is")
    outcome = tool.run(_command(board, port, baudrate))
    chip_line = next((match for line in outcome.lines if (match := _CHIP_ID.match(line))), None)
    if outcome.code or chip_line is None:
        raise _fault(outcome, board, port, progress)
    chip_id = int(chip_line[1], 16)
    if chip_id != board.flash.chip_id:
        raise UsageError(
            f"the chip on {port} says 0x{chip_id:x}, and {board.name} has 0x{board.flash.chip_id:x} ({board.mcu}); "
            f"{progress.left}",
            "name the right board or port; `kittiwake boards` lists them",
        )
    size = next((match for line in outcome.lines if (match := _SIZE.match(line))), None)
    flash_bytes = int(size[1]) << 10 if size else None
    if flash_bytes is not None and flash_bytes < board.memory.flash_bytes:
        has, needs = flash_bytes >> 10, board.memory.flash_bytes >> 10
        raise UsageError(
            f"the chip on {port} has {has} KiB of flash, and {board.name} has {needs}; {progress.left}",
            "name the right board",
        )
    return {"chip": f"0x{chip_id:x}", "flash_bytes": flash_bytes}


def write(board: FlashedBoard, port: str, image: Image, baudrate: int, progress: Progress) -> attempts.Attempt:
    """Erase all of the flash, write the image's pieces and read each back.

    Args:
        board: what `identify` found.
        port: of its bootloader.
        image: checked for this board.
        baudrate: to begin with.
        progress: told of each stage.

    Returns:
        `baudrate` that it was done at, and `tries`.

    Raises:
        VerificationError: what was read back is not what was written.
        PortLostError, PortBusyError, NoDeviceError, KittiwakeError: see the message; it says what is left.
    """
    return attempts.run(lambda speed: _try(board, port, image, speed, progress), baudrate, _SLOW_BAUDRATE, progress)


def _try(board: FlashedBoard, port: str, image: Image, baudrate: int, progress: Progress) -> KittiwakeError | None:
    with tempfile.TemporaryDirectory(prefix="kittiwake-") as folder:
        for number, piece in enumerate(image.pieces):
            file = Path(folder) / "piece.bin"
            file.write_bytes(piece.data)
            action = ["-V", *(["-e"] if number == 0 else []), "-w", "-v", "-a", f"0x{piece.address:x}", str(file)]
            watch = _watch(progress, piece)
            outcome = tool.run(_command(board, port, baudrate) + action, watch)
            # The exit code alone would do; that it was read back is worth looking for.
            if outcome.code or not outcome.has(_VERIFIED):
                return _fault(outcome, board, port, progress)
    return None


def _command(board: FlashedBoard, port: str, baudrate: int) -> list[str]:
    family = board.chip.removeprefix("stm32")[:2].upper()
    return [tool.find("stm32loader"), "-p", port, "-b", str(baudrate), "-f", family]


def _watch(progress: Progress, piece: Piece) -> Callable[[str], None]:
    address, size = piece.address, len(piece.data)

    def watch(line: str) -> None:
        at = _AT.match(line)
        # It says so once the chip has taken the command; one that is protected does not.
        if line.startswith("Extended erase"):
            progress.enter("erasing all of the flash", changes=True)
        elif line.startswith("Write ") and "chunks" in line:
            progress.enter(f"writing 0x{address:08x}", changes=True)
        elif line.startswith("Read ") and "chunks" in line:
            progress.enter(f"reading 0x{address:08x} back")
        elif at:
            progress.reach(100 * (int(at[2], 16) - address) / size)

    return watch


def _fault(outcome: tool.Outcome, board: FlashedBoard, port: str, progress: Progress) -> KittiwakeError:
    where, left = progress.where, progress.left
    if outcome.has("Verification FAILED"):
        return VerificationError(
            f"the flash does not hold what was written; {left}", f"{_RUN_AGAIN}; if it fails again, the flash is worn"
        )
    if outcome.has("probably due to readout protection"):
        return UsageError(
            f"the chip on {port} refuses to be erased: its readout protection is on; {left}",
            f"stm32loader -u -p {port} takes it off and erases the chip",
        )
    if "://" not in port and not os.path.exists(port):
        return PortLostError(f"{port} was lost {where}; {left}", f"plug it in, then {_RUN_AGAIN}")
    by = serial.holder(port)
    if by:
        return PortBusyError(f"{port} was taken{by} {where}; {left}", f"close the other program, then {_RUN_AGAIN}")
    if any(outcome.has(text) for text in _LOST):
        return PortLostError(f"{port} was lost {where}; {left}", f"plug it in, then {_RUN_AGAIN}")
    if outcome.has("Can't init into bootloader"):
        return NoDeviceError(f"no ROM bootloader answers on {port}; {left}", f"{board.flash.enter}; then {_RUN_AGAIN}")
    return KittiwakeError(f"stm32loader failed {where}: {outcome.cause}; {left}", _RUN_AGAIN)
