"""Running code in a MicroPython process over its pipes: source goes in framed, output comes back up to a random mark.

Knows no link, no files and no node: it is the unix target's stand-in for a board's raw REPL.
"""

from __future__ import annotations

import os
import secrets
import select
import subprocess
import time

from kittiwake.errors import TargetError

# What the process runs (`micropython -c SOURCE`). The mark tells where the output of a piece of code ends, and how.
SOURCE = """
import sys
_globals = {"__name__": "__main__"}
while True:
    _line = sys.stdin.readline()
    if not _line:
        break
    _size, _mark = _line.split()
    _code = sys.stdin.buffer.read(int(_size))
    try:
        exec(compile(str(_code, "utf-8"), "<exec>", "exec"), _globals)
        _end = "ok"
    except BaseException as _error:
        print(_mark)
        sys.print_exception(_error)
        _end = "failed"
    print(_mark + _end)
"""
_CLOSE_S = 5.0


class Driver:
    """A process that runs SOURCE, with pipes as stdin and stdout (stderr joined to it).

    Args:
        process: just started.
    """

    def __init__(self, process: subprocess.Popen):
        self._process = process

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def exec(self, code: str, timeout_s: float) -> str:
        """Run source there.

        Args:
            code: source in MicroPython's Python.
            timeout_s: seconds after which it is taken to hang, and killed.

        Returns:
            What it printed.

        Raises:
            TargetError: it raised, hung or died. After hanging or dying the driver is closed.
        """
        mark = f"kw-{secrets.token_hex(8)}-"
        source = code.encode()
        try:
            self._process.stdin.write(b"%d %s\n%s" % (len(source), mark.encode(), source))
            self._process.stdin.flush()
            output = self._read_until(mark, timeout_s)
        except TargetError:
            raise
        except OSError as error:
            raise self._died(b"") from error
        except BaseException:
            self.kill()  # what it prints later must not be taken for the answer to the next call
            raise
        printed, _, rest = output.partition(mark)
        if rest.rstrip() == "ok":
            return printed
        trace = rest.partition(mark)[0].strip()
        raise TargetError(f"code failed on the board: {trace.splitlines()[-1]}", traceback=trace)

    def close(self) -> None:
        """Let the process end by itself, kill it when it does not, and reap it. Idempotent."""
        try:
            self._process.stdin.close()
        except OSError:
            pass  # it died with input unread
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def kill(self) -> None:
        """Kill the process at this instant and reap it. Idempotent."""
        self._process.kill()
        self.close()

    def _read_until(self, mark: str, timeout_s: float) -> str:
        deadline = time.monotonic() + timeout_s
        ends = (f"{mark}ok\n".encode(), f"{mark}failed\n".encode())
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        output = bytearray()
        while not output.endswith(ends):
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not poll.poll(left_s * 1000):
                self.kill()
                raise TargetError(f"no answer from the board within {timeout_s:g} s; it was switched off", "start() it")
            piece = os.read(self._process.stdout.fileno(), 65536)
            if not piece:
                raise self._died(bytes(output))
            output += piece
        return output.decode(errors="replace")

    def _died(self, output: bytes) -> TargetError:
        self.close()
        status = self._process.returncode
        return TargetError(f"the board died (status {status})", "start() it again", output.decode(errors="replace"))
