"""A recording as a source: a file of little-endian int16, at its own pace."""

from ..errors import ConfigError
from .source import Source


class Replay(Source):
    """Samples from a file of little-endian int16, one a period, or as fast as the board can.

    Sample i is due i / rate_hz seconds after the first `read_into`, whatever came between: a late loop catches up, so
    the rate is exact over time.

    Args:
        path: the file. With `follow`, its end is only where the writer stands just now.
        rate_hz: samples a second; 0 for no pacing.
        clock: a Clock.
        follow: wait for more at the end of the file.

    Attributes:
        overruns: samples given out more than a block late.
    """

    def __init__(self, path, rate_hz, clock, follow=False):
        Source.__init__(self)
        self._file = open(path, "rb")
        self._rate_hz = rate_hz
        self._clock = clock
        self._follow = follow
        self._start_ms = None
        self._start_us = 0
        self._late_end = 0

    def read_into(self, buf):
        """Fill `buf` (array of int16) with the samples that are due. Returns their number."""
        if self.ended:
            return 0
        limit = len(buf)
        if self._rate_hz:
            if self._start_ms is None:
                self._start_ms = self._clock.ms()
                self._start_us = self._clock.us()
            due = (self._clock.ms() - self._start_ms) * self._rate_hz // 1000 + 1 - self.count
            if due <= 0:
                return 0
            # Each late sample counts once, however many loops it takes to catch up.
            late_from, late_end = max(self._late_end, self.count), self.count + due - limit
            if late_end > late_from:
                self.overruns += late_end - late_from
                self._late_end = late_end
            limit = min(limit, due)
        size = self._file.readinto(buf if limit == len(buf) else memoryview(buf)[:limit])
        if size & 1:
            self._file.seek(-1, 1)  # a writer caught in the middle of a sample
        if not size and not self._follow:
            self.ended = True
        count = size // 2
        self.count += count
        return count

    def time_ms(self, index):
        """When sample `index` was due, in the clock's milliseconds."""
        if not self._rate_hz:
            return self._clock.ms()
        return self._start_ms + index * 1000 // self._rate_hz

    def age_us(self, index):
        """Microseconds since sample `index` was due (0 when nothing paces it)."""
        if not self._rate_hz:
            return 0
        return self._clock.since_us(self._clock.ahead_us(self._start_us, index * 1000000 // self._rate_hz))

    def next_due_ms(self):
        """Milliseconds until the next sample is due, 0 when it is."""
        if not self._rate_hz or self._start_ms is None:
            return 0
        due_ms = self._start_ms + (self.count * 1000 + self._rate_hz - 1) // self._rate_hz
        return max(0, due_ms - self._clock.ms())


def make_source(channel, clock):
    """The source of a channel of kind "replay".

    Args:
        channel: checked (config_source.py).
        clock: a Clock.

    Raises:
        ConfigError: the file cannot be opened.
    """
    source = channel["source"]
    try:
        return Replay(source["path"], channel["rate_hz"], clock, source["follow"])
    except OSError as error:
        raise ConfigError("source.path", "%s cannot be opened (%s)" % (source["path"], error))
