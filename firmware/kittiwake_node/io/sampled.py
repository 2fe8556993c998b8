"""A source that reads a sensor at a steady rate. Knows pace, not what is measured."""

from .source import Source


class Sampled(Source):
    """One reading a period, taken when it is due; what was missed is missed, and counted.

    Args:
        sensor: has read() -> int within int16, which may raise OSError, and low and high, the ends of its range.
        rate_hz: readings a second, 1 or more.
        clock: a Clock.

    Attributes:
        overruns: readings that could not be taken when they were due: the loop was late, or the sensor did not answer.
    """

    def __init__(self, sensor, rate_hz, clock):
        Source.__init__(self)
        self._sensor = sensor
        self._rate_hz = rate_hz
        self._clock = clock
        self._start_ms = None
        self._due = 0  # periods since the start that are over, each with a sample or an overrun
        self._taken_ms = 0
        self._taken_us = 0
        self.low = sensor.low
        self.high = sensor.high

    def read_into(self, buf):
        """Put a sample into `buf` (array of int16) when one is due. Returns 0 or 1."""
        now_ms = self._clock.ms()
        if self._start_ms is None:
            self._start_ms = now_ms
        periods = (now_ms - self._start_ms) * self._rate_hz // 1000 + 1
        if periods <= self._due:
            return 0
        self.overruns += periods - self._due - 1
        self._due = periods
        try:
            value = self._sensor.read()
        except OSError:
            self.overruns += 1
            return 0
        self._taken_ms = now_ms
        self._taken_us = self._clock.us()
        buf[0] = value
        self.count += 1
        return 1

    def time_ms(self, index):
        """When the newest sample was taken, in the clock's milliseconds; `index` is its number."""
        return self._taken_ms

    def age_us(self, index):
        """Microseconds since the newest sample was taken."""
        return self._clock.since_us(self._taken_us)

    def next_due_ms(self):
        """Milliseconds until a reading is due, 0 when it is."""
        if self._start_ms is None:
            return 0
        due_ms = self._start_ms + (self._due * 1000 + self._rate_hz - 1) // self._rate_hz
        return max(0, due_ms - self._clock.ms())
