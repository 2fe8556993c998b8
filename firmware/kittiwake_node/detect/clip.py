"""Counts samples that stand at or beyond the ends of their range, where what was measured may have been more.

Must not know where samples come from. The samples stay as they are. Nothing here allocates after the constructor.
"""

from array import array

if False:  # for mypy alone
    from kittiwake_types import KernelSet, Samples

_OFFSET = 1 << 15


class Clip:
    """Counter for one channel, for samples of up to 16 bits.

    Args:
        kernel: what `kernels.load` returned.
        low, high: the ends of the range, low < high.

    Attributes:
        low, high: as given.
    """

    def __init__(self, kernel: "KernelSet", low: int, high: int) -> None:
        self.low = low
        self.high = high
        self._count = kernel.entry("clip", "count")
        self._state = array("i", [max(0, low + _OFFSET), min(2 * _OFFSET - 1, high + _OFFSET), 0, 0])

    def has(self, x: int) -> bool:
        """Whether a sample is at an end or beyond it."""
        return not self.low < x < self.high

    def count(self, buf: "Samples", start: int, stop: int) -> int:
        """Count in buf[start:stop].

        Args:
            buf: array('h'), read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Raises:
            IndexError: indexes outside the buffer, which the native kernels would not notice.
        """
        if not 0 <= start <= stop <= len(buf):
            raise IndexError
        state = self._state
        state[2] = start
        state[3] = stop
        return self._count(state, buf)
