"""One serial line of an emulator, which any program can open like a port: a socket to the emulator, a pty to the world.

Knows bytes and descriptors, not what they mean. The pty belongs to this process: its path stays the same however often
the emulator is started anew, and an emulator never waits for a reader. QEMU's own pty device looks only once a second
whether somebody opened it, and some of its UARTs stop the whole machine when nobody reads.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import threading
import time
import tty

from kittiwake.errors import PortBusyError, PortLostError, TargetError

# Kept for a reader that holds the port open and is slow; more is dropped, as a UART without flow control does.
_BACKLOG_BYTES = 1 << 20
_PIECE = 65536
_BUFFER_BYTES = 4096
# How often to look whether somebody opened the pty: there is no event for it.
_LOOK_S = 0.01


class Line:
    """A line; nothing is connected until `attach`.

    Attributes:
        port: path of the pty.
        dropped: bytes that a reader did not take for so long that they were dropped.
    """

    def __init__(self):
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        os.close(slave)  # from now on the master tells whether somebody has it open
        os.set_blocking(self._master, False)
        self.dropped = 0
        self._socket: socket.socket | None = None
        self._held = -1
        self._pump: threading.Thread | None = None
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def attach(self) -> socket.socket:
        """Make a connection for a new emulator, in place of the old one.

        Returns:
            The emulator's end; the caller closes its copy after handing it over.
        """
        self.detach()
        self._socket, theirs = socket.socketpair()
        for end in (self._socket, theirs):
            # What lies in these buffers reaches the board after a power cut: keep them small.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        return theirs

    def detach(self) -> None:
        """Part from the emulator; the pty stays. Idempotent."""
        self._stop_pump()
        self._let_go()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def take(self) -> LineStream:
        """Use the line here: programs that lock ports, as pyserial and mpremote do, find it busy. Idempotent.

        Raises:
            PortBusyError: another program holds it.
        """
        if self._held < 0:
            held = os.open(self.port, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(held)
                raise PortBusyError(
                    f"{self.port} is in use by another program", "end it, or wait for its end"
                ) from error
            self._held = held
            self._stop_pump()
        return LineStream(self._socket, self.port)

    def release(self) -> None:
        """Let other programs use the line through the pty. Idempotent."""
        self._let_go()
        if self._socket is not None:
            self._socket.setblocking(False)
        if self._pump is None and self._socket is not None:
            self._pump = threading.Thread(target=self._run, args=(self._socket,), name="kittiwake-line", daemon=True)
            self._pump.start()

    def close(self) -> None:
        """Close everything. Idempotent."""
        self.detach()
        for name in ("_master", "_wake", "_waker"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)

    def _let_go(self) -> None:
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _stop_pump(self) -> None:
        if self._pump is not None:
            os.write(self._waker, b"x")
            self._pump.join()
            self._pump = None
            os.read(self._wake, 16)

    def _run(self, sock: socket.socket) -> None:
        """Pass bytes on both ways until woken, or until the emulator has gone."""
        to_port, to_board = bytearray(), bytearray()
        master = self._master
        while True:
            is_open = self._is_open()
            if not is_open:
                to_port.clear()  # nobody is plugged in
            reads = [self._wake, sock] + ([master] if is_open and not to_board else [])
            writes = ([master] if to_port else []) + ([sock] if to_board else [])
            readable, writable, _ = select.select(reads, writes, [], None if is_open else _LOOK_S)
            if self._wake in readable:
                return
            if sock in readable:
                piece = _attempt(sock.recv, _PIECE)
                if piece == b"":
                    return  # the emulator has ended
                to_port += piece or b""
                if len(to_port) > _BACKLOG_BYTES:
                    self.dropped += len(to_port)
                    to_port.clear()
            if master in readable:
                to_board += _attempt(os.read, master, _PIECE) or b""
            if sock in writable:
                del to_board[: _attempt(sock.send, to_board) or 0]
            if master in writable:
                del to_port[: _attempt(os.write, master, to_port) or 0]

    def _is_open(self) -> bool:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        return not any(events & select.POLLHUP for _, events in poll.poll(0))


class LineStream:
    """The emulator's end of a line, as the REPL wants it.

    Args:
        sock: to the emulator.
        name: of the line, for messages.
    """

    def __init__(self, sock: socket.socket, name: str):
        self._socket = sock
        self._name = name

    def read(self, timeout_s: float) -> bytes:
        """Wait for bytes; empty when none came in time.

        Raises:
            PortLostError: the emulator is gone.
        """
        self._socket.settimeout(max(0.001, timeout_s))
        try:
            data = self._socket.recv(_PIECE)
        except TimeoutError:
            return b""
        except OSError as error:
            raise self._lost() from error
        if not data:
            raise self._lost()
        return data

    def write(self, data: bytes, timeout_s: float) -> None:
        """Write all of it.

        Raises:
            TargetError: the board does not take it in time.
            PortLostError: the emulator is gone.
        """
        deadline = time.monotonic() + timeout_s
        view = memoryview(data)
        while view:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                view = view[self._socket.send(view) :]
            except TimeoutError as error:
                raise TargetError("the board takes no input from its console", "cut_power() it") from error
            except OSError as error:
                raise self._lost() from error

    def _lost(self) -> PortLostError:
        return PortLostError(f"{self._name} has no board behind it any more", "start() the target again")


def _attempt(call, *arguments):
    """Make a call on a descriptor that must not wait; None when it cannot be done now."""
    try:
        return call(*arguments)
    except OSError:
        return None  # no room, or closed at the other end just now, which the next turn sees
