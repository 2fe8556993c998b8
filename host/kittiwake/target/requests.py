"""Requests that code on a board makes of this machine: lines of what it prints, taken out and answered.

Knows bytes and a mark; not what is asked for, nor which line carries it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from kittiwake.target.repl import Stream

_WRITE_S = 10.0


class Requests:
    """What answers one board.

    Args:
        mark: that a request's line begins with, anywhere in the output; drawn at random, so that nothing else does.
        answer: of a request, without mark and line end; the board reads what it gives, with a line end, from stdin.
    """

    def __init__(self, mark: str, answer: Callable[[bytes], bytes]):
        self._mark = mark.encode()
        self._answer = answer
        self._held = b""

    def take(self, piece: bytes, write: Callable[[bytes], None]) -> bytes:
        """Take the requests out of what came, and answer each.

        Args:
            piece: of the board's output, cut anywhere.
            write: to the board's stdin.

        Returns:
            What is no request. What may be the beginning of one is held back until more comes.
        """
        data, output = self._held + piece, b""
        while (at := data.find(self._mark)) >= 0 and (end := data.find(b"\n", at)) >= 0:
            output += data[:at]
            write(self._answer(data[at + len(self._mark) : end].strip()) + b"\n")
            data = data[end + 1 :]
        keep = len(data) - at if at >= 0 else self._begun(data)
        self._held = data[len(data) - keep :]
        return output + data[: len(data) - keep]

    def _begun(self, data: bytes) -> int:
        """How many bytes at the end may be a mark's beginning."""
        sizes = range(min(len(data), len(self._mark) - 1), 0, -1)
        return next((size for size in sizes if self._mark.startswith(data[len(data) - size :])), 0)


class Asked(Protocol):
    """A board whose requests are answered, while `requests` is not None."""

    requests: Requests | None


class AnsweringStream:
    """A stream to a board's console, on which its requests are answered.

    Args:
        stream: beneath.
        board: whose console it is.
    """

    def __init__(self, stream: Stream, board: Asked):
        self._stream, self._board = stream, board
        self.write = stream.write

    def read(self, timeout_s: float) -> bytes:
        """As of the stream; empty, too, when all that came was a request."""
        piece = self._stream.read(timeout_s)
        requests = self._board.requests
        return requests.take(piece, lambda data: self.write(data, _WRITE_S)) if requests is not None else piece
