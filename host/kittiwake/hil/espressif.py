"""Espressif's emulators as a board's place: their QEMU (`esp-qemu:esp32`), and esp-emu (`esp-emu:esp32c3`).

Built to their documents (espressif/esp-toolchain-docs, qemu/; espressif/esp-emulator, README.md). Knows their command
lines, and flash as a file; what answers there is a board on a port to all else.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from kittiwake.errors import ConfigError, KittiwakeError, NoDeviceError
from kittiwake.target.line import Line
from kittiwake.target.spawn import guarded

QEMU, EMU = "esp-qemu", "esp-emu"
# Chip -> Espressif's build of QEMU for it.
_SYSTEMS = {"esp32": "qemu-system-xtensa", "esp32s3": "qemu-system-xtensa", "esp32c3": "qemu-system-riscv32"}
_EMULATED = ("esp32c3", "esp32c5", "esp32c6", "esp32h2", "esp32p4", "esp32s3", "esp32s31")
# Where a chip's ROM looks for the bootloader, with which MicroPython's images begin.
_OFFSETS = {"esp32": 0x1000, "esp32c5": 0x2000, "esp32p4": 0x2000, "esp32s31": 0x2000}
_SIZES = [mebibytes << 20 for mebibytes in (4, 8, 16)]  # of the flash that QEMU takes; 2 are too few for files
_START_S, _STOP_S, _LOOK_S = 20.0, 5.0, 0.05


def is_espressif(target: str) -> bool:
    """Whether a board's target is one of these emulators.

    Args:
        target: as the bench has it.
    """
    return target.partition(":")[0] in (QEMU, EMU)


def problem(target: str, image: Path | None) -> KittiwakeError | None:
    """Say why such a board cannot start here; None when it can.

    Args:
        target: "esp-qemu:CHIP" or "esp-emu:CHIP".
        image: of MicroPython for that chip, as it is flashed; None where the bench names none.
    """
    kind, _, chip = target.partition(":")
    chips = _EMULATED if kind == EMU else tuple(_SYSTEMS)
    if chip not in chips:
        return ConfigError(f"{kind} has no {chip or 'chip'}", f"use one of {', '.join(chips)}")
    if image is None or not image.is_file():
        return ConfigError(f"{target} has no image {image or ''}".rstrip(), "name MicroPython's .bin as `image`")
    program = _program(kind, chip)
    if shutil.which(program) is None:
        return NoDeviceError(f"{program} is not there", f"install Espressif's {program}, and put it on PATH")
    if kind == QEMU:
        listed = subprocess.run([program, "-machine", "help"], capture_output=True, text=True, timeout=_START_S).stdout
        if chip not in [line.split()[0] for line in listed.splitlines() if line.strip()]:
            return NoDeviceError(f"{program} has no machine {chip}", "put Espressif's QEMU before others on PATH")
    return None


class Emulator:
    """A running emulator, until `close`. Espressif's QEMU is a supply that can be cut, too: its flash is a file.

    Args:
        target: as of `problem`.
        image: likewise.

    Attributes:
        port: of the chip's console.
        keeps_flash: whether files outlive `off`.

    Raises:
        KittiwakeError: as of `problem`, or it does not start.
    """

    def __init__(self, target: str, image: Path | None):
        why = problem(target, image)
        if why is not None or image is None:
            raise why or ConfigError(f"{target} has no image", "name MicroPython's .bin as `image`")
        self._kind, _, self._chip = target.partition(":")
        self._folder = tempfile.TemporaryDirectory(prefix="kittiwake-esp-")
        self._flash = Path(self._folder.name) / "flash.bin"
        self._flash.write_bytes(flash_image(self._chip, image.read_bytes(), padded=self._kind == QEMU))
        self._line = Line() if self._kind == QEMU else None
        self._process: subprocess.Popen[bytes] | None = None
        self.keeps_flash = self._kind == QEMU
        self.port = self._line.port if self._line is not None else f"socket://127.0.0.1:{_free_port()}"
        try:
            self.on()
        except BaseException:
            self.close()
            raise

    def on(self) -> None:
        """Start it with its flash as it is. Idempotent."""
        if self._process is not None:
            return
        place = self.port.removeprefix("socket://")
        command = [_program(self._kind, self._chip)]
        if self._line is None:
            command += ["--chip", self._chip, "--firmware", str(self._flash), "--uart-tcp", place]
            self._process = self._start(command, subprocess.DEVNULL)
            self._wait_for(place)
            return
        # Not -nographic, whose monitor takes Ctrl-A for itself: the raw prompt needs it.
        command += ["-machine", self._chip, "-display", "none", "-monitor", "none"]
        command += ["-drive", f"file={self._flash},if=mtd,format=raw"]
        command += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        with self._line.attach() as theirs:
            self._process = self._start(command, theirs)

    def off(self) -> None:
        """End it at this instant. Idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_S)
            self._process = None

    def check(self) -> None:
        """Raise when it has ended by itself.

        Raises:
            NoDeviceError: with the last line that it said.
        """
        status = self._process.poll() if self._process is not None else None
        if status is not None:
            words = self._log.read_text(errors="replace").strip().splitlines()
            program = _program(self._kind, self._chip)
            raise NoDeviceError(f"{program} ended with status {status}: {words[-1] if words else 'it said nothing'}")

    def close(self) -> None:
        """End it, and remove its flash. Idempotent."""
        self.off()
        if self._line is not None:
            self._line.close()
        self._folder.cleanup()

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "said.txt"

    def _start(self, command: list[str], console: socket.socket | int) -> subprocess.Popen[bytes]:
        with open(self._log, "wb") as log:
            output = log if console == subprocess.DEVNULL else console
            return guarded(command, stdin=console, stdout=output, stderr=log, cwd=self._folder.name)

    def _wait_for(self, place: str) -> None:
        host, _, port = place.rpartition(":")
        deadline = time.monotonic() + _START_S
        while True:
            self.check()
            try:
                socket.create_connection((host, int(port)), _START_S).close()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise NoDeviceError(f"{EMU} does not listen at {place}: {error}") from error
                time.sleep(_LOOK_S)


def flash_image(chip: str, image: bytes, padded: bool) -> bytes:
    """Lay MicroPython's image where it is flashed, in a chip's flash that is empty else.

    Args:
        chip: which.
        image: as it is flashed.
        padded: fill up to a size that Espressif's QEMU takes.

    Returns:
        The flash.

    Raises:
        ConfigError: it does not fit.
    """
    flash = b"\xff" * _OFFSETS.get(chip, 0) + image
    if not padded:
        return flash
    size = next((size for size in _SIZES if len(flash) <= size), None)
    if size is None:
        raise ConfigError(f"the image has {len(image):,} bytes, more than a flash", "name MicroPython's .bin")
    return flash.ljust(size, b"\xff")


def _program(kind: str, chip: str) -> str:
    return "esp-emu" if kind == EMU else _SYSTEMS[chip]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
