"""Disturbances: flags that belong together become one, with a start, an end, a peak and a count.

Must not know detectors, time or records: indexes and scores are numbers that come in. Nothing here allocates while they
are small integers. Every flag is accounted for: `flags` = those in disturbances that were told + `held_back` + those of
one that is still gathering.
"""

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:
        """Stand in for MicroPython's compile-time constant."""
        return value


NOTHING = const(0)
OPENED = const(1)
CLOSED = const(2)

# What is under way: nothing; flags too few to open a disturbance; one that was told; one that the limit held back.
_IDLE = const(0)
_GATHERING = const(1)
_OPEN = const(2)
_MUTED = const(3)


class Disturbances:
    """Turns the flags of one detector into disturbances.

    Args:
        hold_off: samples without a flag after which a disturbance is over; flags closer than that belong to one.
        rise: flags that it takes to open a disturbance, each within hold_off of the one before (hysteresis).
        burst: disturbances that may be told in quick succession; more are held back and counted. 0 for no limit.
        refill: samples after which one more may be told.

    Attributes:
        start, end: index of the first and last flag of the one under way, or of the last one when none is.
        peak, peak_index: its greatest |score|, and where.
        count: its flags.
        flags, opened, held_back: totals: flags taken, disturbances told, flags in those that were not.
    """

    def __init__(self, hold_off: int, rise: int = 1, burst: int = 0, refill: int = 1) -> None:
        self._hold_off = hold_off
        self._rise = rise
        self._burst = burst
        self._refill = refill
        self._tokens = burst
        self._refilled = 0  # index up to which the tokens are accounted for
        self._state = _IDLE
        self.start = self.end = self.peak = self.peak_index = self.count = 0
        self.flags = self.opened = self.held_back = 0

    @property
    def open(self) -> bool:
        """Whether a disturbance that was told is under way."""
        return self._state == _OPEN

    def passed(self, index: int) -> int:
        """Take note that every sample before `index` was looked at; call it before `flag`, and after each block.

        Args:
            index: of the next sample, never less than before.

        Returns:
            CLOSED when the open one is over (its attributes stay until the next flag), else NOTHING.
        """
        state = self._state
        if state == _IDLE or index - self.end <= self._hold_off:
            return NOTHING
        self._state = _IDLE
        if state == _GATHERING:
            self.held_back += self.count
        return CLOSED if state == _OPEN else NOTHING

    def flag(self, index: int, score: int) -> int:
        """Take a flag.

        Args:
            index: of the sample; `passed(index)` was called.
            score: of any sign; the greatest size is the peak.

        Returns:
            OPENED when this flag opens a disturbance that may be told, else NOTHING.
        """
        self.flags += 1
        if self._state == _IDLE:
            self._state = _GATHERING
            self.start = self.peak_index = index
            self.peak = self.count = 0
        self.count += 1
        self.end = index
        size = score if score >= 0 else -score
        if size > self.peak:
            self.peak = size
            self.peak_index = index
        if self._state == _MUTED:
            self.held_back += 1
        elif self._state == _GATHERING and self.count >= self._rise:
            if self._take_token(index):
                self._state = _OPEN
                self.opened += 1
                return OPENED
            self._state = _MUTED
            self.held_back += self.count
        return NOTHING

    def _take_token(self, index: int) -> bool:
        if not self._burst:
            return True
        more = (index - self._refilled) // self._refill
        self._refilled += more * self._refill
        self._tokens = min(self._burst, self._tokens + more)
        if not self._tokens:
            return False
        self._tokens -= 1
        return True
