"""MicroPython's raw REPL over a byte stream: run source, get what it printed, take the board back by Ctrl-C.

Knows the protocol and deadlines; not whether the stream is a pty or a serial port. Never sleeps for luck: it waits for
the prompt. Source: MicroPython reference, "The MicroPython Interactive Interpreter Mode", raw and raw-paste mode.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from kittiwake.errors import TargetError
from kittiwake.target.flood import flood

# What the board prints at a soft reset, after which main.py runs.
RESTARTED = b"soft reboot"
_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
_PROMPT = b">>> "
_CTRL_A, _CTRL_B, _CTRL_C, _CTRL_D = b"\x01", b"\x02", b"\x03", b"\x04"
# A board that is closing its files after Ctrl-C must not be interrupted again at once.
_RETRY_S = 3.0
_PASTE = b"\x05A\x01"
# From here on a file beside the line is quicker, where the board can read one.
_WORTH_A_FILE = 256
_LAST_LINES = 12

# Leaves input where the board itself can read it, while the context lasts, which gives the byte that makes it do so.
Beside = Callable[[bytes], AbstractContextManager[bytes]]


class Stream(Protocol):
    """What the REPL talks through."""

    def read(self, timeout_s: float) -> bytes:
        """Wait for bytes; empty when none came in time."""

    def write(self, data: bytes, timeout_s: float) -> None:
        """Write all of it."""


class Repl:
    """The raw REPL of one board.

    Args:
        stream: to its console.
        name: the board's name, for messages.

    Attributes:
        is_raw: the board is at the raw prompt.
        beside: for boards that can read their input beside the line; None for others.
    """

    def __init__(self, stream: Stream, name: str):
        self._stream = stream
        self._name = name
        self.beside: Beside | None = None
        self._input = bytearray()
        self._can_paste = True
        self.is_raw = False

    def wait_for_boot(self, timeout_s: float = 10.0) -> None:
        """Wait for the friendly prompt that ends a start without main.py; before it, input may be lost.

        Raises:
            TargetError: it does not come.
        """
        self.is_raw = False
        self._input.clear()
        self._read_until(_PROMPT, time.monotonic() + timeout_s, timeout_s)

    def enter(self, timeout_s: float = 10.0) -> None:
        """Interrupt what runs and get the raw prompt, however long that takes, up to `timeout_s`.

        Raises:
            TargetError: no prompt came; the last thing the board printed is in `traceback`.
        """
        self.is_raw = False
        self._input.clear()
        deadline = time.monotonic() + timeout_s
        received = bytearray()
        while True:
            # Enter ends a line somebody left at the prompt; Ctrl-A waits in the board's buffer until a prompt reads it.
            self._stream.write(_CTRL_C + b"\r" + _CTRL_A, max(0.1, deadline - time.monotonic()))
            retry = min(deadline, time.monotonic() + _RETRY_S)
            while time.monotonic() < retry:
                received += self._stream.read(retry - time.monotonic())
                if received.endswith(_BANNER):
                    self.is_raw = True
                    return
            if time.monotonic() >= deadline:
                raise self._silent("gives no prompt", timeout_s, bytes(received))

    def settle(self, timeout_s: float = 10.0) -> None:
        """As `enter`, on a console on which input and output of somebody else may still be under way.

        Raises:
            TargetError: no prompt came, or it does not do as it is told.
        """
        deadline = time.monotonic() + timeout_s
        for number in itertools.count():
            self.enter(max(0.1, deadline - time.monotonic()))
            self._can_paste = True
            try:
                # A banner may be the answer to what came before; a number that was never asked for before is not.
                if self.exec(f"print({number})", _RETRY_S) == f"{number}\n":
                    return
            except TargetError:
                pass  # what came before was in its way
            if time.monotonic() >= deadline:
                raise self._silent("gives no prompt that obeys", timeout_s, bytes(self._input))

    def exec(self, code: str, timeout_s: float, limit_bytes: int | None = None) -> str:
        """Run source at the raw prompt.

        Args:
            code: source; its globals stay.
            timeout_s: seconds for all of it.
            limit_bytes: how much it may print before it is interrupted; None for any.

        Returns:
            What it printed, with plain line ends.

        Raises:
            TargetError: it raised (`traceback` is the board's), did not end in time, or printed too much.
        """
        deadline = time.monotonic() + timeout_s
        self.submit(code, timeout_s)
        output = self._read_until(_CTRL_D, deadline, timeout_s, limit_bytes)
        printed = output.decode(errors="replace").replace("\r\n", "\n")
        self._finish(deadline, timeout_s, printed)
        return printed

    def lines(self, code: str, idle_s: float) -> Iterator[str]:
        """Run source at the raw prompt and give its lines as they come; closed before its end, it is interrupted.

        Args:
            code: source; its globals stay.
            idle_s: seconds without a line after which the board is taken to hang.

        Yields:
            Lines, without their ends.

        Raises:
            TargetError: as `exec`.
        """
        self.submit(code, idle_s)
        has_ended = False
        try:
            while True:
                deadline = time.monotonic() + idle_s
                while (at := self._input.find(b"\n")) < 0 and _CTRL_D not in self._input:
                    self._fill(deadline, idle_s)
                end = self._input.find(_CTRL_D)
                if at < 0 or 0 <= end < at:
                    break
                line = bytes(self._input[:at])
                del self._input[: at + 1]
                yield line.decode(errors="replace").rstrip("\r")
            has_ended = True
            deadline = time.monotonic() + idle_s
            rest = self._read_until(_CTRL_D, deadline, idle_s).decode(errors="replace")
            self._finish(deadline, idle_s)
            if rest:
                yield rest
        finally:
            if not has_ended:
                self.enter()

    def submit(self, code: str, timeout_s: float = 10.0) -> None:
        """Hand source over and start it; do not wait for its end.

        Raises:
            TargetError: the board did not take it.
        """
        if not self.is_raw:
            self.enter(timeout_s)
        self._input.clear()
        deadline = time.monotonic() + timeout_s
        source = code.encode()
        if self.beside is not None and len(source) >= _WORTH_A_FILE:
            with self.beside(_PASTE + source + _CTRL_D) as trigger:
                self._write(trigger, deadline)
                self._read_until(b"R\x01", deadline, timeout_s)
                self._read(2, deadline, timeout_s)  # the window, of which a file has no need
                self._read_until(_CTRL_D, deadline, timeout_s)
            return
        if self._can_paste:
            self._write(_PASTE, deadline)
            answer = self._read(2, deadline, timeout_s)
            if answer == b"R\x01":
                self._paste(source, deadline, timeout_s)
                return
            # Too old for it: 'R\0', or 'ra' of the banner that Ctrl-A printed again.
            self._can_paste = False
            if answer != b"R\x00":
                self._read_until(_BANNER[2:], deadline, timeout_s)
        self._write(source + _CTRL_D, deadline)
        answer = self._read(2, deadline, timeout_s)
        if answer != b"OK":
            raise self._silent(f"did not take the code ({answer!r})", timeout_s, bytes(self._input))

    def leave(self, soft_reset: bool = False) -> None:
        """Go back to the friendly prompt; with `soft_reset`, restart the interpreter there, which runs main.py."""
        self._stream.write(b"\r" + _CTRL_B + (_CTRL_D if soft_reset else b""), 10.0)
        self.is_raw = False

    def restart(self, timeout_s: float = 10.0) -> None:
        """Restart the interpreter from the friendly prompt, so that the board runs main.py; return when it begins to.

        Raises:
            TargetError: it did not restart.
        """
        self._input.clear()
        self.leave(soft_reset=True)
        self._read_until(RESTARTED, time.monotonic() + timeout_s, timeout_s)

    def _paste(self, source: bytes, deadline: float, timeout_s: float) -> None:
        """Write in windows that the board opens. Ends when it has acknowledged the end of the source."""
        window = int.from_bytes(self._read(2, deadline, timeout_s), "little")
        room, sent = window, 0
        while sent < len(source):
            while room == 0 or self._input:
                answer = self._read(1, deadline, timeout_s)
                if answer == b"\x01":
                    room += window
                elif answer == _CTRL_D:
                    # The board gives up, as on a syntax error or for want of memory; it says why later.
                    self._write(_CTRL_D, deadline)
                    return
                else:
                    raise self._silent(f"broke off the paste ({answer!r})", timeout_s, bytes(self._input))
            piece = source[sent : sent + room]
            self._write(piece, deadline)
            sent += len(piece)
            room -= len(piece)
        self._write(_CTRL_D, deadline)
        self._read_until(_CTRL_D, deadline, timeout_s)

    def _finish(self, deadline: float, timeout_s: float, printed: str = "") -> None:
        """Read what follows the output: a traceback, when it raised, and the prompt."""
        trace = self._read_until(_CTRL_D, deadline, timeout_s).decode(errors="replace").replace("\r\n", "\n").strip()
        self._read_until(b">", deadline, timeout_s)
        if trace:
            message = f"code failed on {self._name}: {trace.splitlines()[-1]}"
            raise TargetError(message, traceback=trace, printed=printed)

    def _write(self, data: bytes, deadline: float) -> None:
        self._stream.write(data, max(0.1, deadline - time.monotonic()))

    def _read(self, count: int, deadline: float, timeout_s: float) -> bytes:
        while len(self._input) < count:
            self._fill(deadline, timeout_s)
        data = bytes(self._input[:count])
        del self._input[:count]
        return data

    def _read_until(self, end: bytes, deadline: float, timeout_s: float, limit_bytes: int | None = None) -> bytes:
        """Take input up to `end`; returns it without `end`."""
        start = 0
        while (at := self._input.find(end, start)) < 0:
            if limit_bytes is not None and len(self._input) > limit_bytes:
                printed = bytes(self._input)
                self.enter()
                raise flood(self._name, limit_bytes, printed)
            start = max(0, len(self._input) - len(end) + 1)
            self._fill(deadline, timeout_s)
        data = bytes(self._input[:at])
        del self._input[: at + len(end)]
        return data

    def _fill(self, deadline: float, timeout_s: float) -> None:
        left_s = deadline - time.monotonic()
        piece = self._stream.read(left_s) if left_s > 0 else b""
        if not piece and time.monotonic() >= deadline:
            raise self._silent("does not answer", timeout_s, bytes(self._input))
        self._input += piece

    def _silent(self, wait: str, timeout_s: float, received: bytes) -> TargetError:
        self.is_raw = False
        last = "\n".join(received.decode(errors="replace").splitlines()[-_LAST_LINES:])
        return TargetError(f"{self._name} {wait} within {timeout_s:g} s", "interrupt it, or reset the board", last)
