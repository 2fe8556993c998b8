"""One serial line of an emulator, which any program can open like a port: a socket to the emulator, a pty to the world.

Knows bytes and descriptors, not what they mean. The pty belongs to this process: its path stays the same however often
the emulator is started anew, and an emulator never waits for a reader. QEMU's own pty device looks only once a second
whether somebody opened it, and some of its UARTs stop the whole machine when nobody reads.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from kittiwake.errors import PortBusyError, PortLostError, TargetError
from kittiwake.target import posix

T = TypeVar("T")

# Kept for a reader that holds the port open and is slow; more is dropped, as a UART without flow control does.
_BACKLOG_BYTES = 1 << 20
_PIECE = 65536
_TO_BOARD_BYTES = 4096
# How often to look whether somebody opened the pty: there is no event for it.
_LOOK_S = 0.01


class Line:
    """A line; nothing is connected until `attach`. One thread moves its bytes, so that the emulator never has to wait.

    Attributes:
        port: path of the pty.
        dropped: bytes that a reader did not take for so long that they were dropped.
    """

    def __init__(self) -> None:
        problem = posix.problem("an emulated board")
        if problem is not None:
            raise problem
        import tty  # here, as below: other systems have none of these modules, and need not fail for it

        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        os.close(slave)  # from now on the master tells whether somebody has it open
        os.set_blocking(self._master, False)
        self.dropped = 0
        self._wake, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._socket: socket.socket | None = None
        self._pump: threading.Thread | None = None
        self._held = self._log = -1
        # Guards all below, and tells of changes.
        self._changed = threading.Condition()
        self._to_us, self._to_board = bytearray(), bytearray()
        self._is_ours = self._has_ended = self._must_end = False

    def attach(self, log: Path | None = None) -> socket.socket:
        """Make a connection for a new emulator, in place of the old one. The line is released.

        Args:
            log: file that what the emulator says is added to, whoever reads it; QEMU's own log of a line has bytes
                twice that it had to send again.

        Returns:
            The emulator's end; the caller closes its copy after handing it over.
        """
        self.detach()
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        # What lies in this buffer reaches the board after a power cut: keep it small.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _TO_BOARD_BYTES)
        self._has_ended = self._must_end = False
        if log is not None:
            self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._pump = threading.Thread(target=self._run, args=(self._socket,), name="kittiwake-line", daemon=True)
        self._pump.start()
        return theirs

    def detach(self) -> None:
        """Part from the emulator; the pty stays. Idempotent."""
        self.release()
        if self._pump is not None:
            with self._changed:
                self._must_end = True
            self._stir()
            self._pump.join()
            self._pump = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def take(self) -> Line:
        """Use the line here: programs that lock ports, as pyserial and mpremote do, find it busy. Idempotent.

        Returns:
            This line; `read` and `write` work until `release`.

        Raises:
            PortBusyError: another program holds it.
        """
        import fcntl

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
            with self._changed:
                self._take_in()  # what another wrote before goes before what is written here
                self._is_ours = True
            self._stir()
        return self

    def release(self) -> None:
        """Let other programs use the line through the pty. Idempotent."""
        if self._held >= 0:
            with self._changed:
                self._is_ours = False
                self._to_us.clear()
            os.close(self._held)
            self._held = -1
            self._stir()

    def drop(self) -> None:
        """Lose what has not left for the board yet, as a supply that fails does; `wait_taken` is for what has."""
        with self._changed:
            self._take_in()
            self._to_board.clear()

    def wait_taken(self, timeout_s: float) -> None:
        """Wait until the board has taken in all that was written to it.

        Args:
            timeout_s: seconds.

        Raises:
            TargetError: it does not.
        """
        deadline = time.monotonic() + timeout_s
        while self._to_board or self._unread():
            if time.monotonic() > deadline or self._has_ended:
                raise TargetError("the board takes no input from its console", "cut its power")
            time.sleep(_LOOK_S / 10)

    def close(self) -> None:
        """Close everything. Idempotent."""
        self.detach()
        for name in ("_master", "_wake", "_waker"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)

    def read(self, timeout_s: float) -> bytes:
        """Wait for bytes from the board.

        Args:
            timeout_s: seconds.

        Returns:
            Them; empty when none came in time.

        Raises:
            PortLostError: the emulator is gone.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._to_us or self._has_ended, max(0.0, timeout_s))
            data = bytes(self._to_us)
            self._to_us.clear()
            if not data and self._has_ended:
                raise self._lost()
        return data

    def read_all(self) -> bytes:
        """All that a stopped emulator has said and `read` has not given, however long the bytes take to get here."""
        with self._changed:
            while not self._has_ended and self._socket is not None and select.select([self._socket], [], [], 0)[0]:
                self._changed.wait(0.01)
            data = bytes(self._to_us)
            self._to_us.clear()
        return data

    def write(self, data: bytes, timeout_s: float) -> None:
        """Write all of it to the board.

        Args:
            data: bytes.
            timeout_s: seconds.

        Raises:
            TargetError: the board does not take it in time.
            PortLostError: the emulator is gone.
        """
        with self._changed:
            self._to_board += data
        self._stir()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._to_board or self._has_ended, max(0.0, timeout_s)):
                self._to_board.clear()
                raise TargetError("the board takes no input from its console", "cut its power")
            if self._has_ended:
                raise self._lost()

    def _unread(self) -> int:
        """What the emulator has not read yet: 0 only when it has read everything."""
        import fcntl
        import termios

        if self._socket is None:
            return 0
        (count,) = struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4)))
        return int(count)

    def _stir(self) -> None:
        """Make the pump look again."""
        if self._waker >= 0:
            os.write(self._waker, b"x")

    def _lost(self) -> PortLostError:
        return PortLostError(f"{self.port} has no board behind it any more", "start the target again")

    def _run(self, sock: socket.socket) -> None:
        """Pass bytes on both ways until told to end, or until the emulator has gone."""
        to_port = bytearray()
        master = self._master
        while True:
            with self._changed:
                if self._must_end:
                    return
                is_ours, to_board = self._is_ours, self._to_board
            is_open = not is_ours and self._is_open()
            if not is_open:
                to_port.clear()  # nobody is plugged in
                with self._changed:
                    if not self._is_ours:
                        self._take_in()  # written just before the port was closed
            reads: list[int | socket.socket] = [self._wake, sock, *([master] if is_open and not to_board else [])]
            writes: list[int | socket.socket] = [*([master] if to_port else []), *([sock] if to_board else [])]
            readable, writable, _ = select.select(reads, writes, [], None if is_open or is_ours else _LOOK_S)
            if self._wake in readable:
                _attempt(lambda: os.read(self._wake, 64))
            if sock in readable:
                with self._changed:  # taken and passed on in one step: see `read_all`
                    piece = _attempt(lambda: sock.recv(_PIECE))
                    if piece and self._log >= 0:
                        os.write(self._log, piece)  # first: who was passed it may look for it there
                    self._pass_on(piece or b"", to_port)
                if piece == b"":
                    break  # the emulator has ended
            with self._changed:
                if master in readable and not self._is_ours:
                    self._take_in()
                if sock in writable:
                    del self._to_board[: _attempt(lambda: sock.send(self._to_board)) or 0]
                    self._changed.notify_all()
            if master in writable:
                del to_port[: _attempt(lambda: os.write(master, to_port)) or 0]
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _take_in(self) -> None:
        """Take what other programs wrote to the pty. With the lock held."""
        while piece := _attempt(lambda: os.read(self._master, _PIECE)):
            self._to_board += piece

    def _pass_on(self, piece: bytes, to_port: bytearray) -> None:
        with self._changed:
            to = self._to_us if self._is_ours else to_port
            to += piece
            if len(to) > _BACKLOG_BYTES:
                self.dropped += len(to)
                to.clear()
            self._changed.notify_all()

    def _is_open(self) -> bool:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        return not any(events & select.POLLHUP for _, events in poll.poll(0))


def _attempt(call: Callable[[], T]) -> T | None:
    """Make a call on a descriptor that must not wait; None when it cannot be done now."""
    try:
        return call()
    except OSError:
        return None  # no room, or closed at the other end just now, which the next turn sees
