"""Roll-ups: the exact sums of a minute, an hour and a day, from those of the summaries in them. Pure.

Sums of integers are joined without rounding, so the mean and deviation of a month are those of its samples. A summary
counts where its record's time lies: at the end of its interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from kittiwake.publish import figures
from kittiwake.publish.channel_description import rational

WIDTHS_S = (60, 3600, 86400)
_SUMS_OF = itemgetter("n", "s", "q", "min", "max", "anomalies")


class Calibration(NamedTuple):
    """What turns a channel's integers into units.

    Attributes:
        unit: "" for none.
        scale, offset: units an LSB and at zero, as exact texts ("1/100").
    """

    unit: str = ""
    scale: str = "1"
    offset: str = "0"


class Sums(NamedTuple):
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


def total(parts: Sequence[Sums]) -> Sums:
    """Join the sums of sets of samples.

    Args:
        parts: one at least.
    """
    if len(parts) == 1:
        return parts[0]
    filled = [part for part in parts if part.n]
    return Sums(
        sum([part.n for part in filled]),
        sum([part.s for part in filled]),
        sum([part.q for part in filled]),
        min([part.least for part in filled], default=0),
        max([part.most for part in filled], default=0),
        sum([part.anomalies for part in parts]),
    )


def of_summary(body: dict[str, object]) -> tuple[Sums, Calibration] | None:
    """Read the sums of a summary's message.

    Args:
        body: of a message, which is not believed.

    Returns:
        Its sums and calibration; None when it has none that samples can have.
    """
    try:
        n, s, q, least, most, anomalies = _SUMS_OF(body)
    except KeyError:
        return None
    # A bool is an int to Python, and no number to us.
    if not type(n) is type(s) is type(q) is type(least) is type(most) is type(anomalies) is int:
        return None
    if not 0 <= n < 1 << 32 or not 0 <= anomalies < 1 << 32:
        return None
    # Of n samples of 32 bits; the sum is bounded by the squares.
    if not -(1 << 31) <= least <= most < 1 << 31 or not 0 <= q <= n << 62:
        return None
    if abs(s) > n << 31 or n * q < s * s:
        return None
    sums = Sums(n, s, q, least, most, anomalies)
    # A message of an older publisher has no scale: its integers are what there is, and they have no unit.
    unit, scale, offset = body.get("unit"), body.get("scale"), body.get("offset")
    if not (type(unit) is type(scale) is type(offset) is str):
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
    parts: dict[tuple[int, Calibration], list[Sums]] = {}
    for bucket in buckets:
        key = start_of(round(bucket.start.timestamp()) * 1000, width_s), bucket.calibration
        parts.setdefault(key, []).append(bucket.sums)
    ordered = sorted(parts.items(), key=lambda item: (item[0][0], item[0][1].unit))
    return [Bucket(datetime.fromtimestamp(at, UTC), width_s, total(sums), c) for (at, c), sums in ordered]
