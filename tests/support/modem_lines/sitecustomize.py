"""Modem lines for pseudo-terminals, which have none: put this folder on PYTHONPATH of an unmodified flashing tool.

The kernel refuses TIOCMSET and its like on a pty. Here they go to the stand-in at the other end instead, by the socket
that KITTIWAKE_TEST_LINES names, and return once it has taken them. Nothing else of the process is touched.
"""

import fcntl
import os
import socket
import struct
import termios

_DTR, _RTS = termios.TIOCM_DTR, termios.TIOCM_RTS
_real = fcntl.ioctl
_state = 0


def _ioctl(fd, request, argument=0, *more):
    global _state
    lines = {termios.TIOCMBIS, termios.TIOCMBIC, termios.TIOCMSET, termios.TIOCMGET}
    if request not in lines or not os.ttyname(fd).startswith("/dev/pts/"):
        return _real(fd, request, argument, *more)
    if request == termios.TIOCMGET:
        return struct.pack("I", _state)
    (bits,) = struct.unpack("I", argument)
    if request == termios.TIOCMBIS:
        _state |= bits
    elif request == termios.TIOCMBIC:
        _state &= ~bits
    else:
        _state = bits
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(os.environ["KITTIWAKE_TEST_LINES"])
        line.sendall(bytes([bool(_state & _DTR), bool(_state & _RTS)]))
        line.recv(1)
    return argument


if "KITTIWAKE_TEST_LINES" in os.environ:
    fcntl.ioctl = _ioctl
