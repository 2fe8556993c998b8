"""Sources: where samples come from when no sensor does, paced by the clock or by whoever sends them."""


class Replay:
    """Samples from a file of little-endian int16, one a period, or as fast as the board can.

    Sample i is due i / rate_hz seconds after the first `read_into`, whatever came between: a late loop catches up, so
    the rate is exact over time.

    Args:
        path: the file. With `follow`, its end is only where the writer stands just now.
        rate_hz: samples a second; 0 for no pacing.
        clock: a Clock.
        follow: wait for more at the end of the file.

    Attributes:
        count: samples given out.
        ended: the file is through.
        overruns: samples given out more than a block late.
        low, high: None: a file says nothing of its sensor's range.
        acts: False: the loop drives the action, not the source.
    """

    acts = False
    low = high = None

    def __init__(self, path, rate_hz, clock, follow=False):
        self._file = open(path, "rb")
        self._rate_hz = rate_hz
        self._clock = clock
        self._follow = follow
        self._start_ms = None
        self._start_us = 0
        self._late_end = 0
        self.count = 0
        self.ended = False
        self.overruns = 0

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
        got = size // 2
        self.count += got
        return got

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


class Injected:
    """Samples that come over the link (command STIMULUS), for boards that have no sensor and no file.

    The sender paces it: it is told how much room there is, and sends a piece again when the answer was lost, which is
    why every piece says at which sample it begins.

    Args:
        room: samples held between the command and the detector.
        clock: a Clock.

    Attributes:
        count: samples given out.
        ended: always False; only the sender knows.
        overruns: always 0; what does not fit is refused, not lost.
        low, high: None, as for a file.
        acts: False: the loop drives the action, not the source.
    """

    acts = False
    low = high = None

    def __init__(self, room, clock):
        self._bytes = bytearray(2 * room)
        self._held = 0
        self._clock = clock
        self._arrived_us = 0
        self.count = 0
        self.ended = False
        self.overruns = 0

    def push(self, start, data):
        """Take little-endian int16 samples, the first of which is sample number `start` since boot.

        Returns:
            (number of the sample wanted next, room left in samples). A piece that begins elsewhere or does not fit is
            not taken.
        """
        expected = self.count + self._held // 2
        room = len(self._bytes) - self._held
        if start == expected and len(data) <= room and len(data) % 2 == 0:
            self._bytes[self._held : self._held + len(data)] = data
            self._held += len(data)
            self._arrived_us = self._clock.us()
            expected += len(data) // 2
        return expected, (len(self._bytes) - self._held) // 2

    def read_into(self, buf):
        """Fill `buf` (array of int16) with what has arrived. Returns the number of samples."""
        got = min(len(buf), self._held // 2)
        for i in range(got):
            low = self._bytes[2 * i] | self._bytes[2 * i + 1] << 8
            buf[i] = low - 65536 if low & 0x8000 else low
        self._bytes[: self._held - 2 * got] = self._bytes[2 * got : self._held]
        self._held -= 2 * got
        self.count += got
        return got

    def time_ms(self, index):
        """When sample `index` was taken: now, it has no time of its own."""
        return self._clock.ms()

    def age_us(self, index):
        """Microseconds since the sample's piece arrived."""
        return self._clock.since_us(self._arrived_us)

    def next_due_ms(self):
        """Milliseconds until a sample may be there: none are held, so whenever the port wakes the node."""
        return 0 if self._held else 1000
