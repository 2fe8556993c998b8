"""Features of a record's message: figures of a summary's exact sums, or of a snapshot's samples. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from kittiwake.decide.settings import BAND, band


class NoFeatures(Exception):
    """A message gives no features: says why."""


def of_summary(body: Mapping[str, object], names: Sequence[str]) -> list[float]:
    """Give the features of a summary, from its exact sums.

    Args:
        body: the message.
        names: of the features.

    Returns:
        Their values, in the channel's unit, each the nearest double.

    Raises:
        NoFeatures: the summary is of fewer than two samples, or its sums are none.
    """
    n, total, squares, least, most = (_integer(body, name) for name in ("n", "s", "q", "min", "max"))
    if n < 2:
        raise NoFeatures(f"a summary of {n} samples has no deviation")
    scale, offset = _fraction(body, "scale", 1), _fraction(body, "offset", 0)
    mean = Fraction(total, n)
    variance = Fraction(n * squares - total * total, n * (n - 1))
    if variance < 0 or least > most:
        raise NoFeatures("its sums are of no samples")
    ends = sorted((least * scale + offset, most * scale + offset))
    square = Fraction(squares, n) * scale * scale + 2 * mean * scale * offset + offset * offset
    values: dict[str, float] = {
        "n": float(n),
        "mean": float(mean * scale + offset),
        "stdev": math.sqrt(variance) * abs(float(scale)),
        "low": float(ends[0]),
        "high": float(ends[1]),
        "range": float(ends[1] - ends[0]),
        "rms": math.sqrt(square),
    }
    return [values[name] for name in names]


def of_samples(samples: Sequence[int], names: Sequence[str]) -> list[float]:
    """Give the features of a snapshot.

    Args:
        samples: of all its parts, as the sensor gave them.
        names: of the features.

    Returns:
        Their values, in steps of the sensor.

    Raises:
        NoFeatures: there are fewer than two samples.
    """
    n = len(samples)
    if n < 2:
        raise NoFeatures(f"a snapshot of {n} samples has no deviation")
    total, squares = sum(samples), sum(sample * sample for sample in samples)
    values = np.asarray(samples, dtype=np.float64) - total / n
    power = float(values @ values) / n
    peak = float(np.abs(values).max())
    figures: dict[str, float] = {
        "n": float(n),
        "mean": total / n,
        "stdev": math.sqrt(Fraction(n * squares - total * total, n * (n - 1))),
        "low": float(min(samples)),
        "high": float(max(samples)),
        "range": float(max(samples) - min(samples)),
        "rms": math.sqrt(squares / n),
        # Of a signal that does not move: neither peaks nor tails.
        "crest": peak / math.sqrt(power) if power else 0.0,
        "kurtosis": float((values**4).mean()) / (power * power) if power else 0.0,
    }
    spectrum = np.abs(np.fft.rfft(values)) ** 2 if any(name.startswith(BAND) for name in names) else None
    return [figures[name] if name in figures else _share(spectrum, n, name) for name in names]


def _share(spectrum: np.ndarray[tuple[int], np.dtype[np.float64]] | None, n: int, name: str) -> float:
    """The band's share of the power of all but the mean; 0 of a signal that does not move."""
    if spectrum is None:
        raise NoFeatures(f"there is no feature {name!r}")
    low, high = band(name)
    at = np.arange(len(spectrum)) * 1000 / n
    all_of_it = float(spectrum[1:].sum())
    inside = (at > low) & (at <= high)
    inside[0] = False
    return float(spectrum[inside].sum()) / all_of_it if all_of_it else 0.0


def _integer(body: Mapping[str, object], name: str) -> int:
    """An integer; where a double does not hold it, it stands beside as text."""
    exact = body.get(f"{name}_exact")
    value = body.get(name)
    if isinstance(exact, str) and len(exact) < 64:
        try:
            return int(exact)
        except ValueError:
            pass
    if type(value) is not int:
        raise NoFeatures(f"it has no {name}")
    return value


def _fraction(body: Mapping[str, object], name: str, default: int) -> Fraction:
    text = body.get(name)
    if text is None:
        return Fraction(default)
    try:
        return Fraction(text) if isinstance(text, str) and len(text) <= 64 else Fraction(0, 0)
    except (ValueError, ZeroDivisionError):
        raise NoFeatures(f"its {name} is no number") from None
