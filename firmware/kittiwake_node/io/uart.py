"""A UART as the link's port. Knows baud rates and buffers, not what is sent."""

from .port import StreamPort

_BITS_A_BYTE = 10  # start, eight of data, stop
_PIECE_BYTES = 16  # what may be written at once where the port has no transmit buffer, and waits: 1.4 ms at 115200


class UartPort(StreamPort):
    """A UART that never makes the node wait: no more is written than the line has had time to carry.

    Some ports of MicroPython wait in `write` until the last byte is on the wire, and none says how much room its buffer
    has; so the port reckons.

    Args:
        uart: opened with timeout 0; can be polled.
        baudrate: of the line.
        clock: a Clock.
    """

    def __init__(self, uart, baudrate, clock):
        StreamPort.__init__(self, uart)
        self._clock = clock
        self._byte_us = max(1, _BITS_A_BYTE * 1000000 // baudrate)
        self._last_us = clock.us()
        self._owed = 0  # bytes written that the line may not have carried yet

    def flush(self):
        """Write what the line has had time for."""
        passed_us = self._clock.since_us(self._last_us)
        carried = passed_us // self._byte_us
        if carried < 0 or carried >= self._owed:
            self._owed = 0
            self._last_us = self._clock.us()
        elif carried:
            self._owed -= carried
            self._last_us = self._clock.ahead_us(self._last_us, carried * self._byte_us)
        room = _PIECE_BYTES - self._owed
        if not self._rest or room <= 0:
            return
        piece = self._rest[:room]
        count = self._stream.write(piece) or 0
        self._owed += count
        self._rest = self._rest[count:]

    def wait(self, timeout_ms):
        """Sleep until bytes arrive, the time is over, or the line can take more."""
        if self._rest:
            timeout_ms = min(timeout_ms, 1)
        self._poller.poll(timeout_ms)


def open_uart(link):
    """A machine.UART by its settings (config_link.UART_DEFAULTS), with room for what arrives meanwhile.

    Raises:
        ImportError, TypeError, ValueError: the board has none, none of that number, or its pins are not to be chosen.
    """
    from machine import UART

    pins = {}
    for name in ("tx", "rx"):
        if link[name] >= 0:
            pins[name] = link[name]
    return UART(link["id"], baudrate=link["baudrate"], timeout=0, timeout_char=0, rxbuf=2048, **pins)
