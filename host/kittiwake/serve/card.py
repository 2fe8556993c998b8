"""A model's card: a TOML file beside it that says what its inputs are, and what its answer means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, model_validator

from kittiwake.config import load
from kittiwake.config.load import Section


class ModelSection(Section):
    """What the model's answer means."""

    description: str = Field("", max_length=1000, description="What the model is for")
    output: str = Field(
        "", max_length=256, description="Output that has the probabilities; empty for the last one of fractions"
    )
    positive: int = Field(1, ge=0, le=65535, description="Which column of it is the anomaly's, from 0")
    threshold: float = Field(0.5, ge=0, le=1, description="An anomaly has a probability above this")
    labels: list[str] = Field([], description="Names of the columns", examples=[["normal", "anomaly"]])


class FeatureSection(Section):
    """One of the features, in their order."""

    name: str = Field(max_length=64, description="Its name", examples=["rms"])
    unit: str = Field("", max_length=32, description="Its unit", examples=["mm/s"])
    offset: float = Field(0.0, allow_inf_nan=False, description="Subtracted before the model sees the value")
    scale: float = Field(1.0, allow_inf_nan=False, description="What the difference is divided by then; not 0")
    mean: float | None = Field(None, allow_inf_nan=False, description="Mean in training, for drift, in the unit")
    stdev: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Standard deviation in training, in the unit"
    )
    low: float | None = Field(None, allow_inf_nan=False, description="Smallest value in training, in the unit")
    high: float | None = Field(None, allow_inf_nan=False, description="Largest value in training, in the unit")

    @model_validator(mode="after")
    def _together(self) -> FeatureSection:
        if self.scale == 0:
            raise ValueError("the scale is 0")
        return self


class Card(Section):
    """A model's card."""

    model: ModelSection = Field(default_factory=ModelSection, description="What the model's answer means")
    features: list[FeatureSection] = Field([], description="Write a [[features]] table for each feature, in order")

    @property
    def is_scaled(self) -> bool:
        """Whether any feature is changed before the model sees it."""
        return any(feature.offset != 0 or feature.scale != 1 for feature in self.features)


def read(path: Path, environment: Mapping[str, str] | None = None) -> tuple[Card, bytes]:
    """Read a card.

    Args:
        path: of the card; a card that is not there has nothing but defaults.
        environment: overrides; none when None.

    Returns:
        (the card, its bytes; empty when it is not there).

    Raises:
        ConfigError: it cannot be read, or a field cannot be.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Card(), b""
    return load.load(path, Card, environment), raw
