"""The guide's rolling z-score, exact: a window of the last n samples, mean, sample deviation, |z| > t.

Two forms of one definition: `ZScore`, the definition itself in fractions, and `alerts`, in integers and fast enough for
millions of samples, which the tests compare with the first. Knows nothing of the firmware.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from kittiwake.reference.exact import rounded, rounded_sqrt


@dataclass(frozen=True)
class Alert:
    """An anomalous sample and its window's exact sums; the floats are correctly rounded.

    Attributes:
        index: position of the sample in the series, from 0.
        x: the sample, in LSB.
        n: window length.
        sum, sum_sq: of the window, the sample included.
        mean, stdev: of the window, in LSB; stdev with n - 1.
        z: (x - mean) / stdev.
    """

    index: int
    x: int
    n: int
    sum: int
    sum_sq: int
    mean: float
    stdev: float
    z: float


class ZScore:
    """The definition, one sample at a time.

    Args:
        n: window length, at least 2.
        t: threshold.
    """

    def __init__(self, n: int, t: Fraction):
        if n < 2:
            raise ValueError(f"a window of {n} has no sample deviation")
        self.n = n
        self.t = Fraction(t)
        self.window: deque[int] = deque(maxlen=n)
        self.index = -1

    def push(self, x: int) -> Alert | None:
        """Take one sample; return the alert that it raises, if any."""
        self.index += 1
        self.window.append(x)
        if len(self.window) < self.n:
            return None
        mean = Fraction(sum(self.window), self.n)
        variance = sum((Fraction(value) - mean) ** 2 for value in self.window) / (self.n - 1)
        if variance == 0 or (x - mean) ** 2 <= self.t**2 * variance:
            return None
        return _alert(self.index, x, self.n, sum(self.window), sum(value * value for value in self.window))


def alerts(samples: Iterable[int], n: int, t: Fraction) -> Iterator[Alert]:
    """Yield the alerts of a whole series, in order; the same as `ZScore` sample by sample.

    With S and Q the sums of the window and of its squares, x - mean = (n·x - S)/n and variance =
    (n·Q - S²)/(n·(n - 1)); both sides of the comparison are multiplied by n²·(n - 1) and by t's denominator squared.

    Args:
        samples: integers of any size.
        n: window length, at least 2.
        t: threshold.
    """
    if n < 2:
        raise ValueError(f"a window of {n} has no sample deviation")
    left = Fraction(t).denominator ** 2 * (n - 1)
    right = Fraction(t).numerator ** 2 * n
    window: deque[int] = deque()
    total = squares = 0
    for index, x in enumerate(samples):
        window.append(x)
        total += x
        squares += x * x
        if index >= n:
            oldest = window.popleft()
            total -= oldest
            squares -= oldest * oldest
        elif index < n - 1:
            continue
        deviation = n * x - total
        spread = n * squares - total * total
        if spread and left * deviation * deviation > right * spread:
            yield _alert(index, x, n, total, squares)


def lagged_alerts(samples: Iterable[int], n: int, t: Fraction, floor: Fraction = Fraction(1)) -> Iterator[Alert]:
    """Yield the alerts of the lagged form: each sample against the n before it, whose variance is `floor` at least.

    The definition itself; the alert's sums, mean and stdev are those of the window before the sample, z is with the
    deviation that counted.

    Args:
        samples: integers of any size.
        n: window length, at least 2.
        t: threshold.
        floor: least variance, in LSB².
    """
    window: deque[int] = deque(maxlen=n)
    for index, x in enumerate(samples):
        if len(window) == n:
            total, squares = sum(window), sum(value * value for value in window)
            mean = Fraction(total, n)
            variance = max((squares - total * mean) / (n - 1), Fraction(floor))
            if (x - mean) ** 2 > t * t * variance:
                z = rounded_sqrt((x - mean) ** 2 / variance) if variance else float("inf")
                yield Alert(index, x, n, total, squares, rounded(mean), rounded_sqrt(variance), z if x > mean else -z)
        window.append(x)


def _alert(index: int, x: int, n: int, total: int, squares: int) -> Alert:
    mean = Fraction(total, n)
    variance = (squares - total * mean) / (n - 1)
    z = rounded_sqrt((x - mean) ** 2 / variance)
    return Alert(index, x, n, total, squares, rounded(mean), rounded_sqrt(variance), z if x > mean else -z)
