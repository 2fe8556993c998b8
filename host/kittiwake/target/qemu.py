"""Target `qemu:BOARD`: the firmware on an emulated board, driven as a real one is: console, link, reset.

Knows how the parts work together: the emulator, the raw REPL on its console, and where the board keeps files. What the
firmware does is not known here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import kittiwake
from kittiwake import board_code
from kittiwake.errors import KittiwakeError, PortLostError, TargetError, UsageError
from kittiwake.target import facts, images, mpy, posix
from kittiwake.target.base import Facts, NodeConfig, Target
from kittiwake.target.machine import Machine
from kittiwake.target.refusal import check_not_at_prompt
from kittiwake.target.repl import RESTARTED, Beside, Repl
from kittiwake.target.requests import AnsweringStream

_BOOT_S, _DEPLOY_S = 20.0, 120.0


class QemuTarget(Target):
    """An emulated board. Its flash outlives `cut_power`, not `stop`.

    Args:
        name: "qemu:BOARD".
        count: count instructions exactly (one a nanosecond of the board's time); else the board runs as fast as the
            host can and its clock follows the host's.
        deploy: put this installation's firmware on the board at the first start.
        arguments: more arguments for QEMU, e.g. ["-device", "tmp105,address=0x48"].
        trace: run the image that can tell which lines it runs, where the board has one.
    """

    def __init__(
        self, name: str, count: bool = False, deploy: bool = True, arguments: Sequence[str] = (), trace: bool = False
    ):
        super().__init__(name)
        if name not in images.by_target():
            raise UsageError(f"no emulated board is called {name!r}", f"use one of {', '.join(images.by_target())}")
        self._board = images.by_target()[name]
        self.counts_instructions = count
        self._deploys_itself = deploy
        image = images.traced().get(self._board.name, self._board) if trace else self._board
        self._machine = Machine(image, count, list(arguments))
        self._repl: Repl | None = None
        self._node_is_running = False
        self._journal_region = [0, 0]
        self._beside: Beside | None = None

    @property
    def work_dir(self) -> Path:
        """Folder of this emulator: console.log is all that the board ever printed."""
        return self._machine.work_dir

    @classmethod
    def names(cls) -> list[str]:
        """List the boards of this checkout."""
        return list(images.by_target())

    @classmethod
    def available(cls, name: str) -> KittiwakeError | None:
        """Say why a board cannot start here: not built, or no emulator."""
        board = images.by_target().get(name)
        if board is None:
            return UsageError(f"no emulated board is called {name!r}", f"use one of {', '.join(images.by_target())}")
        if (problem := posix.problem(name)) is not None:
            return problem
        if not shutil.which(board.description["qemu"]["system"]):
            return images.without_emulator(board)
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
        machine = self._machine
        if machine.is_alive and not machine.is_off:
            if not self._node_is_running and self._repl is None:
                self._open_console()
            return
        if machine.is_alive:
            machine.set_strap(run_main=False)
            self._open_console(boots=True)
            return
        self._power_up()
        if self._deploys_itself:
            self._deploys_itself = False
            self.deploy(self.compiled(kittiwake.firmware_files()))

    def compiled(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Compile modules for this board; see `mpy.compile_files`."""
        return mpy.compile_files(files, self._board.description["mpy_arch"], self._board.description["mcu"])

    def deploy(self, files: Mapping[str, bytes], in_place: bool = False) -> None:
        """Write files to the board, those only that differ.

        For read-only files it is switched off and started anew, its flash flashed; its RAM, the journal too, is lost.

        Args:
            files: path on the board -> content. Modules are best given precompiled (`compiled`).
            in_place: add them to /rom, whose plans and bytecode take no heap; always so where all files are read-only.

        Raises:
            ConfigError: a precompiled module does not fit the board.
            TargetError: they do not fit into its memory.
        """
        self.start()
        self._check_idle()
        board = self.facts()
        mpy.check_fit(files, board["mpy"], board["cpuid"])
        if in_place or self._board.description["memory"]["storage"] == "romfs":
            if self._machine.flash_rom(files):
                self._power_up()
            return
        payload, entries, offset = bytearray(), [], 0
        for path, content in files.items():
            entries.append((path, offset, len(content)))
            payload += content
            offset += len(content)
        (self.work_dir / "payload").write_bytes(payload)
        self.exec("import kwdeploy; " + board_code.call("kwdeploy.take", "payload", entries), _DEPLOY_S)

    def exec(self, code: str, timeout_s: float = 10.0, limit_bytes: int | None = None) -> str:
        """Run Python source on the board; see the base class. A board that hangs is interrupted, then given up."""
        repl = self._prompt()
        try:
            return repl.exec(code, timeout_s, limit_bytes)
        except PortLostError:
            self._machine.wait_for_end()
            raise

    def exec_lines(self, code: str, idle_s: float = 10.0) -> Generator[str, None, None]:
        """Run Python source on the board, line by line; see the base class."""
        yield from self._prompt().lines(code, idle_s)

    def run_node(self, config: NodeConfig, watch: bool = False) -> None:
        """Write the configuration to node.json and restart the board so that it runs main.py, as a real one does.

        The console is let go meanwhile; work_dir/console.log has what the node prints, watched or not.
        """
        self.start()
        self._check_idle()
        content = json.dumps({**self.node_overrides(), **config})
        self.exec(board_code.source("target/settings") + board_code.call("write_settings", "/node.json", content))
        self.start_node()

    def start_node(self, watch: bool = False) -> None:
        """Restart the board so that it runs main.py with the configuration it has; the console is let go."""
        repl = self._prompt()
        self._machine.set_strap(run_main=True)
        repl.restart(_BOOT_S)
        self.release_console()
        self._node_is_running = True

    def node_overrides(self) -> NodeConfig:
        """Tell the firmware where this target's link and storage are."""
        return {"link": {"kind": "kwboard"}, "storage": {"kind": "kwflash"}}

    @property
    def node_is_running(self) -> bool:
        """Whether the node was started and neither interrupted nor cut off; it may have ended by itself."""
        return self._node_is_running

    def check_running(self) -> None:
        """Raise when the node has ended by itself, which a prompt on the console shows; see the base class."""
        if self._node_is_running:
            self._machine.emulator().check_alive()
            check_not_at_prompt(self.node_text(), "")

    def node_text(self) -> str:
        """What the console has said since the node's start."""
        return self._machine.console_text().rpartition(RESTARTED.decode())[2]

    @property
    def link_port(self) -> str:
        """Path of the link's pty; the same as long as this object lives, however often the board is cut off."""
        return self._machine.link.port

    @property
    def console_port(self) -> str:
        """Path of the console's pty, for mpremote; call `release_console` first."""
        return self._machine.console.port

    def release_console(self) -> None:
        """Let another program use the console, at its friendly prompt. The next `exec` takes it back. Idempotent."""
        if self._repl is not None and self._repl.is_raw and not self._machine.is_off:
            self._repl.leave()
        self._repl = None
        self._machine.console.release()

    def interrupt(self) -> None:
        """Take the board back from a running node by Ctrl-C. Idempotent.

        Raises:
            TargetError: it does not heed it.
        """
        self._machine.emulator()
        if self._machine.is_off:
            raise TargetError(f"{self.name} is off", "start it first")
        self._machine.set_strap(run_main=False)
        if self._repl is None:
            self._open_console()
        else:
            self._repl.enter(_BOOT_S)
        self._node_is_running = False

    def cut_power(self) -> None:
        """Stop the machine at this instant and leave it reset and paused; its flash stays. `start` boots it."""
        self._machine.cut_power()
        self.release_console()
        self._node_is_running = False

    def power_cycle(self) -> None:
        """Cut the power at this instant and give it back: the board boots by itself and runs main.py, if it has one."""
        self.cut_power()
        self._machine.set_strap(run_main=True)
        self._machine.boot()
        self._node_is_running = True

    def instructions(self) -> int | None:
        """Instructions executed since the board's start; None unless it was opened with count=True."""
        return int(self.exec("import kwboard; print(kwboard.instructions())")) if self.counts_instructions else None

    def storage_image(self) -> bytes:
        """Copy the journal's partition out of the machine's memory, as a flash reader would, at any time."""
        return self._machine.read_memory(*self._journal_region)

    def set_strap(self, run_main: bool) -> None:
        """Set what the board does when it boots by itself; see `Machine.set_strap`."""
        self._machine.set_strap(run_main)

    def qmp(self, command: str, **arguments: object) -> Any:
        """Run a QMP command on the emulator, e.g. `qom-set` to change what a sensor reads.

        Args:
            command: as `Qmp.call` takes it.
            arguments: of the command.
        """
        return self._machine.emulator().qmp.call(command, **arguments)

    def facts(self) -> Facts:
        """Tell what the board is; see the base class. `cpuid` is the Cortex-M's register, 0 on others."""
        return {**facts.read(self), "mhz": None}

    def stop(self) -> None:
        """End the emulator and remove its folder. Idempotent."""
        self._repl, self._node_is_running = None, False
        self._machine.close()

    def _power_up(self) -> None:
        self._repl, self._node_is_running = None, False
        self._machine.end()
        self._machine.power_up()
        repl = self._open_console(boots=True)
        question = "import kwboard, kwflash; print([list(kwflash.journal.region()), int(hasattr(kwboard, 'FEED'))])"
        self._journal_region, reads_beside = json.loads(repl.exec(question, _BOOT_S))
        repl.beside = self._beside = self._machine.beside_console if reads_beside else None

    def _open_console(self, boots: bool = False) -> Repl:
        repl = Repl(AnsweringStream(self._machine.console.take(), self), self.name)
        repl.beside = self._beside
        try:
            if boots:
                self._machine.boot()
                repl.wait_for_boot(_BOOT_S)
                # What had left for the board when its power was cut reaches it now, whatever that makes of its prompt.
                self._machine.console.wait_taken(_BOOT_S)
                repl.settle(_BOOT_S)
            else:
                repl.enter(_BOOT_S)
        except KittiwakeError:
            self.release_console()
            self._machine.emulator().check_alive()
            raise
        self._repl = repl
        return repl

    def _prompt(self) -> Repl:
        self._check_idle()
        if self._machine.is_off:
            raise TargetError(f"{self.name} is off", "start it first")
        self._machine.emulator()
        return self._open_console() if self._repl is None else self._repl

    def _check_idle(self) -> None:
        if self._node_is_running:
            raise TargetError("the board is running the node", "interrupt it first")
