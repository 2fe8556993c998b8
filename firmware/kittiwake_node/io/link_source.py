"""The link as a source: samples that are sent to a running node, for boards that have no sensor and no file."""

from .source import Source


class LinkSource(Source):
    """Samples that come over the link (command STIMULUS), for boards that have no sensor and no file.

    The sender paces it: it is told how much room there is, and sends a piece again when the answer was lost, which is
    why every piece says at which sample it begins.

    Args:
        room: samples held between the command and the detector.
        clock: a Clock.

    Attributes:
        ended: always False; only the sender knows.
        overruns: always 0; what does not fit is refused, not lost.
    """

    def __init__(self, room, clock):
        Source.__init__(self)
        self._bytes = bytearray(2 * room)
        self._held = 0
        self._clock = clock
        self._arrived_us = 0

    def take_stimulus(self, start, data):
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
        count = min(len(buf), self._held // 2)
        for i in range(count):
            low = self._bytes[2 * i] | self._bytes[2 * i + 1] << 8
            buf[i] = low - 65536 if low & 0x8000 else low
        self._bytes[: self._held - 2 * count] = self._bytes[2 * count : self._held]
        self._held -= 2 * count
        self.count += count
        return count

    def time_ms(self, index):
        """When sample `index` was taken: now, it has no time of its own."""
        return self._clock.ms()

    def age_us(self, index):
        """Microseconds since the sample's piece arrived."""
        return self._clock.since_us(self._arrived_us)

    def next_due_ms(self):
        """Milliseconds until a sample may be there: none are held, so whenever the port wakes the node."""
        return 0 if self._held else 1000


def make_source(channel, clock):
    """The source of a channel of kind "link".

    Args:
        channel: checked (config_source.py).
        clock: a Clock.
    """
    return LinkSource(channel["source"]["room"], clock)
