"""A source over a sensor that keeps samples itself: looks when some have gathered, and starts over after trouble.

Knows when to look and what is lost, not how a sensor keeps its samples (lis3dh.py, mpu6050.py). The sensor paces
itself, so the loop may be late by as much as its FIFO holds. Not for interrupts. Nothing allocates while all is well.
"""

from .source import Source

_LATENCY_HZ = 50  # looked at so often, or when a quarter of the FIFO is full
_SILENT_MS = 1000
_AGAIN_FIRST_MS = 100
_AGAIN_LAST_MS = 5000


class Fifo(Source):
    """Samples of one sensor.

    Args:
        sensor: has begin(), waiting() -> samples held, -1 when some were overwritten, and read_into(buf, count), all of
            which may raise OSError; bus (a Bus), depth (samples it holds), burst (most that `read_into` takes),
            keeps_when_full (whether what it holds is good after an overflow), low and high, the ends of its range.
        rate_hz: samples a second that it was set to.
        clock: a Clock.

    Attributes:
        overruns: samples lost: overwritten, or not taken while the sensor did not answer. By the board's clock, since
            no sensor says how many; at least one each time.
    """

    def __init__(self, sensor, rate_hz, clock):
        Source.__init__(self)
        self._sensor = sensor
        self._rate_hz = rate_hz
        self._clock = clock
        gathered = max(1, min(sensor.depth // 4, rate_hz // _LATENCY_HZ))
        self._every_ms = max(1, gathered * 1000 // rate_hz)
        self._silent_ms = max(_SILENT_MS, 4000 // rate_hz)
        self._has_begun = False
        self._again_ms = _AGAIN_FIRST_MS
        self._look_ms = 0  # when to look next
        self._seen_ms = 0  # when the newest sample given out was taken
        self._seen_us = 0
        self._good_ms = 0  # when there last was a sample
        self._left = 0  # samples that stayed in the sensor then
        self.low = sensor.low
        self.high = sensor.high

    @property
    def bus_errors(self):
        """Transfers that failed."""
        return self._sensor.bus.errors

    def read_into(self, buf):
        """Put what has gathered into `buf` (array of int16). Returns the number of samples."""
        now_ms = self._clock.ms()
        if now_ms < self._look_ms:
            return 0
        sensor = self._sensor
        try:
            if not self._has_begun:
                sensor.begin()
                if self.count:
                    self._lose(now_ms, 0)
                self._has_begun = True
                self._good_ms, self._left = now_ms, 0
                self._look_ms = now_ms + self._every_ms
                return 0
            waiting = sensor.waiting()
            if waiting < 0:
                if not sensor.keeps_when_full:
                    sensor.begin()
                    self._lose(now_ms, 0)
                    self._good_ms, self._left = now_ms, 0
                    self._look_ms = now_ms + self._every_ms
                    return 0
                waiting = sensor.depth
                self._lose(now_ms, waiting)
            if not waiting and now_ms - self._good_ms >= self._silent_ms:
                # It answers and has nothing: its supply failed, and it forgot what it was told.
                self._trouble(now_ms)
                return 0
            count = min(waiting, len(buf), sensor.burst)
            if not count:
                self._look_ms = now_ms + self._every_ms
                return 0
            sensor.read_into(buf, count)
        except OSError:
            self._trouble(now_ms)
            return 0
        self.count += count
        self._again_ms = _AGAIN_FIRST_MS
        self._good_ms = now_ms
        self._left = waiting - count
        self._seen_ms = now_ms - self._left * 1000 // self._rate_hz
        self._seen_us = self._clock.us()
        self._look_ms = now_ms if self._left else now_ms + self._every_ms
        return count

    def time_ms(self, index):
        """When sample `index` was taken, in the clock's milliseconds; reckoned back from the newest."""
        return max(0, self._seen_ms - (self.count - 1 - index) * 1000 // self._rate_hz)

    def age_us(self, index):
        """Microseconds since sample `index` was taken."""
        behind = self.count - 1 - index + self._left
        return self._clock.since_us(self._seen_us) + behind * 1000000 // self._rate_hz

    def next_due_ms(self):
        """Milliseconds until it is time to look, 0 when it is."""
        return max(0, self._look_ms - self._clock.ms())

    def _lose(self, now_ms, kept):
        due = self._left + (now_ms - self._good_ms) * self._rate_hz // 1000
        self.overruns += max(1, due - kept)

    def _trouble(self, now_ms):
        # What is missed until it answers again is counted then.
        self._has_begun = False
        self._sensor.bus.recover()
        self._look_ms = now_ms + self._again_ms
        self._again_ms = min(2 * self._again_ms, _AGAIN_LAST_MS)
