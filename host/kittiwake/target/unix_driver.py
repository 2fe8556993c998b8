"""Running code in a MicroPython process over its pipes: source goes in framed, output comes back up to a random mark.

Knows no link, no files and no node: it is the unix target's stand-in for a board's raw REPL.
"""

from __future__ import annotations

import os
import secrets
import select
import subprocess
import time
from collections.abc import Iterator

from kittiwake import board_code
from kittiwake.errors import TargetError
from kittiwake.target.flood import flood, last_lines
from kittiwake.target.requests import Asked
from kittiwake.target.spawn import pipe

# What the process runs (`micropython -c SOURCE`). The mark tells where the output of a piece of code ends, and how.
SOURCE = board_code.source("target/driver") + "serve()"
_CLOSE_S = 5.0
_KEPT_BYTES = 4096  # of what it printed: for the mark at its end, and for who asks why it died


class Driver:
    """A process that runs SOURCE, with pipes as stdin and stdout (stderr joined to it).

    Args:
        process: just started.
        board: whose process it is: what it requests is answered.
    """

    def __init__(self, process: subprocess.Popen[bytes], board: Asked):
        self._process, self._board = process, board
        self._stdin, self._stdout = pipe(process.stdin), pipe(process.stdout)

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def exec(self, code: str, timeout_s: float, limit_bytes: int | None = None) -> str:
        """Run source there.

        Args:
            code: source in MicroPython's Python.
            timeout_s: seconds after which it is taken to hang, and killed.
            limit_bytes: how much it may print before it is killed; None for any.

        Returns:
            What it printed.

        Raises:
            TargetError: it raised, hung or died. After hanging or dying the driver is closed.
        """
        mark = self._submit(code)
        printed_bytes, pieces = 0, []
        try:
            for piece in self._pieces(mark, timeout_s, time.monotonic() + timeout_s):
                pieces.append(piece)
                printed_bytes += len(piece)
                if limit_bytes is not None and printed_bytes > limit_bytes:
                    self.kill()
                    raise flood("the board", limit_bytes, b"".join(pieces))
            output = b"".join(pieces).decode(errors="replace")
        except TargetError:
            raise
        except BaseException:
            self.kill()  # what it prints later must not be taken for the answer to the next call
            raise
        printed, _, rest = output.partition(mark)
        _check(mark, rest, printed)
        return printed

    def lines(self, code: str, idle_s: float) -> Iterator[str]:
        """Run source there and give its lines as they come; closed before its end, the process is killed.

        Args:
            code: source in MicroPython's Python.
            idle_s: seconds without output after which it is taken to hang, and killed.

        Yields:
            Lines, without their ends.

        Raises:
            TargetError: as `exec`.
        """
        mark = self._submit(code)
        partial = b""
        has_ended = False
        try:
            for piece in self._pieces(mark, idle_s):
                partial += piece
                *whole, partial = partial.split(b"\n")
                for at, line in enumerate(whole):
                    if mark.encode() in line:
                        partial = b"\n".join([*whole[at:], partial])
                        break
                    yield line.decode(errors="replace")
            has_ended = True
        finally:
            if not has_ended:
                self.kill()
        last, _, rest = partial.decode(errors="replace").partition(mark)
        if last:
            yield last
        _check(mark, rest)

    def _submit(self, code: str) -> str:
        """Hand source over. Returns the mark that ends its output."""
        mark = f"kw-{secrets.token_hex(8)}-"
        source = code.encode()
        self._write(b"%d %s\n%s" % (len(source), mark.encode(), source))
        return mark

    def _write(self, data: bytes) -> None:
        try:
            self._stdin.write(data)
            self._stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: closed, since it hung or died before
            raise self._died(b"") from error

    def close(self) -> None:
        """Let the process end by itself, kill it when it does not, and reap it. Idempotent."""
        try:
            self._stdin.close()
        except OSError:
            pass  # it died with input unread
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stdout.close()

    def kill(self) -> None:
        """Kill the process at this instant and reap it. Idempotent."""
        self._process.kill()
        self.close()

    def _pieces(self, mark: str, timeout_s: float, deadline: float | None = None) -> Iterator[bytes]:
        """What it prints, up to the mark and its end; without a deadline, `timeout_s` is for each piece."""
        ends = (f"{mark}ok\n".encode(), f"{mark}failed\n".encode())
        poll = select.poll()
        poll.register(self._stdout, select.POLLIN)
        output = bytearray()
        while not output.endswith(ends):
            left_s = timeout_s if deadline is None else deadline - time.monotonic()
            if left_s <= 0 or not poll.poll(left_s * 1000):
                self.kill()
                raise TargetError(
                    f"no answer from the board within {timeout_s:g} s; it was switched off",
                    "start it again",
                    last_lines(bytes(output)),
                )
            piece = os.read(self._stdout.fileno(), 65536)
            if not piece:
                raise self._died(bytes(output))
            if self._board.requests is not None:
                piece = self._board.requests.take(piece, self._write)
            output = (output + piece)[-_KEPT_BYTES:]
            yield piece

    def _died(self, output: bytes) -> TargetError:
        self.close()
        status = self._process.returncode
        return TargetError(f"the board died (status {status})", "start it again", output.decode(errors="replace"))


def _check(mark: str, rest: str, printed: str = "") -> None:
    """Raise when what follows the first mark tells of an exception."""
    if rest.rstrip() != "ok":
        trace = rest.partition(mark)[0].strip()
        raise TargetError(f"code failed on the board: {trace.splitlines()[-1]}", traceback=trace, printed=printed)
