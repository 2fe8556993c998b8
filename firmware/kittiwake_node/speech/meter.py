"""How a microphone is: level, offset, clipping, a dead channel, a source that stopped. Integers.

Must not know where samples come from; the time arrives as an argument. Once a second some integers are allocated.
"""

if False:  # for mypy alone
    from kittiwake_types import SummedUp

OK = 1
DEAD = 2
STOPPED = 3
_SILENT_MS = 500


class Meter:
    """Of one microphone, renewed each second of audio.

    Attributes:
        state: OK, DEAD (a whole second had one value) or STOPPED (nothing came for half a second).
        level: deviation of the last second, LSB.
        offset: its mean, LSB.
        clipped_ppm: share of samples at an end of the range, in millionths.
    """

    def __init__(self) -> None:
        self.state = OK
        self.level = self.offset = self.clipped_ppm = 0
        self._newest_ms: int | None = None
        self._dead = False

    def second(self, summary: "SummedUp", clipped: int) -> None:
        """Take a second's detect.summary.Summary, and how many of its samples were clipped."""
        n, total = summary.count, summary.sum
        self._dead = summary.min == summary.max
        self.offset = total // n if total >= 0 else -(-total // n)
        self.level = _root((n * summary.sum_sq - total * total) // (n * n))
        self.clipped_ppm = clipped * 1000000 // n

    def watch(self, count: int, now_ms: int) -> bool:
        """Note whether samples came. Returns True when `state` changed."""
        if count or self._newest_ms is None:
            self._newest_ms = now_ms
        state = DEAD if self._dead else OK
        if now_ms - self._newest_ms >= _SILENT_MS:
            state = STOPPED
        changed = state != self.state
        self.state = state
        return changed


def _root(n: int) -> int:
    """The integer part of the square root."""
    root = 0
    bit = 1 << 30
    while bit:
        if (root + bit) * (root + bit) <= n:
            root += bit
        bit >>= 1
    return root
