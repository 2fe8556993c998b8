"""The clock: milliseconds since boot that never go back or wrap, and short spans in microseconds."""

import time

_PERIOD = time.ticks_add(0, -1) + 1


class Clock:
    """Wraps the port's ticks.

    `ms` must be called at least once in half a tick period (six days on a 32-bit board); the node does, every loop.
    """

    def __init__(self):
        self._last = time.ticks_ms()
        self._ms = 0

    def ms(self):
        """Milliseconds since this clock was made."""
        now = time.ticks_ms()
        self._ms += time.ticks_diff(now, self._last)
        self._last = now
        return self._ms

    def us(self):
        """A free-running microsecond count that wraps; for `since_us`."""
        return time.ticks_us()

    def ahead_us(self, start_us, span_us):
        """The count that stands `span_us` (any size) after `start_us`."""
        return (start_us + span_us) % _PERIOD

    def since_us(self, start_us):
        """Microseconds from `start_us` to now; right within half a period (nine minutes on a 32-bit board)."""
        return time.ticks_diff(time.ticks_us(), start_us)
