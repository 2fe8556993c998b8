"""Serial ports that exist only here: a pseudo terminal or a socket that a device sits behind. They know bytes only."""

import asyncio
import contextlib
import errno
import os
import pty
import socket
import tty
from collections.abc import Callable

_QUEUE_BYTES = 16 * 1024  # written to a port that takes nothing


class PtyPort:
    """A pseudo terminal that looks like a serial port; `path` is a link and outlives re-plugging."""

    def __init__(self, path: str):
        self.path = self.url = path
        self.fd = self._slave = -1
        self._on_data: Callable[[bytes], None] = lambda data: None
        self._queue = bytearray()

    def open(self, on_data: Callable[[bytes], None]) -> None:
        """Plug it in."""
        self._on_data = on_data
        self.fd, self._slave = pty.openpty()  # our own end of the slave stays open: a port without a program is silent
        tty.setraw(self._slave)
        os.set_blocking(self.fd, False)
        temporary = self.path + ".new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        os.symlink(os.ttyname(self._slave), temporary)
        os.replace(temporary, self.path)
        asyncio.get_running_loop().add_reader(self.fd, self._read)

    def write(self, data: bytes) -> None:
        """Queue bytes; what does not fit is lost, as on a line without flow control."""
        if self.fd < 0 or len(self._queue) > 4 * _QUEUE_BYTES:
            return
        self._queue += data
        self._flush()

    @property
    def is_free(self) -> bool:
        """Whether more may be written."""
        return len(self._queue) < _QUEUE_BYTES

    def close(self) -> None:
        """Pull the plug."""
        if self.fd < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self.fd)
        loop.remove_writer(self.fd)
        os.close(self.fd)
        os.close(self._slave)
        self.fd = self._slave = -1
        self._queue.clear()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _read(self) -> None:
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EIO):
                raise
            return
        self._on_data(data)

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                del self._queue[: os.write(self.fd, self._queue)]
        except BlockingIOError:
            loop.add_writer(self.fd, self._flush)
        else:
            loop.remove_writer(self.fd)


class SocketPort:
    """A serial port behind TCP, as `socket://` opens it; one program at a time."""

    def __init__(self, host: str = "127.0.0.1"):
        self._listener = socket.create_server((host, 0))
        self._listener.setblocking(False)
        self.url = f"socket://{host}:{self._listener.getsockname()[1]}"
        self._sock: socket.socket | None = None
        self._on_data: Callable[[bytes], None] = lambda data: None
        self._queue = bytearray()

    def open(self, on_data: Callable[[bytes], None]) -> None:
        """Plug it in."""
        self._on_data = on_data
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def write(self, data: bytes) -> None:
        """Queue bytes; without a program at the other end they are lost."""
        if self._sock is not None and len(self._queue) <= 4 * _QUEUE_BYTES:
            self._queue += data
            self._flush()

    @property
    def is_free(self) -> bool:
        """Whether more may be written."""
        return len(self._queue) < _QUEUE_BYTES

    def close(self) -> None:
        """Pull the plug; `open` may follow."""
        asyncio.get_running_loop().remove_reader(self._listener)
        self._hang_up()

    def discard(self) -> None:
        """Close for good."""
        self.close()
        self._listener.close()

    def _accept(self) -> None:
        self._hang_up()
        self._sock, _ = self._listener.accept()
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        asyncio.get_running_loop().add_reader(self._sock, self._read)

    def _read(self) -> None:
        if self._sock is None:
            return
        try:
            data = self._sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._on_data(data)
        else:
            self._hang_up()

    def _flush(self) -> None:
        loop, sock = asyncio.get_running_loop(), self._sock
        if sock is None:
            return
        try:
            while self._queue:
                del self._queue[: sock.send(self._queue)]
        except BlockingIOError:
            loop.add_writer(sock, self._flush)
        except OSError:
            self._hang_up()
        else:
            loop.remove_writer(sock)

    def _hang_up(self) -> None:
        self._queue.clear()
        if self._sock is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._sock)
            loop.remove_writer(self._sock)
            self._sock.close()
            self._sock = None
