"""Ports: the byte streams that carry the link. None of them ever blocks the node."""

import errno
import select


class FdPort:
    """A file descriptor that the parent process opened non-blocking: the unix target's end of a pseudo terminal.

    Args:
        fd: the descriptor's number.
    """

    def __init__(self, fd):
        self._file = open(fd, "r+b")
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._rest = b""

    @property
    def is_idle(self):
        """Whether everything given to `send` has been written."""
        return not self._rest

    def readinto(self, buf):
        """Fill `buf` with what has arrived; returns the number of bytes, 0 for none."""
        try:
            return self._file.readinto(buf) or 0
        except OSError as error:
            if error.errno == errno.EIO:
                return 0  # nobody holds the other end of the terminal
            raise

    def send(self, data):
        """Write, or keep what the port does not take now. Only while `is_idle`."""
        self._rest = data
        self.flush()

    def flush(self):
        """Try to write what is left of the last `send`."""
        if not self._rest:
            return
        try:
            count = self._file.write(self._rest) or 0
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EAGAIN):
                raise
            count = 0
        self._rest = bytes(memoryview(self._rest)[count:])

    def wait(self, timeout_ms):
        """Sleep until bytes arrive or the time is over; how the node idles."""
        self._poll.poll(timeout_ms)
