"""How the features that a model gets compare with those that it learned from, by the figures of its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kittiwake.serve.card import FeatureSection
from kittiwake.serve.tensors import Array

ROWS = 1024  # the newest; what a figure is of


@dataclass(frozen=True)
class Figures:
    """Of one feature.

    Args:
        name: the feature's.
        beyond: values below the card's low or above its high, since the model was loaded.
        shift: distance of the newest rows' mean from the card's, in its standard deviations; None where the card has
            none, or no row came.
    """

    name: str
    beyond: int
    shift: float | None


class Drift:
    """Keeps the newest rows. One thread at a time.

    Args:
        features: of the card; none for nothing to compare with.
    """

    def __init__(self, features: Sequence[FeatureSection]):
        self._features = features
        self._low = np.array([-np.inf if f.low is None else f.low for f in features])
        self._high = np.array([np.inf if f.high is None else f.high for f in features])
        self._rows = np.zeros((ROWS, len(features)))
        self._beyond = np.zeros(len(features), np.int64)
        self._count = 0

    def take(self, rows: Array) -> None:
        """Take note of rows.

        Args:
            rows: shape (rows, features), before scaling.
        """
        self._beyond += ((rows < self._low) | (rows > self._high)).sum(axis=0)
        newest = rows[-ROWS:]
        places = (self._count + np.arange(len(newest))) % ROWS
        self._rows[places] = newest
        self._count += len(newest)

    def figures(self) -> list[Figures]:
        """Give the figures of each feature."""
        count = min(self._count, ROWS)
        means = self._rows[:count].mean(axis=0) if count else None
        figures = []
        for number, feature in enumerate(self._features):
            shift = None
            if means is not None and feature.mean is not None and feature.stdev is not None:
                shift = abs(float(means[number]) - feature.mean) / feature.stdev
            figures.append(Figures(feature.name, int(self._beyond[number]), shift))
        return figures
