"""A Python module of ours in a process of its own, which says when it is ready and ends when we do.

Knows processes and pipes only: the child's stdin is a pipe that nobody writes to, and its end is the child's end, so
that no child outlives its parent, on any system, however the parent dies.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from types import TracebackType

from kittiwake.errors import KittiwakeError
from kittiwake.target.spawn import pipe

_STOP_S = 5.0


class Child:
    """A child process; as a context manager it is stopped on leaving.

    Args:
        module: run as `python -m MODULE`; prints one line on stdout when it is ready, and calls `end_with_parent`.
        arguments: its command line.
        name: what it is, for messages ("the embedded broker").
        timeout_s: seconds that it may take to become ready.

    Attributes:
        ready_line: what it printed when it was ready, without the line's end.

    Raises:
        KittiwakeError: it ended or took too long; its last words are in the message.
    """

    def __init__(self, module: str, arguments: list[str], name: str, timeout_s: float = 20.0):
        self.name = name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for the command, which then stops its children in order
        )
        self._lifeline, self._output = pipe(self._process.stdin), pipe(self._process.stdout)
        watchdog = threading.Timer(timeout_s, self._process.kill)
        watchdog.start()
        try:
            line = self._output.readline()
        finally:
            watchdog.cancel()
        if not line.endswith(b"\n"):
            problem = self._problem()
            self.stop()
            raise KittiwakeError(f"{name} did not start: {problem}")
        self.ready_line = line.decode().rstrip("\n")

    @property
    def pid(self) -> int:
        """Process id, for tests that kill it."""
        return self._process.pid

    def check_running(self) -> None:
        """Raise when it has ended by itself.

        Raises:
            KittiwakeError: with its last words.
        """
        if self._process.poll() is not None:
            raise KittiwakeError(f"{self.name} ended: {self._problem()}")

    def stop(self) -> None:
        """Close its lifeline, wait for it, kill it when it does not end. Idempotent."""
        if self._lifeline.closed:
            return
        self._lifeline.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._errors.close()

    def _problem(self) -> str:
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"status {status}, no words"

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def end_with_parent(on_end: Callable[[], None] = lambda: os._exit(0)) -> None:
    """In the child: do something when the parent has closed our stdin or is gone.

    Args:
        on_end: called then, on a thread of its own.
    """

    def watch() -> None:
        # Not through sys.stdin: a thread that waits in its lock makes the interpreter abort when it ends by itself.
        while os.read(0, 4096):
            pass
        on_end()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
