"""Counts samples that stand at or beyond the ends of their range, where what was measured may have been more.

Must not know where samples come from. The samples stay as they are. Nothing here allocates after the constructor.
"""

from array import array

_OFFSET = 1 << 15


class Clip:
    """Counter for one channel, for samples of up to 16 bits.

    Args:
        kernel: what `kernels.load` returned.
        low, high: the ends of the range, low < high.

    Attributes:
        low, high: as given.
    """

    def __init__(self, kernel, low, high):
        self.low = low
        self.high = high
        self._count = kernel.entry("clip", "count")
        self._state = array("i", [max(0, low + _OFFSET), min(2 * _OFFSET - 1, high + _OFFSET), 0, 0])

    def has(self, x):
        """Whether a sample is at an end or beyond it."""
        return not self.low < x < self.high

    def count(self, buf, start, stop):
        """Count in buf[start:stop].

        Args:
            buf: array('h'), read only.
            start, stop: indexes, 0 <= start <= stop <= len(buf).

        Raises:
            IndexError: indexes outside the buffer, which the native kernels would not notice.
        """
        if not 0 <= start <= stop <= len(buf):
            raise IndexError
        state = self._state
        state[2] = start
        state[3] = stop
        return self._count(state, buf)
