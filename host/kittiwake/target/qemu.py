"""Target `qemu:BOARD`: the firmware on an emulated board, driven as a real one is: console, link, reset.

Knows how the parts work together: the emulator, the raw REPL on its console, and where the board keeps files. What the
firmware does is not known here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import kittiwake
from kittiwake.errors import KittiwakeError, NoDeviceError, PortLostError, TargetError, UsageError
from kittiwake.target import images, mpy, romfs
from kittiwake.target.base import Target
from kittiwake.target.emulator import Emulator, private_folder
from kittiwake.target.line import Line
from kittiwake.target.repl import RESTARTED, Repl

_BOOT_S = 20.0
_DEPLOY_S = 120.0
_LOG_LINES = 12
_PROMPT = ">>> "
_FACTS = """
import gc, json, sys, kwboard
gc.collect()
print(json.dumps([
    "micropython " + ".".join([str(part) for part in sys.implementation.version[:3]]),
    sys.implementation._mpy, sys.implementation._machine, gc.mem_free(), kwboard.cpuid(),
]))
"""


def _boards() -> dict[str, images.Board]:
    return {board.target: board for board in images.boards().values()}


class QemuTarget(Target):
    """An emulated board. Its flash outlives `cut_power`, not `stop`.

    Args:
        name: "qemu:BOARD".
        count: count instructions exactly (one a nanosecond of the board's time); else the board runs as fast as the
            host can and its clock follows the host's.
        deploy: put this installation's firmware on the board at the first start.
        arguments: more arguments for QEMU, e.g. ["-device", "tmp105,address=0x48"].

    Attributes:
        work_dir: folder of this emulator: console.log is all that the board ever printed.
    """

    def __init__(self, name: str, count: bool = False, deploy: bool = True, arguments: list[str] | None = None):
        super().__init__(name)
        if name not in _boards():
            raise UsageError(f"no emulated board is called {name!r}", f"use one of {', '.join(_boards())}")
        self._board = _boards()[name]
        self._count = count
        self._arguments = list(arguments or [])
        self._deploys_itself = deploy
        self._emulator: Emulator | None = None
        self._console, self._link = Line(), Line()
        self._repl: Repl | None = None
        self._node_is_running = False
        self._is_off = False
        self._rom_files: dict[str, bytes] = {}
        self._journal_region = (0, 0)
        self._folder_lock = -1
        self.work_dir = Path()

    @classmethod
    def names(cls) -> list[str]:
        """List the boards of this checkout."""
        return list(_boards())

    @classmethod
    def available(cls, name: str) -> KittiwakeError | None:
        """Say why a board cannot start here: not built, or no emulator."""
        board = _boards().get(name)
        if board is None:
            return UsageError(f"no emulated board is called {name!r}", f"use one of {', '.join(_boards())}")
        if not shutil.which(board.description["qemu"]["system"]):
            return NoDeviceError(f"{board.description['qemu']['system']} is not there", "run `make boards`")
        try:
            images.image(board)
        except KittiwakeError as error:
            return error
        return None

    def start(self) -> None:
        """Boot the board to its prompt, main.py held back. Idempotent; a running node is left alone.

        Raises:
            NoDeviceError: the firmware is not built, or QEMU is not there.
            TargetError: it does not boot.
        """
        if self._emulator is not None and self._emulator.is_alive and not self._is_off:
            if not self._node_is_running and self._repl is None:
                self._open_console()
            return
        if self._emulator is not None and self._emulator.is_alive:
            self._set_strap(run_main=False)
            self._is_off = False
            self._open_console(boots=True)
            return
        self._end_emulator()
        self._power_up()
        if self._deploys_itself:
            self._deploys_itself = False
            self.deploy(self.compiled(kittiwake.firmware_files()))

    def compiled(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Compile modules for this board; see `mpy.compile_files`."""
        return mpy.compile_files(files, self._board.description["mpy_arch"])

    def deploy(self, files: Mapping[str, bytes]) -> None:
        """Write files to the board, those only that differ.

        A board whose files are read-only is switched off for it and started anew: its flash is flashed, and its RAM,
        the journal in it too, is lost.

        Args:
            files: path on the board -> content. Modules are best given precompiled (`compiled`).

        Raises:
            ConfigError: a precompiled module does not fit the board.
            TargetError: they do not fit into its memory.
        """
        self.start()
        self._check_idle()
        facts = self.facts()
        mpy.check_fit(files, facts["mpy"], facts["cpuid"])
        memory = self._board.description["memory"]
        if memory["storage"] == "romfs":
            self._flash_rom({**self._rom_files, **files}, memory)
            return
        payload, entries, offset = bytearray(), [], 0
        for path, content in files.items():
            entries.append((path, offset, len(content)))
            payload += content
            offset += len(content)
        (self.work_dir / "payload").write_bytes(payload)
        self.exec(f"import kwdeploy\nkwdeploy.take('payload', {entries!r})", _DEPLOY_S)

    def exec(self, code: str, timeout_s: float = 10.0) -> str:
        """Run Python source on the board; see the base class. A board that hangs is interrupted, then given up."""
        repl = self._prompt()
        try:
            return repl.exec(code, timeout_s)
        except PortLostError:
            self._emulator.wait_for_end()
            self._emulator.check_alive()
            raise

    def exec_lines(self, code: str, idle_s: float = 10.0) -> Iterator[str]:
        """Run Python source on the board, line by line; see the base class."""
        yield from self._prompt().lines(code, idle_s)

    def run_node(self, config: dict) -> None:
        """Write the configuration to node.json and restart the board so that it runs main.py, as a real one does.

        The console is let go meanwhile; work_dir/console.log has what the node prints.
        """
        self.start()
        self._check_idle()
        content = json.dumps({**self.node_overrides(), **config})
        self.exec(f"with open('/node.json', 'w') as file:\n    file.write({content!r})\n")
        self.start_node()

    def start_node(self) -> None:
        """Restart the board so that it runs main.py with the configuration it has; the console is let go."""
        self._check_idle()
        if self._repl is None:
            self._open_console()
        self._set_strap(run_main=True)
        self._repl.restart(_BOOT_S)
        self.release_console()
        self._node_is_running = True

    def node_overrides(self) -> dict:
        """Tell the firmware where this target's link and storage are."""
        return {"link": {"kind": "kwboard"}, "storage": {"kind": "kwflash"}}

    @property
    def node_is_running(self) -> bool:
        """Whether the node was started and neither interrupted nor cut off; it may have ended by itself."""
        return self._node_is_running

    def check_running(self) -> None:
        """Raise when the node has ended by itself, which a prompt on the console shows; see the base class."""
        if not self._node_is_running:
            return
        self._emulator.check_alive()
        lines = self._console_text().rpartition(RESTARTED.decode())[2].splitlines()
        if not lines or lines[-1] != _PROMPT:
            return
        told = [line for line in lines[:-1] if line.strip() and not re.match(r'MicroPython v|Type "help', line)]
        last = told[-1] if told else "it printed nothing"
        raise TargetError(
            f"the node ended: {last}", f"its log is {self.work_dir / 'console.log'}", "\n".join(told[-_LOG_LINES:])
        )

    @property
    def link_port(self) -> str:
        """Path of the link's pty; the same as long as this object lives, however often the board is cut off."""
        return self._link.port

    @property
    def console_port(self) -> str:
        """Path of the console's pty, for mpremote; call `release_console` first."""
        return self._console.port

    def release_console(self) -> None:
        """Let another program use the console. The next `exec` takes it back. Idempotent."""
        self._repl = None
        self._console.release()

    def interrupt(self) -> None:
        """Take the board back from a running node by Ctrl-C. Idempotent.

        Raises:
            TargetError: it does not heed it.
        """
        self._running()
        if self._is_off:
            raise TargetError(f"{self.name} is off", "start() it first")
        self._set_strap(run_main=False)
        if self._repl is None:
            self._open_console()
        else:
            self._repl.enter(_BOOT_S)
        self._node_is_running = False

    def cut_power(self) -> None:
        """Stop the machine at this instant and leave it reset and paused; its flash stays. `start` boots it."""
        if self._emulator is not None and self._emulator.is_alive and not self._is_off:
            self._emulator.qmp.call("stop")
            self._console.drop()
            self._emulator.qmp.call("system_reset")
        self.release_console()
        self._is_off = True
        self._node_is_running = False

    def instructions(self) -> int | None:
        """Instructions executed since the board's start; None unless it was opened with count=True."""
        if not self._count:
            return None
        return int(self.exec("import kwboard\nprint(kwboard.instructions())"))

    def storage_image(self) -> bytes:
        """Copy the journal's partition out of the machine's memory, as a flash reader would.

        At any time between `start` and `stop`: while the node runs, and while the power is cut.
        """
        emulator = self._running()
        address, size = self._journal_region
        path = self.work_dir / "storage.img"
        emulator.qmp.call("pmemsave", val=address, size=size, filename=str(path))
        return path.read_bytes()

    def qmp(self, command: str, **arguments):
        """Run a QMP command on the emulator, e.g. `qom-set` to change what a sensor reads; see `Qmp.call`."""
        return self._running().qmp.call(command, **arguments)

    def facts(self) -> dict:
        """Tell what the board is; see the base class. `cpuid` is the Cortex-M's register, 0 on others."""
        implementation, mpy_word, machine, heap_free, cpuid = json.loads(self.exec(_FACTS))
        return {
            "implementation": implementation,
            "mpy": mpy_word,
            "arch": mpy.architecture(mpy_word, cpuid),
            "cpu": machine,
            "cpuid": cpuid,
            "mhz": None,
            "heap_free": heap_free,
            "has_storage": True,
        }

    def stop(self) -> None:
        """End the emulator and remove its folder. Idempotent."""
        self._end_emulator()
        self._console.close()
        self._link.close()
        if self._folder_lock >= 0:
            os.close(self._folder_lock)
            self._folder_lock = -1
            shutil.rmtree(self.work_dir, ignore_errors=True)

    def _power_up(self) -> None:
        image = images.image(self._board)
        if self._folder_lock < 0:
            self.work_dir, self._folder_lock = private_folder(self)
        self._set_strap(run_main=False)
        arguments = list(self._arguments)
        if self._rom_files:
            (self.work_dir / "romfs.img").write_bytes(romfs.image(self._rom_files))
            address = self._board.description["memory"]["romfs_address"]
            arguments += ["-device", f"loader,file=romfs.img,addr={address:#x},force-raw=on"]
        self._emulator = Emulator(
            self._board, image.firmware, self.work_dir, self._count, self._console, self._link, arguments
        )
        self._is_off = self._node_is_running = False
        self._open_console(boots=True)
        self._journal_region = json.loads(self.exec("import kwflash\nprint(list(kwflash.journal.region()))"))

    def _flash_rom(self, files: dict[str, bytes], memory: dict) -> None:
        if files == self._rom_files:
            return
        size = len(romfs.image(files))
        if size > memory["romfs_bytes"]:
            raise TargetError(f"{size} bytes of files do not fit {self.name}'s {memory['romfs_bytes']} of flash")
        self._rom_files = files
        self._end_emulator()
        self._power_up()

    def _open_console(self, boots: bool = False) -> None:
        repl = Repl(self._console.take(), self.name)
        try:
            if boots:
                self._emulator.qmp.call("cont")
                repl.wait_for_boot(_BOOT_S)
                # What had left for the board when its power was cut reaches it now, whatever that makes of its prompt.
                self._console.wait_taken(_BOOT_S)
                repl.settle(_BOOT_S)
            else:
                repl.enter(_BOOT_S)
        except KittiwakeError:
            self.release_console()
            self._emulator.check_alive()
            raise
        self._repl = repl

    def _end_emulator(self) -> None:
        self._repl = None
        self._console.detach()
        self._link.detach()
        if self._emulator is not None:
            self._emulator.stop()
        self._emulator = None
        self._is_off = self._node_is_running = False

    def _running(self) -> Emulator:
        if self._emulator is None:
            raise TargetError(f"{self.name} is not started", "start() it first")
        self._emulator.check_alive()
        return self._emulator

    def _prompt(self) -> Repl:
        self._check_idle()
        if self._is_off or self._emulator is None:
            raise TargetError(f"{self.name} is off", "start() it first")
        self._emulator.check_alive()
        if self._repl is None:
            self._open_console()
        return self._repl

    def _check_idle(self) -> None:
        if self._node_is_running:
            raise TargetError("the board is running the node", "interrupt() it first")

    def _set_strap(self, run_main: bool) -> None:
        (self.work_dir / "strap").write_text("run" if run_main else "hold")

    def _console_text(self) -> str:
        try:
            return (self.work_dir / "console.log").read_text(errors="replace")
        except OSError:
            return ""
