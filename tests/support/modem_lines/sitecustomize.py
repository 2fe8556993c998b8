"""Modem lines and parity for pseudo-terminals, which have none: a folder for PYTHONPATH of an unmodified flashing tool.

The kernel refuses TIOCMSET and its like on a pty, and glibc refuses parity. Here they go to the stand-in at the other
end, by the socket that KITTIWAKE_TEST_LINES names, and return once it has taken them. Nothing else is touched.
"""

import fcntl
import os
import socket
import struct
import termios

_DTR, _RTS = termios.TIOCM_DTR, termios.TIOCM_RTS
_LINES = (termios.TIOCMBIS, termios.TIOCMBIC, termios.TIOCMSET, termios.TIOCMGET)
_ioctl, _tcsetattr = fcntl.ioctl, termios.tcsetattr
_state = 0


def _tell(*message):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(os.environ["KITTIWAKE_TEST_LINES"])
        line.sendall(bytes(message))
        line.recv(1)


def _pty_ioctl(fd, request, argument=0, *more):
    global _state
    if request not in _LINES or not os.ttyname(fd).startswith("/dev/pts/"):
        return _ioctl(fd, request, argument, *more)
    if request == termios.TIOCMGET:
        return struct.pack("I", _state)
    (bits,) = struct.unpack("I", argument)
    if request == termios.TIOCMBIS:
        _state |= bits
    elif request == termios.TIOCMBIC:
        _state &= ~bits
    else:
        _state = bits
    _tell(0, bool(_state & _DTR), bool(_state & _RTS))
    return argument


def _pty_tcsetattr(fd, when, attributes):
    if os.ttyname(fd).startswith("/dev/pts/"):
        attributes = list(attributes)
        has_parity = bool(attributes[2] & termios.PARENB)
        _tell(1, has_parity, has_parity and not attributes[2] & termios.PARODD)
        attributes[2] &= ~termios.PARENB
    return _tcsetattr(fd, when, attributes)


if "KITTIWAKE_TEST_LINES" in os.environ:
    fcntl.ioctl, termios.tcsetattr = _pty_ioctl, _pty_tcsetattr
