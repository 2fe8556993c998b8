"""A flashing run from file and board to a verified board: checks first, then the tool that belongs to the board.

Knows the order of things; how each is done is in the modules beside it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from kittiwake.boards import catalog, description
from kittiwake.errors import KittiwakeError, PortBusyError, UsageError
from kittiwake.flash import dfu, esp, image, stm32
from kittiwake.flash.progress import Progress, Say
from kittiwake.ports import serial

_UNTOUCHED = "nothing on the board was changed"


@dataclass(frozen=True)
class Flashing:
    """What is to be flashed.

    Args:
        board: its name.
        port: as `kittiwake.ports.serial.resolve` takes it; "dfu" or "dfu:SERIAL" for a board in its USB bootloader.
        image: the file.
        offset: where a .bin goes, instead of where the board's file says.
        manifest: a list of SHA-256, instead of one beside the image.
        baudrate: instead of the board's.
        keep: leave files and journal as they are where that can be.
    """

    board: str
    port: str
    image: Path
    offset: int | None = None
    manifest: Path | None = None
    baudrate: int | None = None
    keep: bool = False


def flash(flashing: Flashing, say: Say) -> dict[str, object]:
    """Do it. Everything that can be known beforehand is checked before anything is changed.

    Args:
        flashing: what, and where to.
        say: is given lines of progress.

    Returns:
        What was done, JSON-ready: board, port, image, sha256, bytes, seconds, and what the tool's module adds.

    Raises:
        KittiwakeError: and its kin; the message says what was changed on the board when something was.
        KeyboardInterrupt: the tool was ended, and what that left was said.
    """
    board = catalog.find(flashing.board)
    if not isinstance(board, description.FlashedBoard):
        raise UsageError(f"{board.name} exists in emulation only", "`make boards` builds its firmware")
    checked = image.read(flashing.image, board, flashing.offset, flashing.manifest)
    say(f"{flashing.image.name}: {checked.size} bytes for {board.title}, {_digest(checked)}")
    started = time.monotonic()
    progress = Progress(say, flashing.keep)
    try:
        if _is_dfu(flashing.port):
            done = _by_dfu_util(board, flashing, checked, progress)
        elif board.flash.tools == ["esptool"]:
            done = _by_esptool(board, flashing, checked, progress)
        else:
            done = _by_stm32loader(board, flashing, checked, progress)
    except KeyboardInterrupt:
        say(f"interrupted {progress.where}; {progress.left}; run the same command again")
        raise
    return {
        "board": board.name,
        "image": str(flashing.image),
        "sha256": checked.sha256,
        "bytes": checked.size,
        "seconds": round(time.monotonic() - started, 1),
        **done,
    }


def _by_esptool(
    board: description.FlashedBoard, flashing: Flashing, checked: image.Image, progress: Progress
) -> dict[str, object]:
    port = _free_port(flashing.port)
    facts = esp.identify(board, port, progress)
    done = esp.write(board, port, checked, flashing.baudrate or board.flash.baudrate, flashing.keep, progress)
    return {"port": port, "tool": "esptool", **facts, **done}


def _by_stm32loader(
    board: description.FlashedBoard, flashing: Flashing, checked: image.Image, progress: Progress
) -> dict[str, object]:
    if flashing.keep:
        raise UsageError("an STM32's serial bootloader is made to erase everything here", "leave --keep-files out")
    if "://" in flashing.port:
        raise UsageError(
            f"stm32loader takes no {flashing.port.partition('://')[0]}:// port", "name a port of this machine"
        )
    port = _free_port(flashing.port)
    baudrate = flashing.baudrate or board.flash.baudrate
    facts = stm32.identify(board, port, baudrate, progress)
    return {"port": port, "tool": "stm32loader", **facts, **stm32.write(board, port, checked, baudrate, progress)}


def _by_dfu_util(
    board: description.FlashedBoard, flashing: Flashing, checked: image.Image, progress: Progress
) -> dict[str, object]:
    if "dfu-util" not in board.flash.tools:
        raise UsageError(f"{board.name} has no USB bootloader on a connector", "name the serial port by --port")
    facts = dfu.identify(board, flashing.port.partition(":")[2] or None, progress)
    dfu.write(board, facts["serial"], checked, flashing.keep, progress)
    return {"port": "dfu", "tool": "dfu-util", **facts}


def _is_dfu(port: str) -> bool:
    return port.partition(":")[0] == "dfu"


def _free_port(name: str) -> str:
    """Open the port and close it again: what is wrong with it is said better here than by a tool."""
    path = serial.resolve(name)
    try:
        serial.open_blocking(path).close()
    except KittiwakeError as error:
        raise error.with_note(_UNTOUCHED) from error
    # Programs that take no lock would read the chip's answers away.
    by = serial.holder(path)
    if by:
        raise PortBusyError(f"{path} is in use{by}; {_UNTOUCHED}", "close the other program, then try again")
    return path


def _digest(checked: image.Image) -> str:
    listed = f"as {checked.listed_in.name} says" if checked.listed_in else "no manifest to hold it against"
    return f"SHA-256 {checked.sha256[:16]}…, {listed}"
