"""Summary of a stretch of samples by its definition. Knows nothing of the firmware."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """Count, extremes (None when empty) and exact sums of a stretch of samples, in LSB."""

    count: int
    min: int | None
    max: int | None
    sum: int
    sum_sq: int


def summary(samples: Sequence[int]) -> Summary:
    """Summarise a series."""
    low, high = (min(samples), max(samples)) if samples else (None, None)
    return Summary(len(samples), low, high, sum(samples), sum(value * value for value in samples))
