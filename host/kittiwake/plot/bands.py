"""A detector's threshold as it stood at every sample: what it watched, and between which bounds that was no alarm.

From the reference's definitions, in floats, for the eye only: alarms come from the firmware.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from kittiwake.errors import UsageError
from kittiwake.reference import drift, novelty


@dataclass
class Bands:
    """Three values a sample, in LSB; NaN where the detector did not test.

    Attributes:
        watched: what the detector compared: the sample itself, or the fast mean.
        low, high: the bounds outside which it was an alarm.
        name: of what was watched, for the legend.
        is_apart: whether what was watched is no level among the samples, and wants a panel of its own.
    """

    name: str
    is_apart: bool = False
    watched: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)

    def add(self, watched: float, centre: float, width: float) -> None:
        """Enter one sample.

        Args:
            watched: the figure that is tested.
            centre: of the bounds.
            width: from the centre to either bound.
        """
        self.watched.append(watched)
        self.low.append(centre - width)
        self.high.append(centre + width)


def bands(samples: Sequence[int], settings: dict[str, Any]) -> Bands:
    """Compute the bounds of a detector over a series.

    Args:
        samples: in LSB.
        settings: of the detector, as a node's configuration has them.

    Raises:
        UsageError: a kind that has no bounds to draw.
    """
    kind = settings["kind"]
    if kind == "zscore":
        t = float(Fraction(settings["t"]))
        if settings.get("lagged"):
            return _window_before(samples, settings["n"], t, settings.get("floor", 1))
        return _window(samples, settings["n"], t)
    if kind == "drift":
        return _levels(samples, _drift_steps(samples, settings))
    if kind == "novelty":
        return _levels(samples, _novelty_steps(samples, settings))
    if kind == "baseline" and list(settings.get("features", ["variance"])) == ["variance"]:
        t = float(Fraction(settings.get("t", "5")))
        return _blocks(samples, settings.get("block", 256), settings.get("learn", 200), t)
    raise UsageError(
        f"no bounds to draw for detector {kind!r}", "take zscore, drift, novelty, or baseline by its variance"
    )


def _window(samples: Sequence[int], n: int, t: float) -> Bands:
    out = Bands("sample")
    window: deque[int] = deque(maxlen=n)
    total = squares = 0
    for x in samples:
        if len(window) == n:
            total -= window[0]
            squares -= window[0] ** 2
        window.append(x)
        total += x
        squares += x * x
        if len(window) < n:
            out.add(x, float("nan"), float("nan"))
        else:
            out.add(x, total / n, t * ((n * squares - total * total) / (n * (n - 1))) ** 0.5)
    return out


def _window_before(samples: Sequence[int], n: int, t: float, floor: int) -> Bands:
    """The lagged form: the window ends before the sample, its variance is at least `floor` LSB²."""
    out = Bands("sample")
    window: deque[int] = deque(maxlen=n)
    for x in samples:
        if len(window) < n:
            out.add(x, float("nan"), float("nan"))
        else:
            mean = sum(window) / n
            variance = sum((value - mean) ** 2 for value in window) / (n - 1)
            out.add(x, mean, t * max(variance, floor) ** 0.5)
        window.append(x)
    return out


def _blocks(samples: Sequence[int], block: int, learn: int, t: float) -> Bands:
    """A baseline by its variance, drawn as the deviation that it is the square of; the first block is dropped."""
    out = Bands("deviation of a block", is_apart=True)
    learned: list[float] = []
    for start in range(0, len(samples), block):
        part = samples[start : start + block]
        variance = math.floor(256 * statistics.pvariance(part)) / 256
        low = high = float("nan")
        if start and len(part) == block and len(learned) < learn:
            learned.append(variance)
        elif len(learned) == learn and len(part) == block:
            mean = statistics.fmean(learned)
            # In the feature's own steps of 1/256 LSB² the learned deviation counts as 1 at least.
            width = t * max(statistics.stdev(learned), 1 / 256)
            low, high = max(mean - width, 0) ** 0.5, (mean + width) ** 0.5
        out.watched += [variance**0.5] * len(part)
        out.low += [low] * len(part)
        out.high += [high] * len(part)
    return out


def _levels(samples: Sequence[int], steps: Iterator[tuple[int, int, float]]) -> Bands:
    out = Bands("fast mean")
    for fast, slow, width in steps:
        out.add(fast / 65536, slow / 65536, width)
    return out


def _drift_steps(samples: Sequence[int], settings: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    names = ("fast", "slow", "warmup", "holdoff", "floor")
    t = Fraction(settings.get("t", "3/2"))
    chosen = {name: settings[name] for name in names if name in settings}
    detector = drift.Drift(drift.Settings(p=t.numerator, q=t.denominator, **chosen))
    for x in samples:
        slow, variance = detector.slow, detector.variance
        detector.push(x)
        tested = detector.index >= detector.settings.warmup
        width = float(t) * (max(variance, detector.settings.floor << 16) / 65536) ** 0.5
        yield detector.fast, slow, width if tested else float("nan")


class _Watching(novelty.Novelty):
    threshold = 0

    def _apart(self, threshold: int) -> bool:
        self.threshold = threshold
        return super()._apart(threshold)


def _novelty_steps(samples: Sequence[int], settings: dict[str, Any]) -> Iterator[tuple[int, int, float]]:
    # Percent to constants as the firmware documents them.
    sensitivity, patience = settings.get("sensitivity", 100), settings.get("patience", 100)
    detector = _Watching(
        novelty.Settings(
            base=(51200 + sensitivity // 2) // sensitivity,
            least=(12800 + sensitivity // 2) // sensitivity,
            hold=(64 * patience + 50) // 100,
            step=(96 * patience + 50) // 100,
        )
    )
    for x in samples:
        slow, variance = detector.slow, detector.variance
        detector.threshold = 0
        detector.push(x)
        width = detector.threshold / 256 * (max(variance, 1 << 16) / 65536) ** 0.5
        yield detector.fast, slow, width or float("nan")
