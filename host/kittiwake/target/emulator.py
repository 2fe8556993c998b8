"""One QEMU process: started, found ready, reset, asked about itself, ended. A folder of its own holds what it leaves.

Knows QEMU's command line and QMP; not what runs on the machine.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from kittiwake.errors import NoDeviceError, TargetError
from kittiwake.target import images, spawn
from kittiwake.target.line import Line
from kittiwake.target.qmp import Qmp

_STOP_S = 5.0


class Emulator:
    """A machine, paused before its first instruction; the QMP command `cont` lets it run.

    Args:
        board: which.
        firmware: ELF file.
        folder: its working folder, private; the machine reads host files relative to it.
        count: let one instruction take one nanosecond, so that counts are exact; slower, and unlike the host's clock.
        console: line that the first UART is connected to.
        link: line that the second UART is connected to.
        arguments: more arguments for QEMU, e.g. ["-device", "tmp105,address=0x48"].

    Raises:
        NoDeviceError: QEMU is not installed.
        TargetError: it ends at once or does not answer.
    """

    def __init__(
        self,
        board: images.Board,
        firmware: Path,
        folder: Path,
        count: bool,
        console: Line,
        link: Line,
        arguments: list[str],
    ):
        qemu = board.description["qemu"]
        program = shutil.which(qemu["system"])
        if program is None:
            raise images.without_emulator(board)
        self._name = board.target
        self._log = folder / "qemu.log"
        ours, monitor = socket.socketpair()
        theirs = [monitor, console.attach(folder / "console.log"), link.attach(folder / "link.log")]
        descriptors = [end.fileno() for end in theirs]
        try:
            with open(self._log, "wb") as log:
                self._process = spawn.guarded(
                    [program, *_arguments(qemu, firmware, descriptors, count), *arguments],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=descriptors,
                )
        except OSError as error:
            ours.close()
            raise NoDeviceError(f"{program} does not run: {error.strerror}", "reinstall it") from error
        finally:
            for end in theirs:
                end.close()
        try:
            self.qmp = Qmp(ours, self._name)
        except TargetError as error:
            ours.close()
            problem = self._last_words() or error.message
            self._end_process()
            raise TargetError(f"{self._name} does not start: {problem}", "see the message above") from error

    @property
    def pid(self) -> int:
        """Process id; with a guard, the guard execs, so it is QEMU's own."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def wait_for_end(self) -> None:
        """Give an emulator whose lines were cut the moment it takes to end altogether."""
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            pass  # it lives, with its lines closed; whoever asked goes on with that

    def check_alive(self) -> None:
        """Raise when it has ended.

        Raises:
            TargetError: with what it said last.
        """
        if not self.is_alive:
            words = self._last_words()
            raise TargetError(f"{self._name} has ended{': ' if words else ''}{words}", "start it again")

    def stop(self) -> None:
        """End it at once and reap it. Idempotent."""
        self.qmp.close()
        self._end_process()

    def _end_process(self) -> None:
        self._process.kill()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            pass  # the kernel has it; nothing more can be done from here

    def _last_words(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""


def _arguments(qemu: dict[str, Any], firmware: Path, descriptors: list[int], count: bool) -> list[str]:
    monitor, console, link = descriptors
    arguments = ["-machine", qemu["machine"], "-display", "none", "-monitor", "none", "-no-user-config"]
    arguments += ["-chardev", f"socket,id=qmp,fd={monitor}", "-mon", "chardev=qmp,mode=control"]
    arguments += ["-semihosting-config", "enable=on,target=native,arg=kittiwake,arg=strap"]
    arguments += qemu.get("arguments", [])
    cards = 0
    for line, descriptor in (("console", console), ("link", link)):
        arguments += ["-chardev", f"socket,id={line},fd={descriptor}"]
        if qemu.get(line, "serial") == "serial":
            arguments += ["-serial", f"chardev:{line}"]
        else:
            cards += 1
            arguments += ["-device", f"{qemu[line]},chardev={line},addr={cards}"]
    if count:
        arguments += ["-icount", "shift=0"]
    # Paused, so that nothing is printed before its lines are connected.
    return [*arguments, "-S", "-kernel", str(firmware)]
