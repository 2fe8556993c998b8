"""Targets on ports: a real board through its console, with or without a second port for the link.

Knows the raw REPL and files on a board; not what the firmware does. The board keeps what was deployed; its
power can be cut where it hangs on a switch.
"""

from __future__ import annotations

import binascii
import contextlib
import json
from collections.abc import Collection, Generator, Mapping

import kittiwake
from kittiwake import board_code
from kittiwake.errors import KittiwakeError, TargetError, UsageError
from kittiwake.ports import serial
from kittiwake.target import facts, mpy
from kittiwake.target.base import Facts, NodeConfig, Target
from kittiwake.target.power import PowerSwitch
from kittiwake.target.refusal import check_not_at_prompt
from kittiwake.target.repl import RESTARTED, Repl
from kittiwake.target.requests import AnsweringStream
from kittiwake.target.serial_stream import SerialStream, opened_within

_BOOT_S = 15.0
_LOOK_S = 0.05
_DEPLOY_S = 60.0
_PATHS_A_CALL = 16
_CHUNK_BYTES = 768  # of a file, in one exchange; small boards hold its text twice
_SOFT_RESET = b"\x04"
_RAW_PROMPT = b"CTRL-B to exit\r\n>"


class PortTarget(Target):
    """A board on a port.

    Args:
        name: the port of its console: a path, COMn, id:SERIAL, auto, socket:// or rfc2217:// URL.
        link: the port of the link when it is not the console's. The configuration given to `run_node` then names the
            board's end of it.
        baudrate: of the console.
        power: what its supply hangs on; None when only a hand can cut it.
    """

    def __init__(self, name: str, link: str | None = None, baudrate: int = 115200, power: PowerSwitch | None = None):
        super().__init__(name)
        self._power = power
        self._is_off = False
        self.can_cut_power = power is not None
        self._link = link
        self.has_own_link = link is not None
        self._baudrate = baudrate
        self._stream: SerialStream | None = None
        self._repl: Repl | None = None
        self._node_is_running = False
        self._node_bytes = b""
        self._facts: Facts | None = None
        self._storage: dict[str, str] | None = None

    @classmethod
    def available(cls, name: str) -> KittiwakeError | None:
        """Say why the port cannot be opened; it is opened for that, and closed again."""
        try:
            SerialStream(name).close()
        except KittiwakeError as error:
            return error
        return None

    def start(self) -> None:
        """Take the board to its raw prompt, whatever it ran. Idempotent; a node started here is left alone.

        Raises:
            NoDeviceError, PortBusyError: of the port.
            TargetError: nothing with a MicroPython prompt answers.
        """
        if self._repl is not None or self._node_is_running:
            return
        if self._is_off and self._power is not None:
            self._power.on()
            self._stream = stream = opened_within(_BOOT_S, self.name, self._baudrate)
            self._is_off = False
        else:
            self._stream = stream = SerialStream(self.name, self._baudrate)
        try:
            repl = Repl(AnsweringStream(stream, self), self.name)
            repl.enter(_BOOT_S)
        except KittiwakeError:
            self._release()
            raise
        self._repl = repl

    def deploy_firmware(self) -> None:
        """Compile this installation's firmware for the board and write what differs."""
        self.deploy(self.compiled(kittiwake.firmware_files()))

    def compiled(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Compile modules for this board; see `mpy.compile_files`."""
        facts = self._known_facts()
        return mpy.compile_files(files, facts["arch"] or "", facts["cpu"])

    def deploy(self, files: Mapping[str, bytes]) -> None:
        """Write files to the board, those only that differ in size or CRC-32.

        Args:
            files: path on the board -> content. Modules are best given precompiled (`compiled`).

        Raises:
            ConfigError: a precompiled module does not fit the board.
            TargetError: the board could not write them.
        """
        board = self._known_facts()
        mpy.check_fit(files, board["mpy"], board["cpuid"])
        expected = [(path, len(content), binascii.crc32(content)) for path, content in files.items()]
        self.exec(board_code.source("target/differing"))
        differing: list[str] = []
        for at in range(0, len(expected), _PATHS_A_CALL):
            call = board_code.call("print_differing", expected[at : at + _PATHS_A_CALL])
            differing += self.exec(call, _DEPLOY_S).splitlines()
        if differing:
            self.before_writing(differing)
            self.exec(board_code.source("target/writing"))
        for path in differing:
            try:
                self._write(path, files[path])
            except TargetError:
                # A file that is removed while it is open, and closed later, damages LittleFS.
                with contextlib.suppress(KittiwakeError):
                    self.exec("abandon_file()")
                raise

    def before_writing(self, paths: Collection[str]) -> None:
        """Do what must be done before files are written: nothing here.

        Args:
            paths: on the board.
        """

    def _write(self, path: str, content: bytes) -> None:
        self.exec(board_code.call("begin_file", path), _DEPLOY_S)
        for at in range(0, len(content), _CHUNK_BYTES):
            text = binascii.b2a_base64(content[at : at + _CHUNK_BYTES], newline=False).decode()
            self.exec(board_code.call("write_piece", text), _DEPLOY_S)
        self.exec("end_file()", _DEPLOY_S)

    def exec(self, code: str, timeout_s: float = 10.0, limit_bytes: int | None = None) -> str:
        """Run Python source on the board; see the base class. A board that hangs is left hanging: it has a button."""
        return self._prompt().exec(code, timeout_s, limit_bytes)

    def exec_lines(self, code: str, idle_s: float = 10.0) -> Generator[str, None, None]:
        """Run Python source on the board, line by line; see the base class."""
        yield from self._prompt().lines(code, idle_s)

    def run_node(self, config: NodeConfig, watch: bool = False) -> None:
        """Write the configuration to node.json and soft-reset the board, which runs main.py.

        Args:
            config: what the firmware reads; `node_overrides` fills in what it does not give.
            watch: as of `start_node`.

        Raises:
            TargetError: a node runs already, or the board does not restart.
        """
        self.start()
        self._check_idle()
        content = json.dumps({**self.node_overrides(), **config})
        write = board_code.call("write_settings", "node.json", content)
        self.exec(board_code.source("target/settings") + write, _DEPLOY_S)
        self.start_node(watch)

    def start_node(self, watch: bool = False) -> None:
        """Soft-reset the board, which runs main.py with the configuration it has; let the port go.

        Args:
            watch: keep the port until `release_console`, which a link on the console has to wait for.
        """
        self._prompt().leave(soft_reset=True)
        self._node_bytes = self._wait_for(RESTARTED)
        self._repl = None
        self._node_is_running = True
        if not watch:
            self._release()

    def node_text(self) -> str:
        """All that came over the watched console since the node's start."""
        if self._node_is_running and self._stream is not None:
            self._node_bytes += self._stream.read(_LOOK_S)
        return self._node_bytes.decode(errors="replace")

    def check_running(self) -> None:
        """Raise when the node has ended; only while its start is watched. See the base class."""
        if self._node_is_running and self._stream is not None:
            check_not_at_prompt(self.node_text(), "mend that, then deploy again")

    def release_console(self) -> None:
        """Let the port go, where a node's start was watched on it. Idempotent."""
        if self._node_is_running:
            self._release()

    def node_overrides(self) -> NodeConfig:
        """Tell the firmware to talk over its console, and to keep the journal where this board has room for it."""
        if self._storage is None:
            self.exec(board_code.source("target/places"))
            self._storage = json.loads(self.exec("print_storage()"))
        return {"link": {"kind": "stdio"}, "storage": dict(self._storage)}

    @property
    def node_is_running(self) -> bool:
        """Whether the node was started from here and the board not taken back since."""
        return self._node_is_running

    @property
    def link_port(self) -> str:
        """The link's port; the console's own when there is no other, free while the node runs."""
        return self._link or serial.resolve(self.name)

    def interrupt(self) -> None:
        """Take the board back by Ctrl-C. Idempotent.

        Raises:
            PortBusyError: another program holds the port: on a shared port, end the bridge first.
            TargetError: the board does not heed it.
        """
        self.release_console()
        self._node_is_running = False
        if self._repl is None:
            self.start()
        else:
            self._repl.enter(_BOOT_S)

    def cut_power(self) -> None:
        """Turn its supply off, where it has a switch; see the base class. A board on USB loses its port meanwhile.

        Raises:
            UsageError: it has none.
            KittiwakeError: the switch does not obey.
        """
        if self._power is None:
            raise UsageError(f"the supply of {self.name} cannot be cut from here", "reboot() it, or pull its plug")
        self._power.off()
        self._is_off = True
        self._node_is_running = False
        self._release()

    def reboot(self) -> None:
        """Interrupt what runs and soft-reset the interpreter, main.py held back."""
        self.interrupt()
        self._open_stream().write(_SOFT_RESET, _BOOT_S)
        # Up to the prompt that the board prints by itself: asked for another, it would print that one late.
        self._wait_for(RESTARTED, _RAW_PROMPT)

    def facts(self) -> Facts:
        """Tell what the board is; see the base class. `cpuid` is the Cortex-M's register, 0 on others."""
        return facts.read(self)

    def stop(self) -> None:
        """Leave the board at its friendly prompt, or running its node, and close the port. Idempotent."""
        if self._repl is not None:
            try:
                self._repl.leave()
            except KittiwakeError:
                pass  # it went away: nothing to leave
        self._release()

    def _release(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = self._repl = None

    def _known_facts(self) -> Facts:
        if self._facts is None:
            self._facts = self.facts()
        return self._facts

    def _prompt(self) -> Repl:
        self._check_idle()
        if self._repl is None:
            raise TargetError(f"{self.name} is not open", "start it first")
        return self._repl

    def _open_stream(self) -> SerialStream:
        if self._stream is None:
            raise TargetError(f"{self.name} is not open", "start it first")
        return self._stream

    def _check_idle(self) -> None:
        if self._node_is_running:
            raise TargetError("the board is running the node", "interrupt it first")

    def _wait_for(self, *texts: bytes) -> bytes:
        """Read up to these, one after the other; gives what came behind the last."""
        stream, printed = self._open_stream(), b""
        for text in texts:
            while text not in printed:
                piece = stream.read(_BOOT_S)
                if not piece:
                    raise TargetError(f"{self.name} does not restart", "reset the board by hand")
                printed += piece
            printed = printed.partition(text)[2]
        return printed
