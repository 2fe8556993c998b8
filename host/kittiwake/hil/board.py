"""A board under test, real, emulated or virtual: one face for all, which is kept stable.

Knows targets and what a test asks of them; not pytest, and not which board stands where.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kittiwake import board_code
from kittiwake.errors import ConfigError, KittiwakeError, TargetError, UsageError
from kittiwake.hil import values
from kittiwake.hil.files import contents
from kittiwake.hil.host_folder import mount
from kittiwake.hil.instruments import Instrument
from kittiwake.hil.needs import Needs
from kittiwake.hil.pins import Name, Pins
from kittiwake.runs import script
from kittiwake.target.base import Facts, Target

CONSOLE_BYTES = 64 * 1024
LIMIT_BYTES = 1 << 20


class Board:
    """A board under test. Nothing is started by the constructor; as a context manager it is started and stopped.

    Args:
        target: where it runs; not started.
        name: that it is called by; the target's own when "".
        has: what it has beyond what MicroPython says of itself: sensors, wires, as the bench names them.
        instruments: what can set or read its surroundings, by name.
        pins: what the bench calls its pins, and what MicroPython does.

    Attributes:
        name: that it is called by.
        target: what is beneath; all that this class has not. Its interface may change in any version.
        instruments: as given.
        pins: its pins, by name on the bench or by MicroPython's: `board.pins["button"].set(1)`.
    """

    def __init__(
        self,
        target: Target,
        name: str = "",
        has: Collection[str] = (),
        instruments: Mapping[str, Instrument] | None = None,
        pins: Mapping[str, Name] | None = None,
    ):
        self.target = target
        self.name = name or target.name
        self.instruments = dict(instruments or {})
        self._has = frozenset({*has, *(pins or {})})
        self.pins = Pins(self.exec, pins or {})
        self._console = ""
        self._facts: Facts | None = None
        self._needs: Needs | None = None

    def start(self) -> None:
        """Give it power and boot it to its prompt. Idempotent.

        Raises:
            KittiwakeError: it does not start; the mend says what to do.
        """
        self.target.start()

    def stop(self) -> None:
        """End what was started; a board on a port is left as it was found. Idempotent."""
        self.target.requests = None
        self.target.stop()

    def reset(self) -> None:
        """Boot it anew, main.py held back; its files stay. One that is dead or hangs is brought back by its power.

        Raises:
            KittiwakeError: it is beyond help.
        """
        self.target.requests = None
        try:
            self.target.reboot()
        except KittiwakeError:
            if self.target.can_cut_power:
                self.target.cut_power()
            else:
                self.target.stop()
            self.target.start()

    def cut_power(self) -> None:
        """Cut its power at this instant; its files stay. `start` gives it back.

        Raises:
            UsageError: it hangs on no switch.
        """
        self.target.requests = None
        self.target.cut_power()

    def exec(self, code: str, timeout_s: float = 10.0, limit_bytes: int = LIMIT_BYTES) -> str:
        """Run Python source at its prompt; its globals stay until the next reset.

        Args:
            code: source, in the board's Python.
            timeout_s: seconds after which it is taken to hang.
            limit_bytes: how much it may print.

        Returns:
            What it printed.

        Raises:
            TargetError: the code raised (`traceback` is the board's own), hangs, prints too much, or the board died.
        """
        __tracebackhide__ = True
        try:
            printed = self.target.exec(code, timeout_s, limit_bytes)
        except TargetError as error:
            self._add(error.printed + (error.traceback + "\n" if error.traceback else ""))
            raise error.with_traceback(None) from None  # how the board was asked is no news to a test
        self._add(printed)
        return printed

    def eval(self, expression: str, timeout_s: float = 10.0) -> Any:
        """Work an expression out on the board.

        Args:
            expression: in the board's Python.
            timeout_s: as of `exec`.

        Returns:
            Its value: numbers, texts, bytes, booleans, None, and tuples, lists, dicts and sets of these.

        Raises:
            TargetError: as of `exec`, or the value is something else.
        """
        __tracebackhide__ = True
        return values.value(expression, self.exec(values.question(expression), timeout_s))

    def run(self, path: str | Path, timeout_s: float = 60.0) -> str:
        """Run a script of this machine on the board, in a namespace of its own.

        Args:
            path: of the script.
            timeout_s: as of `exec`.

        Returns:
            What it printed.

        Raises:
            TargetError: it raised (`traceback` is the board's own), or as of `exec`.
        """
        __tracebackhide__ = True
        file = Path(path)
        outcome = script.run(self.target, file.read_text(encoding="utf-8"), file.name, timeout_s)
        self._add(outcome.printed + outcome.traceback)
        if outcome.traceback:
            last = outcome.traceback.splitlines()[-1]
            raise TargetError(f"{file.name} failed on {self.name}: {last}", traceback=outcome.traceback)
        return outcome.printed

    def deploy(self, files: Mapping[str, bytes | str] | str | Path) -> None:
        """Write files to the board, those only that differ. Where files are read-only, it is started anew for that.

        Args:
            files: path on the board -> content; or a folder of this machine, which the board's root is to hold.

        Raises:
            TargetError: they do not fit.
        """
        self.target.deploy(contents(files))

    def mount(self, folder: str | Path, at: str = "/host") -> None:
        """Let it read a folder of this machine, live, until the next reset: imports find it before all else.

        Its files come over the console when they are read, so only in what this object runs; nothing is written.

        Args:
            folder: of this machine.
            at: where it is on the board.

        Raises:
            UsageError: there is no such folder, or one is mounted already.
        """
        mount(self.target, self.exec, Path(folder), at)

    def link_port(self) -> str:
        """Path or URL of its second line, where it has one; any program can open it like a serial port."""
        return self.target.link_port

    @property
    def console(self) -> str:
        """The last 64 KiB of what its code printed since the test began, tracebacks among it."""
        return self._console

    def forget_console(self) -> None:
        """Begin `console` anew; the plugin does so before each test."""
        self._console = ""

    @property
    def facts(self) -> Facts:
        """What it is: MicroPython's version, architecture, processor, free heap in bytes at the first look."""
        if self._facts is None:
            self._facts = self.target.facts()
        return self._facts

    def lacks(self, *needs: str) -> list[str]:
        """List what it has not of what a test needs. The first time, it is booted anew after it was asked.

        Args:
            needs: "native", "viper", "i2c", "power", "instructions", "heap>64k", a module as "import:asyncio", or what
                its bench says it has.

        Returns:
            Those that it lacks; empty when it has all.

        Raises:
            UsageError: a need cannot be read.
        """
        if self._needs is None:
            self.exec(board_code.source("hil/abilities"))
            said = json.loads(self.exec(board_code.call("print_abilities", board_code.source("hil/viper_store"))))
            words = {*said, *self._has}
            self.reset()  # a compiler that was found to be wrong may have written anywhere
            if self.target.can_cut_power:
                words.add("power")
            if self.target.counts_instructions:
                words.add("instructions")
            self._needs = Needs(words, self.facts["heap_free"], self._imports)
        return self._needs.lacking(needs)

    def heap(self) -> int:
        """Bytes of its heap in use after a collection."""
        return int(self.exec("import gc; gc.collect(); print(gc.mem_alloc())"))

    @contextmanager
    def steady_heap(self, limit_bytes: int = 256) -> Generator[None, None, None]:
        """Hold that what is done meanwhile leaves no memory behind.

        Args:
            limit_bytes: that the heap may have grown by.

        Raises:
            AssertionError: it grew by more.
        """
        before = self.heap()
        yield
        grown = self.heap() - before
        assert grown <= limit_bytes, f"{self.name} leaks: its heap grew by {grown:,} bytes, more than {limit_bytes:,}"

    def instructions(self, call: str) -> int:
        """Count the instructions of one call; the same figure every time. Only emulated boards count.

        Args:
            call: an expression, as "ring.push(1)"; what it takes to begin the call is taken off.

        Raises:
            UsageError: it does not count: see `lacks("instructions")`.
        """
        if self.lacks("instructions"):
            raise UsageError(f"{self.name} counts no instructions", "ask for it: needs=['instructions']")
        self.exec(board_code.source("hil/instructions"))
        try:
            compile(call, "call", "eval")
        except SyntaxError as error:
            raise ConfigError(f"{call!r} is no expression") from error
        return int(self.exec(f"print_instructions(lambda: None, lambda: {call})"))

    def _imports(self, module: str) -> bool:
        try:
            self.exec(f"import {module}")
        except TargetError as error:
            if "ImportError" in error.last_line:
                return False
            raise
        return True

    def _add(self, text: str) -> None:
        self._console = (self._console + text)[-CONSOLE_BYTES:]

    def __enter__(self) -> Board:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
