"""Roll-ups: the exact sums of a minute, an hour and a day, from those of the summaries in them. Pure.

Sums of integers are joined without rounding, so the mean and deviation of a month are those of its samples. A summary
counts where its record's time lies: at the end of its interval.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache

from kittiwake.publish import figures
from kittiwake.publish.channel_description import rational

WIDTHS_S = (60, 3600, 86400)


@dataclass(frozen=True)
class Calibration:
    """What turns a channel's integers into units.

    Attributes:
        unit: "" for none.
        scale, offset: units an LSB and at zero, as exact texts ("1/100").
    """

    unit: str = ""
    scale: str = "1"
    offset: str = "0"


@dataclass(frozen=True)
class Sums:
    """What samples add up to, LSB.

    Attributes:
        n: samples.
        s, q: their sum, and the sum of their squares.
        least, most: the smallest and the largest; 0 with no samples.
        anomalies: flagged samples.
    """

    n: int = 0
    s: int = 0
    q: int = 0
    least: int = 0
    most: int = 0
    anomalies: int = 0

    def __add__(self, other: Sums) -> Sums:
        """Join the sums of two sets of samples."""
        if not self.n or not other.n:
            one = self if self.n else other
            return replace(one, anomalies=self.anomalies + other.anomalies)
        return Sums(
            self.n + other.n,
            self.s + other.s,
            self.q + other.q,
            min(self.least, other.least),
            max(self.most, other.most),
            self.anomalies + other.anomalies,
        )


@dataclass(frozen=True)
class Bucket:
    """The samples of a span of time, in units.

    Attributes:
        start: of the span, UTC.
        width_s: of the span, seconds.
        sums: exact, LSB.
        calibration: that they were taken with.
    """

    start: datetime
    width_s: int
    sums: Sums
    calibration: Calibration

    @property
    def unit(self) -> str:
        """The unit, "" for none."""
        return self.calibration.unit

    @property
    def mean(self) -> float | None:
        """Of its samples, in units, rounded to two decimals as alerts are; None with no samples."""
        return self._figures()[0]

    @property
    def stdev(self) -> float | None:
        """Sample standard deviation, in units, to two decimals; None with fewer than two samples."""
        return self._figures()[1]

    @property
    def low(self) -> float | None:
        """The smallest sample, in units."""
        return min(self._ends(), default=None)

    @property
    def high(self) -> float | None:
        """The largest sample, in units."""
        return max(self._ends(), default=None)

    def _factors(self) -> tuple[Fraction, Fraction]:
        return rational(self.calibration.scale) or Fraction(1), rational(self.calibration.offset) or Fraction(0)

    def _figures(self) -> tuple[float | None, float | None]:
        if not self.sums.n:
            return None, None
        mean, stdev, _ = figures.window_figures(self.sums.n, self.sums.s, self.sums.q, None, *self._factors())
        return mean, stdev

    def _ends(self) -> list[float]:
        if not self.sums.n:
            return []
        return [figures.value(end, *self._factors()) for end in (self.sums.least, self.sums.most)]


def of_summary(body: dict[str, object]) -> tuple[Sums, Calibration] | None:
    """Read the sums of a summary's message.

    Args:
        body: of a message, which is not believed.

    Returns:
        Its sums and calibration; None when it has none that samples can have.
    """
    values = [body.get(name) for name in ("n", "s", "q", "min", "max", "anomalies")]
    if set(map(type, values)) != {int}:  # a bool is an int to Python, and no number to us
        return None
    sums = Sums(*values)  # type: ignore[arg-type]  # the line above says what they are
    if not 0 <= sums.n < 1 << 32 or not 0 <= sums.anomalies < 1 << 32:
        return None
    # Of n samples of 32 bits; the sum is bounded by the squares.
    if not -(1 << 31) <= sums.least <= sums.most < 1 << 31 or not 0 <= sums.q <= sums.n << 62:
        return None
    if abs(sums.s) > sums.n << 31 or sums.n * sums.q < sums.s**2:
        return None
    # A message of an older publisher has no scale: its integers are what there is, and they have no unit.
    unit, scale, offset = body.get("unit"), body.get("scale"), body.get("offset")
    if not (isinstance(unit, str) and isinstance(scale, str) and isinstance(offset, str)):
        return sums, Calibration()
    calibration = _calibration(unit, scale, offset)
    return None if calibration is None else (sums, calibration)


@lru_cache(maxsize=4096)
def _calibration(unit: str, scale: str, offset: str) -> Calibration | None:
    readable = rational(scale) is not None and rational(offset) is not None
    return Calibration(unit, scale, offset) if readable else None


def start_of(ts_ms: int, width_s: int) -> int:
    """Give the second at which the bucket of a time begins."""
    return ts_ms // 1000 // width_s * width_s


def joined(buckets: Iterable[Bucket], width_s: int) -> list[Bucket]:
    """Join buckets into wider ones, each calibration apart.

    Args:
        buckets: in any order.
        width_s: of the wider ones, seconds.

    Returns:
        Them, by time.
    """
    sums: dict[tuple[int, Calibration], Sums] = {}
    for bucket in buckets:
        key = start_of(round(bucket.start.timestamp()) * 1000, width_s), bucket.calibration
        sums[key] = sums.get(key, Sums()) + bucket.sums
    ordered = sorted(sums.items(), key=lambda item: (item[0][0], item[0][1].unit))
    return [Bucket(datetime.fromtimestamp(at, UTC), width_s, total, c) for (at, c), total in ordered]
