"""Ports: the byte streams that carry the link. None of them ever blocks the node."""

import errno
import select
import sys


class StreamPort:
    """A stream that never blocks: a non-blocking descriptor, a UART with timeout 0, an emulated board's second UART.

    Args:
        stream: has `readinto` and `write` that return None when nothing can move now, and can be polled.
    """

    connections = 0  # made to a server; a line makes none

    def __init__(self, stream):
        self._stream = stream
        self._poller = select.poll()
        self._poller.register(stream, select.POLLIN)
        self._rest = b""

    @property
    def is_idle(self):
        """Whether everything given to `send` has been written."""
        return not self._rest

    def poll(self, now_ms):
        """Whether the stream stands: it always does."""
        return True

    def take_time(self):
        """The time that was told since the last call: a gateway tells it in its own way, so None."""

    def drop(self, why, now_ms):
        """End the connection: a line has none, whatever comes over it."""

    def close(self):
        """Nothing is held that a stop must give back."""

    def readinto(self, buf):
        """Fill `buf` with what has arrived; returns the number of bytes, 0 for none."""
        try:
            return self._stream.readinto(buf) or 0
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
            count = self._stream.write(self._rest) or 0
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EAGAIN):
                raise
            count = 0
        self._rest = bytes(memoryview(self._rest)[count:])

    def wait(self, timeout_ms):
        """Sleep until bytes arrive or the time is over; how the node idles."""
        self._poller.poll(timeout_ms)


class StdioPort(StreamPort):
    """The console, shared with the prompt: the link of a board with one port only.

    Ctrl-C still interrupts, since 0x03 never stands in a frame. A write waits while the host reads slowly.
    """

    def __init__(self):
        self._byte = bytearray(1)
        self._in = sys.stdin.buffer
        StreamPort.__init__(self, sys.stdin)
        self._stream = sys.stdout.buffer

    def readinto(self, buf):
        """Fill `buf` with what has arrived; returns the number of bytes, 0 for none."""
        count = 0
        # One by one: a longer read would wait for all of it.
        while count < len(buf) and self._poller.poll(0):
            self._in.readinto(self._byte)
            buf[count] = self._byte[0]
            count += 1
        return count
