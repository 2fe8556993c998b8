"""The broker's socket seen through two buffers, so that many small MQTT packets cost one system call each way.

It knows bytes only. paho reads a packet in three calls and writes each by itself; here those calls move memory, and
the system is asked once per turn of the event loop. Everything but the constructor runs on the loop's thread.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol

_READ_BYTES = 64 * 1024
_WRITE_BYTES = 64 * 1024
_UNREAD_LIMIT = 64
_BUSY = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Socket(Protocol):
    """What a plain socket, a TLS socket and paho's websocket have in common."""

    def recv(self, buffer_size: int, /) -> bytes:
        """Give up to so many bytes."""

    def send(self, data: bytes | bytearray, /) -> int:
        """Take some of the bytes. Returns how many."""

    def fileno(self) -> int:
        """Give the system's number of the socket."""

    def setblocking(self, flag: bool, /) -> None:
        """Block, or raise BlockingIOError instead."""

    def close(self) -> None:
        """Close it."""


class SocketBuffer:
    """Stands in for a socket, with the methods that paho calls.

    What waits to be written is bounded by whoever bounds the messages in flight.

    Args:
        sock: connected socket, TLS socket or websocket; owned by the buffer from now on.

    Attributes:
        error: the OSError that ended it, or None.
        is_closed: `close` was called.
    """

    def __init__(self, sock: Socket):
        self._sock = sock
        self._in = b""
        self._at = 0
        self._out = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_readable: Callable[[], object] = lambda: None
        self._writes_wait = False
        self._may_ask = True  # the system, for more
        self._comes_again = False  # `_readable`, whatever the system says
        self.error: OSError | None = None
        self.is_closed = False

    def attach(self, loop: asyncio.AbstractEventLoop, on_readable: Callable[[], object]) -> None:
        """Begin to move bytes.

        Args:
            loop: the running event loop.
            on_readable: called while there is something to `recv`.
        """
        if self.is_closed:
            return
        self._loop, self._on_readable = loop, on_readable
        loop.add_reader(self._sock.fileno(), self._readable)
        self._readable()  # TLS and websockets may have read ahead while they shook hands

    def recv(self, size: int) -> bytes:
        """Give up to `size` bytes.

        Args:
            size: at least 1.

        Returns:
            Bytes; b"" at the end of the stream.

        Raises:
            BlockingIOError: nothing is there, or nothing that the system has not been asked for in this turn.
            OSError: the connection failed.
        """
        if self._at == len(self._in):
            if self.error is not None:
                raise self.error
            if not self._may_ask:
                raise BlockingIOError
            self._may_ask = self._loop is None
            try:
                self._in, self._at = self._sock.recv(_READ_BYTES), 0
            except _BUSY as busy:
                raise BlockingIOError from busy
            except OSError as error:
                self.error = error
                raise
        chunk = self._in[self._at : self._at + size]
        self._at += len(chunk)
        return chunk

    def send(self, data: bytes | bytearray) -> int:
        """Take all of `data`; `flush` writes it.

        Args:
            data: bytes to write.

        Returns:
            How many were taken: all.
        """
        self._out += data
        return len(data)

    def flush(self) -> None:
        """Write what was taken, as far as the system lets us; the rest follows by itself."""
        try:
            while self._out and not self.is_closed and self.error is None:
                sent = self._sock.send(self._out[:_WRITE_BYTES] if len(self._out) > _WRITE_BYTES else self._out)
                if not sent:  # a websocket frame is under way
                    break
                del self._out[:sent]
        except _BUSY:
            pass
        except OSError as error:
            self.error = self._told_reason() or error
            self._out.clear()
            self._on_readable()  # who reads is told why
        self._want_writes(bool(self._out))

    @property
    def has_failed(self) -> bool:
        """Whether the system or the TLS layer reported an error."""
        return self.error is not None and not isinstance(self.error, (ConnectionAbortedError, ConnectionResetError))

    def abort(self) -> None:
        """Let the next `recv` fail, so that paho ends the connection."""
        self.error = ConnectionAbortedError("given up")
        self._in, self._at = b"", 0

    def fileno(self) -> int:
        """Give the system's number of the socket; -1 once it is closed."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        """Do as the socket does.

        Args:
            flag: block, or raise BlockingIOError instead.
        """
        self._sock.setblocking(flag)

    def pending(self) -> int:
        """Count the bytes that `recv` gives without asking the system."""
        return len(self._in) - self._at

    def close(self) -> None:
        """Close the socket, after a last try to write what was taken (a DISCONNECT, say). Idempotent."""
        if self.is_closed:
            return
        if self.error is None:
            self.flush()
        self._want_writes(False)
        self.is_closed = True
        if self._loop is not None and self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())
        self._sock.close()

    def _readable(self) -> None:
        # Once for what the system has, then for as long as bytes lie in our buffer. A block hardly ever ends with a
        # packet: who read on for the rest of one would never be done while a broker has more, and nobody else would
        # have a turn, not even those who confirm and ping.
        if self.is_closed:
            return
        self._may_ask = True
        self._on_readable()
        while not self.is_closed and self.error is None and self.pending():
            self._on_readable()
        if self._loop is None or self.is_closed or self.error is not None:
            return
        if not self._comes_again and (self._decrypted() or len(self._in) == _READ_BYTES):
            # The system does not tell of what lies in the TLS layer's buffer, nor of the rest of a websocket's frame.
            self._comes_again = True
            self._loop.call_soon(self._again)

    def _again(self) -> None:
        self._comes_again = False
        self._readable()

    def _decrypted(self) -> int:
        pending: Callable[[], int] | None = getattr(self._sock, "pending", None)
        return 0 if pending is None else pending()

    def _told_reason(self) -> ssl.SSLError | None:
        # Writing failed, as the other end has gone. A TLS one may have said why before that: it lies unread.
        try:
            for _ in range(_UNREAD_LIMIT):
                if not self._sock.recv(_READ_BYTES):
                    break
        except (ssl.SSLEOFError, *_BUSY):
            pass
        except ssl.SSLError as reason:
            return reason
        except OSError:
            pass
        return None  # what else it said, confirmations, comes again over the next connection

    def _want_writes(self, wanted: bool) -> None:
        if self._loop is None or wanted == self._writes_wait or self._sock.fileno() < 0:
            return
        self._writes_wait = wanted
        if wanted:
            self._loop.add_writer(self._sock.fileno(), self.flush)
        else:
            self._loop.remove_writer(self._sock.fileno())
