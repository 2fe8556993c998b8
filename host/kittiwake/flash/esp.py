"""MicroPython onto boards of the ESP32 family, by esptool.

Knows esptool's command line (version 5) and what its lines mean; not image formats. Chip first, then erase, write and
the chip's own digest of what was written; once more at a lower speed where the line was at fault.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TypedDict

from kittiwake.boards.description import FlashedBoard
from kittiwake.errors import KittiwakeError, NoDeviceError, PortBusyError, PortLostError, UsageError, VerificationError
from kittiwake.flash import attempts, tool
from kittiwake.flash.image import Image
from kittiwake.flash.progress import Progress
from kittiwake.ports import serial

_SLOW_BAUDRATE = 115200
_CHIP = re.compile(r"^Connected to (\S+) on ")
_SIZE = re.compile(r"^Detected flash size: (\d+)(KB|MB)")
_WRITING = re.compile(r"^Writing at 0x[0-9a-f]+ .*?([\d.]+)%")
_VERIFIED = "Hash of data verified."
# What esptool and pyserial say when the port goes away.
_LOST = ("serial exception", "Could not open ", "Lost connection")
_RUN_AGAIN = "run the same command again"


class EspFacts(TypedDict):
    """What the chip says: its name, as Espressif writes it, and its flash's size (None where it does not say)."""

    chip: str
    flash_bytes: int | None


def identify(board: FlashedBoard, port: str, progress: Progress) -> EspFacts:
    """Ask the chip what it is; it is reset for that, and nothing on it is changed.

    Args:
        board: what should be there.
        port: of its ROM loader.
        progress: told of the stage.

    Returns:
        `chip`, as Espressif writes it, and `flash_bytes` (None where it does not say).

    Raises:
        UsageError: it is not the board's chip, or has less flash.
        NoDeviceError: no ROM loader answers.
        PortBusyError, PortLostError: of the port.
    """
    progress.enter("asking the chip what it is")
    outcome = tool.run([tool.find("esptool"), "--port", port, "flash-id"])
    if outcome.code:
        raise _fault(outcome, board, port, progress)
    chip = next((match[1] for line in outcome.lines if (match := _CHIP.match(line))), None)
    if chip is None:
        raise KittiwakeError(
            f"esptool did not say which chip is on {port}: {outcome.cause}", "install esptool 5 or later"
        )
    if chip.lower().replace("-", "") != board.chip:
        raise UsageError(
            f"{port} has an {chip}, and {board.name} has an {board.mcu}; {progress.left}",
            "name the right board or port; `kittiwake boards` lists them",
        )
    size = next((match for line in outcome.lines if (match := _SIZE.match(line))), None)
    flash_bytes = int(size[1]) << (20 if size[2] == "MB" else 10) if size else None
    if flash_bytes is not None and flash_bytes < board.memory.flash_bytes:
        has, needs = flash_bytes >> 20, board.memory.flash_bytes >> 20
        raise UsageError(
            f"the chip on {port} has {has} MiB of flash, and {board.name} has {needs}; {progress.left}",
            "name the right board",
        )
    return {"chip": chip, "flash_bytes": flash_bytes}


def write(
    board: FlashedBoard, port: str, image: Image, baudrate: int, keep: bool, progress: Progress
) -> attempts.Attempt:
    """Erase, write, and have the chip digest what it holds.

    Args:
        board: what `identify` found.
        port: of its ROM loader.
        image: checked for this board.
        baudrate: to begin with.
        keep: leave what the image does not cover as it is: MicroPython's files, and the journal among them.
        progress: told of each stage.

    Returns:
        `baudrate` that it was done at, and `tries`.

    Raises:
        VerificationError: what the chip holds is not what was written.
        PortLostError, PortBusyError, NoDeviceError, KittiwakeError: see the message; it says what is left.
    """

    def once(speed: int) -> KittiwakeError | None:
        outcome = tool.run(_command(board, port, image, speed, keep), _watch(progress))
        # The exit code alone would do; that the digest was compared is worth looking for.
        return None if outcome.code == 0 and outcome.has(_VERIFIED) else _fault(outcome, board, port, progress)

    return attempts.run(once, baudrate, _SLOW_BAUDRATE, progress)


def _command(board: FlashedBoard, port: str, image: Image, baudrate: int, keep: bool) -> list[str]:
    command = [tool.find("esptool"), "--chip", board.chip, "--port", port, "--baud", str(baudrate), "write-flash"]
    (piece,) = image.pieces
    # Nothing in the image's header is to be changed: its own digest would not fit any more.
    command += ["--flash-mode", "keep", "--flash-freq", "keep", "--flash-size", "keep"]
    return command + ([] if keep else ["--erase-all"]) + [f"0x{piece.address:x}", str(image.path)]


def _watch(progress: Progress) -> Callable[[str], None]:
    def watch(line: str) -> None:
        if line.startswith("Erasing flash memory"):
            progress.enter("erasing all of the flash", changes=True)
        elif line.startswith("Compressed "):
            progress.enter("writing", changes=True)
        elif match := _WRITING.match(line):
            progress.reach(float(match[1]))
        elif line.startswith("Verifying"):
            progress.enter("verifying")

    return watch


def _fault(outcome: tool.Outcome, board: FlashedBoard, port: str, progress: Progress) -> KittiwakeError:
    where, left = progress.where, progress.left
    by = serial.holder(port)
    if outcome.has("This chip is "):
        return UsageError(f"the chip on {port} is another one by now: {outcome.cause}; {left}", _RUN_AGAIN)
    if outcome.has("MD5 of file does not match"):
        return VerificationError(
            f"the flash does not hold what was written; {left}", f"{_RUN_AGAIN}; if it fails again, the flash is worn"
        )
    is_gone = "://" not in port and not os.path.exists(port)
    if not is_gone and (by or outcome.has("Could not exclusively lock port")):
        return PortBusyError(f"{port} was taken{by} {where}; {left}", f"close the other program, then {_RUN_AGAIN}")
    if is_gone or any(outcome.has(text) for text in _LOST):
        return PortLostError(f"{port} was lost {where}; {left}", f"plug it in, then {_RUN_AGAIN}")
    if outcome.has("Failed to connect"):
        return NoDeviceError(f"no ROM loader answers on {port}; {left}", f"{board.flash.enter}; then {_RUN_AGAIN}")
    return KittiwakeError(f"esptool failed {where}: {outcome.cause}; {left}", _RUN_AGAIN)
