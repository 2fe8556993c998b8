"""Summary of an interval: count, extremes and exact sums, from which the gateway forms mean and deviation.

Must not know when an interval ends or where samples come from. The constructor allocates everything; `feed` and `reset`
do not allocate with the native kernels.
"""

from array import array

if False:  # for mypy alone
    from typing import Any

    from kittiwake_types import KernelSet, Samples

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:
        """Stand in for MicroPython's compile-time constant."""
        return value


# State words: see the docstring of the package `kernels`, the one description of the layout.
_WORDS = const(10)
_COUNT = const(0)
_LOW = const(1)
_HIGH = const(2)
_S0 = const(3)
_S1 = const(4)
_Q0 = const(5)
_Q1 = const(6)
_Q2 = const(7)
_START = const(8)
_STOP = const(9)
_CHUNK = const(16384)  # what a kernel call may take before its sums need their carries taken on

COUNT_MOST = (1 << 30) - 1


class Summary:
    """Sums over what was fed since the last reset; exact up to 2^30 - 1 samples (twelve days at 1 kHz).

    Args:
        kernel: what `kernels.load` returned.
        bits: bits of a sample: up to 16, buffers are array('h'); up to 24, array('i').
    """

    def __init__(self, kernel: "KernelSet", bits: int = 16) -> None:
        wide = bits > 16
        self._feed = kernel.entry("summary", "feed_wide" if wide else "feed")
        self._offset = 1 << 23 if wide else 1 << 15
        self._state = array("i", [0] * _WORDS)
        self.reset()

    def reset(self) -> None:
        """Begin anew. Does not allocate."""
        state = self._state
        for i in range(_WORDS):
            state[i] = 0
        state[_LOW] = 2 * self._offset - 1

    def feed(self, buf: "Samples", start: int, stop: int) -> None:
        """Add buf[start:stop].

        Args:
            buf: array('h'), or array('i') when bits > 16; read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Raises:
            IndexError: indexes outside the buffer, which the native kernels would not notice.
        """
        if not 0 <= start <= stop <= len(buf):
            raise IndexError
        state = self._state
        while start < stop:
            end = min(stop, start + _CHUNK)
            state[_START] = start
            state[_STOP] = end
            self._feed(state, buf)
            start = end

    @property
    def count(self) -> int:
        """Samples since the reset."""
        return self._state[_COUNT]

    @property
    def min(self) -> "int | Any":
        """Smallest sample; None when there is none."""
        return self._state[_LOW] - self._offset if self._state[_COUNT] else None

    @property
    def max(self) -> "int | Any":
        """Largest sample; None when there is none."""
        return self._state[_HIGH] - self._offset if self._state[_COUNT] else None

    @property
    def sum(self) -> int:
        """Exact sum. May allocate."""
        state = self._state
        return state[_S0] + (state[_S1] << 30) - state[_COUNT] * self._offset

    @property
    def sum_sq(self) -> int:
        """Exact sum of squares. May allocate."""
        state = self._state
        return state[_Q0] + (state[_Q1] << 15) + (state[_Q2] << 45)
