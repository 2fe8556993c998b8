"""The drift detector by its definition: two exponentially weighted means and a variance, in fixed point.

A fast mean F and a slow mean M (Q16), and V, a slow mean of the squared deviation from M (Q16 of LSB²). A sample is
a detection when |F - M| exceeds p/q standard deviations, after a warm-up and outside the hold-off of the last. Python's
unbounded integers stand for the words of any machine. Knows nothing of the firmware.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """Constants of the detector.

    Attributes:
        fast, slow: shifts of the two means, i.e. they weigh a sample 2^-fast and 2^-slow.
        p, q: threshold p/q, in standard deviations.
        warmup: samples before the first test.
        holdoff: silent samples after a detection.
        floor: least variance, in LSB².
    """

    fast: int = 3
    slow: int = 12
    p: int = 3
    q: int = 2
    warmup: int = 64
    holdoff: int = 128
    floor: int = 1


@dataclass
class Drift:
    """The detector, one sample at a time."""

    settings: Settings = field(default_factory=Settings)
    index: int = -1
    fast: int = 0
    slow: int = 0
    variance: int = 0
    until: int = -1

    def push(self, x: int) -> bool:
        """Take one sample; return whether it is a detection."""
        self.index += 1
        if self.index == 0:
            self.fast = self.slow = x << 16
            return False
        self.fast += ((x << 16) - self.fast) >> self.settings.fast
        detected = self.index >= self.settings.warmup and self.index > self.until and self._apart()
        if detected:
            self.until = self.index + self.settings.holdoff
        shift = self._shift(self.index + 1)
        e = (x << 16) - self.slow
        self.slow += e >> shift
        square = (e >> 8) ** 2
        # The deviation was taken from a mean that has since moved towards it: square >> shift is what it moved.
        self.variance += (square - (square >> shift) - self.variance) >> shift
        return detected

    def _apart(self) -> bool:
        d = (self.fast - self.slow) >> 8
        p, q = self.settings.p, self.settings.q
        return q * q * d * d > p * p * max(self.variance, self.settings.floor << 16)

    def _shift(self, count: int) -> int:
        """Return the slow mean's shift: the first samples weigh in evenly, until the slow one takes over."""
        if count >= 1 << self.settings.slow:
            return self.settings.slow
        return count.bit_length() - 1  # the largest k with 2^k <= count


def detections(samples: Iterable[int], settings: Settings | None = None) -> Iterator[int]:
    """Yield the index of every detection in a series of samples (LSB)."""
    drift = Drift(settings or Settings())
    for index, x in enumerate(samples):
        if drift.push(x):
            yield index
