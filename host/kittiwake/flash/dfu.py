"""MicroPython onto STM32 boards over USB, by dfu-util and the chip's own DFU bootloader (ST, AN3156).

Knows dfu-util's command line and what its lines mean; not image formats. The bootloader says how large its flash is and
not which chip it is in. Each piece is written, and read back into a file that is compared.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TypedDict

from kittiwake.boards.description import FlashedBoard
from kittiwake.errors import KittiwakeError, NoDeviceError, PortLostError, UsageError, VerificationError
from kittiwake.flash import tool
from kittiwake.flash.formats import Piece
from kittiwake.flash.image import Image
from kittiwake.flash.progress import Progress

_DEVICE = "0483:df11"  # AN2606: of every STM32's bootloader
_FOUND = re.compile(r'^Found DFU: \[0483:df11\].*\balt=0, name="(@Internal Flash[^"]*)", serial="([^"]*)"')
# "04*016Kg": so many sectors of so many KiB, each readable, erasable and writable.
_SECTORS = re.compile(r"(\d+)\*(\d+)([ KM])[a-g]")
_UNITS = {" ": 1, "K": 1 << 10, "M": 1 << 20}
_PERCENT = re.compile(r"^(?:Download|Upload|Erase)\s*\[.*?\]\s*(\d+)%")
_RUN_AGAIN = "run the same command again"


class DfuFacts(TypedDict):
    """What the bootloader says: the serial number of its USB interface, and the size of its flash."""

    serial: str
    flash_bytes: int


def identify(board: FlashedBoard, serial: str | None, progress: Progress) -> DfuFacts:
    """Look for the one board that is in its DFU bootloader; nothing on it is changed.

    Args:
        board: what should be there.
        serial: of the board's USB interface; needed where there are several.
        progress: told of the stage.

    Returns:
        `serial` and `flash_bytes`.

    Raises:
        NoDeviceError: there is none.
        UsageError: there are several, or its flash is not the board's.
        KittiwakeError: no permission.
    """
    progress.enter("looking for a DFU bootloader")
    outcome = tool.run([tool.find("dfu-util"), "-l", "-d", _DEVICE])
    if outcome.has("LIBUSB_ERROR_ACCESS"):
        raise KittiwakeError(
            f"no permission to open the USB device {_DEVICE}; {progress.left}",
            "sudo usermod -aG plugdev $USER, log in again, and install the udev rule of deploy/udev",
        )
    layouts = {match[2]: match[1] for line in outcome.lines if (match := _FOUND.match(line))}
    if serial is not None:
        layouts = {name: layout for name, layout in layouts.items() if name == serial}
    if not layouts:
        raise NoDeviceError(f"no board is in its DFU bootloader; {progress.left}", f"{board.flash.enter}; {_RUN_AGAIN}")
    if len(layouts) > 1:
        choices = " or ".join(f"--port dfu:{name}" for name in sorted(layouts))
        raise UsageError(f"several boards are in their DFU bootloaders; {progress.left}", f"name one by {choices}")
    ((serial, layout),) = layouts.items()
    flash_bytes = sum(int(count) * int(size) * _UNITS[unit] for count, size, unit in _SECTORS.findall(layout))
    if flash_bytes != board.memory.flash_bytes:
        has, needs = flash_bytes >> 10, board.memory.flash_bytes >> 10
        raise UsageError(
            f"the board in its DFU bootloader has {has} KiB of flash, and {board.name} has {needs}; {progress.left}",
            "name the right board; `kittiwake boards` lists them",
        )
    return {"serial": serial, "flash_bytes": flash_bytes}


def write(board: FlashedBoard, serial: str, image: Image, keep: bool, progress: Progress) -> None:
    """Erase, write the image's pieces, and compare what is read back.

    Args:
        board: what `identify` found.
        serial: of it.
        image: checked for this board.
        keep: erase only what is written.
        progress: told of each stage.

    Raises:
        VerificationError: what was read back is not what was written.
        PortLostError, KittiwakeError: see the message; it says what is left.
    """
    with tempfile.TemporaryDirectory(prefix="kittiwake-") as folder:
        for number, piece in enumerate(image.pieces):
            file = Path(folder) / "piece.bin"
            # dfu-util pads nothing: the flash is written by words.
            file.write_bytes(piece.data + b"\xff" * (-len(piece.data) % 4))
            mass_erase = ":mass-erase:force" if number == 0 and not keep else ""
            progress.enter(f"{'erasing all of the flash, then ' * bool(mass_erase)}writing 0x{piece.address:08x}", True)
            _run(board, serial, [f"0x{piece.address:08x}{mass_erase}", "-D", str(file)], progress)
        for piece in image.pieces:
            _compare(board, serial, piece, Path(folder) / f"{piece.address:08x}", progress)


def _compare(board: FlashedBoard, serial: str, piece: Piece, back: Path, progress: Progress) -> None:
    progress.enter(f"reading 0x{piece.address:08x} back")
    _run(board, serial, [f"0x{piece.address:08x}:{len(piece.data)}", "-U", str(back)], progress)
    if back.read_bytes() != piece.data:
        raise VerificationError(
            f"the flash does not hold what was written at 0x{piece.address:08x}; {progress.left}",
            f"{_RUN_AGAIN}; if it fails again, the flash is worn",
        )


def _run(board: FlashedBoard, serial: str, action: list[str], progress: Progress) -> None:
    def watch(line: str) -> None:
        match = _PERCENT.match(line)
        if match:
            progress.reach(float(match[1]))

    command = [tool.find("dfu-util"), "-d", _DEVICE, "-S", serial, "-a", "0", "-s", *action]
    outcome = tool.run(command, watch)
    if outcome.code == 0:
        return
    where, left = progress.where, progress.left
    if outcome.has("No DFU capable USB device") or outcome.has("LIBUSB_ERROR_NO_DEVICE") or outcome.has("Lost device"):
        raise PortLostError(f"the board was lost {where}; {left}", f"{board.flash.enter}; {_RUN_AGAIN}")
    raise KittiwakeError(f"dfu-util failed {where}: {outcome.cause}; {left}", f"{board.flash.enter}; {_RUN_AGAIN}")
