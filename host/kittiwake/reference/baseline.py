"""Block features and a frozen baseline, in fractions, by their definitions. Knows nothing of the firmware.

A block's features are whole numbers, so that a board and this file can agree on them: variance (over n) and peak
deviation in 1/256 LSB² and 1/256 LSB, rounded down; range; crossings of the mean, rounded down, of the block before.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import floor


def features(block: Sequence[int]) -> dict[str, int]:
    """Take the features of one block that depend on nothing but its samples (LSB)."""
    mean = Fraction(sum(block), len(block))
    variance = sum((x - mean) ** 2 for x in block) / len(block)
    return {
        "variance": floor(256 * variance),
        "peak": floor(256 * max(abs(x - mean) for x in block)),
        "range": max(block) - min(block),
    }


def anomalies(
    samples: Sequence[int], block: int, learn: int, t: Fraction, names: Sequence[str] = ("variance",)
) -> Iterator[tuple[int, str]]:
    """Yield (index of a block's last sample, feature) for every anomalous block of a series.

    The first block is dropped (nothing came before it), the next `learn` blocks are the baseline, and each later one is
    anomalous when a feature is more than t sample deviations from the mean of the learned ones, which deviation counts
    as 1 at least.

    Args:
        samples: the series, LSB.
        block: samples in a block.
        learn: blocks of the baseline.
        t: threshold.
        names: features that decide, of "variance", "peak", "range", "crossings"; the first that differs is told.
    """
    learned: list[dict[str, int]] = []
    level, above = 0, False
    for number in range(len(samples) // block):
        part = samples[number * block : (number + 1) * block]
        values = features(part)
        values["crossings"] = 0
        for x in part:
            values["crossings"] += (x >= level) != above
            above = x >= level
        level = floor(Fraction(sum(part), block))
        if number == 0:
            continue
        if len(learned) < learn:
            learned.append(values)
            continue
        for name in names:
            mean = Fraction(sum(old[name] for old in learned), learn)
            variance = sum((old[name] - mean) ** 2 for old in learned) / (learn - 1)
            if (values[name] - mean) ** 2 > t * t * max(variance, Fraction(1)):
                yield (number + 1) * block - 1, name
                break
