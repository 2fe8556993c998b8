"""What is on the serial ports: the likely board, and whether MicroPython or a node answers, asked without a reset.

Knows ports, the manners of a prompt and one message of the link; nothing is run, no session opened or ended. The lines
DTR and RTS, which reset many boards, are left as opening a port leaves them (both set, at once), also at the close.
"""

from __future__ import annotations

import os
import re
import secrets
import select
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from kittiwake.boards import catalog as boards
from kittiwake.errors import KittiwakeError, PortBusyError
from kittiwake.ports import serial
from kittiwake_node.link import frame, messages
from kittiwake_node.link import gateway_messages as gm

_LISTEN_S = 0.3
_ANSWER_S = 1.2  # a node says who it is at most every 500 ms
_SLICE_S = 0.1
_PROMPT = b">>> "
_RETURN, _BANNER = b"\r\n", b"\x02"  # at the prompt, Ctrl-B prints the banner again
_CONTROLS = re.compile(rb"[\x02-\x06]")  # what a prompt would take for an order; Ctrl-D restarts the board
# MicroPython, shared/runtime/pyexec.c: name, version and date; then the board "with" its chip.
_BANNER_LINE = re.compile(rb"MicroPython (\S+)[^;\r\n]*; ([^\r\n]+)")


@dataclass(frozen=True)
class Finding:
    """What is on one port.

    Args:
        path: of the port.
        state: "node", "micropython", "silent" (open, nothing known answered), "busy", "closed" (could not be opened)
            or "unasked".
        detail: who it is, or why not; one line, may be empty.
        boards: names of the boards that it may be, the likeliest first.
    """

    path: str
    state: str
    detail: str
    boards: tuple[str, ...]


def survey(ports: list[serial.PortInfo], ask: bool = True) -> list[Finding]:
    """Look at ports, all at the same time.

    Args:
        ports: as `ports.list_ports` gives them.
        ask: open those on USB and listen; else the USB ids alone are looked at.

    Returns:
        A finding for each, in the same order.
    """

    def look(port: serial.PortInfo) -> Finding:
        if not ask or port.vid is None:
            return Finding(port.path, "unasked", "", likely(port))
        return ask_port(port.path, likely(port))

    with ThreadPoolExecutor(max(1, len(ports))) as pool:
        return list(pool.map(look, ports))


def likely(port: serial.PortInfo) -> tuple[str, ...]:
    """Name the boards that show the port's USB ids."""
    return tuple(boards.by_usb(port.vid, port.pid)) if port.vid is not None else ()


def ask_port(path: str, usual: tuple[str, ...] = ()) -> Finding:
    """Ask what is on one port: listen, press return, then greet in the link's language.

    Args:
        path: of a serial port of this machine.
        usual: boards that show its USB ids.
    """
    try:
        line = _open(path)
    except PortBusyError as error:
        return Finding(path, "busy", error.message.removeprefix(f"{path} is "), usual)
    except KittiwakeError as error:
        return Finding(path, "closed", str(error), usual)
    try:
        return _talk(line, path, usual)
    except OSError as error:
        return Finding(path, "closed", f"it went away: {error.strerror}", usual)
    finally:
        line.close()


def wait_for_node(path: str, limit_s: float, look: Callable[[], None]) -> str | None:
    """Greet a node that is being started until it says who it is.

    Args:
        path: of its link's port, which may go away and come back meanwhile.
        limit_s: seconds after which it is given up.
        look: called now and then; what it raises ends the wait.

    Returns:
        The device's name; None when it did not answer.
    """
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        look()
        try:
            line = _open(path)
        except KittiwakeError:
            time.sleep(_SLICE_S)
            continue
        try:
            name = _greet(line, deadline, look)
            if name is not None:
                return name
        except OSError:
            pass  # it was reset, its USB with it
        finally:
            line.close()
    return None


def _greet(line: _AnyLine, deadline: float, look: Callable[[], None]) -> str | None:
    decoder, greet_at = frame.FrameDecoder(), 0.0
    while (now := time.monotonic()) < deadline:
        if now >= greet_at:
            line.write(_greeting())
            greet_at = now + _ANSWER_S / 2
        name = _node(decoder, line.read(_SLICE_S / 2))
        if name is not None:
            return name
        look()
    return None


def _talk(line: _AnyLine, path: str, usual: tuple[str, ...]) -> Finding:
    decoder = frame.FrameDecoder()
    name = _node(decoder, line.read(_LISTEN_S))
    if name is None:
        line.write(_RETURN)
        text = line.read(_ANSWER_S / 2, until=_PROMPT)
        if _PROMPT in text:
            return _prompt(line, path, usual) or Finding(path, "micropython", "at its prompt", usual)
        name = _node(decoder, text)
    if name is None:
        line.write(_greeting())
    deadline = time.monotonic() + _ANSWER_S
    while name is None and time.monotonic() < deadline:
        name = _node(decoder, line.read(_SLICE_S))
    if name is not None:
        return Finding(path, "node", name, usual)
    # A prompt that another program left in raw mode says nothing until Ctrl-B. Where there is none, that takes back the
    # Ctrl-A with which the greeting began, for a prompt that comes later.
    silent = Finding(path, "silent", "nothing known answers: another program, or one that does not listen", usual)
    return _prompt(line, path, usual) or silent


def _prompt(line: _AnyLine, path: str, usual: tuple[str, ...]) -> Finding | None:
    """Have the banner printed; None when there is none."""
    line.write(_BANNER)
    banner = _BANNER_LINE.search(line.read(_ANSWER_S, until=_PROMPT))
    if banner is None:
        return None
    version, machine = (part.decode("utf-8", "replace").strip() for part in banner.groups())
    return Finding(path, "micropython", f"{version}, {machine}", _by_machine(machine, usual))


def _greeting() -> bytes:
    """A message of a session that nobody has: a node answers it with who it is, and changes nothing.

    Made until no byte of it but the first would be an order at a prompt.

    Source: docs/spec/link.md, rule 14.
    """
    while True:
        message = frame.encode(messages.ACK, gm.pack_ack(secrets.randbits(32) | 1, 0, 0, 0))
        if not _CONTROLS.search(message):
            return message


def _node(decoder: frame.FrameDecoder, data: bytes) -> str | None:
    """The device's name, once a frame that gives it was heard."""
    decoder.feed(data)
    while event := decoder.next_event():
        if event == frame.FrameDecoder.FRAME and decoder.kind == messages.HELLO:
            return gm.unpack_hello(decoder.payload)[-1]
    return None


def _by_machine(machine: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Boards whose MicroPython names this chip; those that show the port's USB ids first."""
    chip = machine.rpartition(" with ")[2]
    same = tuple(name for name in boards.names() if boards.find(name).mcu == chip)
    return tuple(name for name in usual if name in same) or same or usual


class _AnyLine(Protocol):
    """A port that is read for a time, and written to."""

    def read(self, seconds: float, until: bytes | None = None) -> bytes: ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


def _open(path: str) -> _AnyLine:
    try:
        import termios  # noqa: F401 - whether it is there is the question
    except ImportError:
        return _Stream(path)
    return _Stream(path) if "://" in path else _Line(path)


class _Stream:
    """A port over the network, or of a system without termios: opening may reset the board."""

    def __init__(self, path: str):
        self._port = serial.open_blocking(path, read_timeout_s=_SLICE_S)

    def read(self, seconds: float, until: bytes | None = None) -> bytes:
        """As of _Line."""
        deadline, heard = time.monotonic() + seconds, b""
        while time.monotonic() < deadline and not (until and until in heard):
            try:
                heard += bytes(self._port.read(4096))
            except TimeoutError:
                pass
        return heard

    def write(self, data: bytes) -> None:
        """As of _Line."""
        self._port.write(data)

    def close(self) -> None:
        self._port.close()


class _Line:
    """A port at 115,200 baud whose modem lines are never touched."""

    def __init__(self, path: str):
        import fcntl
        import termios

        by = serial.holder(path)
        if by:
            raise PortBusyError(f"{path} is in use{by}")
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise serial.explain(path, error) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mode = termios.tcgetattr(self._fd)
            # Raw, eight bits, no flow control; without HUPCL the lines stay as they are when it is closed.
            mode[0] = mode[1] = mode[3] = 0
            mode[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
            mode[4] = mode[5] = termios.B115200
            termios.tcsetattr(self._fd, termios.TCSANOW, mode)
        except (OSError, termios.error) as error:
            os.close(self._fd)
            raise serial.explain(path, OSError(*error.args)) from error

    def read(self, seconds: float, until: bytes | None = None) -> bytes:
        """Read for so long, or until a text was read."""
        deadline, data = time.monotonic() + seconds, b""
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                piece = os.read(self._fd, 4096)
                if not piece:
                    raise OSError(5, "the other end closed it")
                data += piece
                if until and until in data:
                    break
        return data

    def write(self, data: bytes) -> None:
        """Write; what the port does not take at once is not worth waiting for."""
        try:
            os.write(self._fd, data)
        except BlockingIOError:
            pass  # nobody reads there: silence will tell

    def close(self) -> None:
        os.close(self._fd)
