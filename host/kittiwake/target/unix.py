"""Target `unix`: the firmware under MicroPython's unix port, its link a pty, its power cut a kill -9.

Knows processes, descriptors and files; not what the firmware does. The board's file system is a folder of this
machine, and its flash a file beside that folder.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO

import kittiwake
from kittiwake.errors import KittiwakeError, TargetError, UsageError
from kittiwake.target import facts, micropython_unix, posix, unix_driver
from kittiwake.target.base import Facts, NodeConfig, Target
from kittiwake.target.private_folder import private_folder
from kittiwake.target.spawn import guarded

FLASH_BYTES = 1024 * 1024
_LOG_LINES = 12
_STOP_S = 5.0


class UnixTarget(Target):
    """A board that is a process. The link outlives its death, and so does the flash.

    Args:
        name: "unix".
        work_dir: folder for the board's files, flash image and log; a temporary one, removed by `stop`, when None.
        heap_bytes: the board's heap.
        flash_bytes: size of the flash image that the firmware makes, a multiple of 4096.
        deploy: put this installation's firmware on the board at the first start.

    Attributes:
        board_dir: the board's file system, as `deploy` writes it and code there sees it.
        flash_path: the flash image.
        log_path: what the node printed, in all its runs.
    """

    def __init__(
        self,
        name: str = "unix",
        work_dir: str | os.PathLike[str] | None = None,
        heap_bytes: int = 2 * 1024 * 1024,
        flash_bytes: int = FLASH_BYTES,
        deploy: bool = True,
    ):
        super().__init__(name)
        self._heap_bytes = heap_bytes
        self._flash_bytes = flash_bytes
        self._is_temporary = work_dir is None
        self._folder_lock = -1
        if work_dir is None:
            work_dir, self._folder_lock = private_folder(self, "kittiwake-unix-")
        self.work_dir = Path(work_dir).resolve()
        self.board_dir = self.work_dir / "board"
        self.flash_path = self.work_dir / "flash.img"
        self.log_path = self.work_dir / "node.log"
        self._has_firmware = deploy
        self._is_deployed = False
        self._driver: unix_driver.Driver | None = None
        self._node: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._master = self._slave = -1
        self._link_port = ""

    @classmethod
    def names(cls) -> list[str]:
        """List the one name there is."""
        return ["unix"]

    @classmethod
    def available(cls, name: str) -> KittiwakeError | None:
        """Say why the unix port cannot run here; see `micropython_unix.problem`."""
        return micropython_unix.problem()

    def start(self) -> None:
        """Boot the board to where `exec` works. Idempotent; a running node is left alone.

        The first start deploys this installation's firmware; later ones leave what was deployed since.

        Raises:
            NoDeviceError: there is no usable unix port here.
        """
        if self.node_is_running or (self._driver is not None and self._driver.is_alive):
            return
        if not self._is_deployed:
            problem = self.available(self.name)
            if problem is not None:
                raise problem
            self.board_dir.mkdir(parents=True, exist_ok=True)
            if self._has_firmware:
                self.deploy(kittiwake.firmware_files())
            self._is_deployed = True
        self._node = None
        self._driver = unix_driver.Driver(
            self._spawn(["-c", unix_driver.SOURCE], stdin=subprocess.PIPE, stdout=subprocess.PIPE), self
        )

    def deploy(self, files: Mapping[str, bytes]) -> None:
        """Write files into the board's folder, those only that differ.

        Args:
            files: path on the board -> content.

        Raises:
            UsageError: a path leads out of the board's folder.
        """
        for name, content in files.items():
            path = (self.board_dir / name).resolve()
            if not path.is_relative_to(self.board_dir):
                raise UsageError(f"{name!r} leads out of the board", "give paths relative to its root")
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def exec(self, code: str, timeout_s: float = 10.0, limit_bytes: int | None = None) -> str:
        """Run Python source on the board; see the base class. A board that prints too much is switched off."""
        return self._idle().exec(code, timeout_s, limit_bytes)

    def exec_lines(self, code: str, idle_s: float = 10.0) -> Generator[str, None, None]:
        """Run Python source on the board, line by line; see the base class. An interrupted board is killed."""
        yield from self._idle().lines(code, idle_s)

    def _idle(self) -> unix_driver.Driver:
        if self.node_is_running:
            raise TargetError("the board is running the node", "interrupt it first")
        self.check_running()
        if self._driver is None:
            raise TargetError("the board is off", "start it first")
        return self._driver

    def run_node(self, config: NodeConfig, watch: bool = False) -> None:
        """Start `main.py` with this configuration in the background, booting the board when it is off.

        Args:
            config: what the firmware reads; `node_overrides` fills in what it does not give.
            watch: not needed here: what the node prints goes into a file.

        Raises:
            TargetError: a node runs already.
        """
        if self.node_is_running:
            raise TargetError("the board is running the node already", "interrupt it first")
        path = self.work_dir / "node.json"
        path.write_text(json.dumps({**self.node_overrides(), **config}, indent=1))
        self._start_node([str(path)])

    def start_node(self, watch: bool = False) -> None:
        """Start `main.py` with what lies on the board; see the base class."""
        self._start_node([])

    def node_text(self) -> str:
        """Read what the node has printed since its start; "" before the first."""
        if not self.log_path.exists():
            return ""
        with open(self.log_path, "rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _start_node(self, arguments: list[str]) -> None:
        self.start()
        if self._driver is not None:
            self._driver.close()
            self._driver = None
        with open(self.log_path, "ab") as log:
            self._log_start = log.tell()
            self._node = self._spawn(["main.py", *arguments], stdin=subprocess.DEVNULL, stdout=log)

    def node_overrides(self) -> NodeConfig:
        """Tell the firmware where this target's link and storage are."""
        self._open_link()
        return {
            "link": {"kind": "fd", "fd": self._master},
            "storage": {"kind": "file", "path": str(self.flash_path), "bytes": self._flash_bytes},
        }

    @property
    def node_is_running(self) -> bool:
        """Whether the node was started and has not ended."""
        return self._node is not None and self._node.poll() is None

    def check_running(self) -> None:
        """Raise when the node has ended by itself; see the base class."""
        if self._node is None or self._node.poll() is None:
            return
        trace = "\n".join(self.node_text().splitlines()[-_LOG_LINES:])
        last = trace.splitlines()[-1] if trace else "it printed nothing"
        status = self._node.returncode
        # A temporary folder is gone when somebody reads this.
        mend = "" if self._is_temporary else f"its log is {self.log_path}"
        raise TargetError(f"the node ended with status {status}: {last}", mend, trace)

    @property
    def pid(self) -> int | None:
        """Process id of the running node, None when none runs; for tests that kill it themselves."""
        return self._node.pid if self._node is not None and self.node_is_running else None

    @property
    def link_port(self) -> str:
        """Path of the pty; the same until `stop`, however often the board dies."""
        self._open_link()
        return self._link_port

    def interrupt(self) -> None:
        """End the node with SIGINT, as Ctrl-C does on a board, and boot to where `exec` works.

        Raises:
            TargetError: it does not end.
        """
        if self._node is not None and self.node_is_running:
            self._node.send_signal(signal.SIGINT)
            try:
                self._node.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                raise TargetError("the node does not heed Ctrl-C", "cut its power") from None
        self._node = None
        self.start()

    def cut_power(self) -> None:
        """Kill the board at this instant; files, flash and link stay. `start` or `run_node` boots it again."""
        if self._node is not None:
            self._node.kill()
            self._node.wait()
        if self._driver is not None:
            self._driver.kill()
        self._node = self._driver = None

    def facts(self) -> Facts:
        """Tell what the board is; see the base class."""
        return {**facts.read(self), "mhz": None}

    def stop(self) -> None:
        """Kill what runs, close the link, remove a temporary work folder. Idempotent."""
        self.cut_power()
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1
        self._link_port = ""
        if self._folder_lock >= 0:
            os.close(self._folder_lock)
            self._folder_lock = -1
        if self._is_temporary:
            shutil.rmtree(self.work_dir, ignore_errors=True)
            self._is_deployed = False

    def _open_link(self) -> None:
        if self._master >= 0:
            return
        problem = posix.problem("a virtual board's link")
        if problem is not None:
            raise problem
        import tty

        # Both ends stay open here: the master so that the pty outlives the board, the slave so that the board sees no
        # hang-up when nobody listens.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._link_port = os.ttyname(self._slave)

    def _spawn(self, arguments: list[str], stdin: int, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
        has_link = posix.problem("") is None  # without, code runs all the same
        if has_link:
            self._open_link()
        return guarded(
            [micropython_unix.program(), "-X", f"heapsize={self._heap_bytes}", *arguments],
            cwd=self.board_dir,
            env=dict(os.environ, MICROPYPATH=".frozen"),  # nothing from the user's own MicroPython libraries
            pass_fds=(self._master,) if has_link else (),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
        )
