"""A picture of figures over time: of each channel the mean, and from the least to the largest sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from kittiwake.plot import picture


class Span(NamedTuple):
    """What the samples of a span of time add up to, in units."""

    start: datetime
    mean: float
    low: float
    high: float


def draw(path: Path, title: str, channels: Mapping[tuple[str, str], Sequence[Span]]) -> None:
    """Draw a panel a channel and write the picture.

    Args:
        path: see `picture.check_output`.
        title: stands above it.
        channels: (name, unit) -> its spans, by time; one channel at least.

    Raises:
        KittiwakeError: matplotlib is not installed, or the file cannot be written.
    """
    figure, panels = picture.figure_of(len(channels))
    for axes, ((name, unit), spans) in zip(panels, channels.items(), strict=True):
        # As matplotlib counts: days since 1970.
        at = [span.start.timestamp() / 86400 for span in spans]
        low, high = [span.low for span in spans], [span.high for span in spans]
        axes.fill_between(at, low, high, color="#9fb8c8", alpha=0.45, lw=0, label="least to largest")
        axes.plot(at, [span.mean for span in spans], color="#2b5670", lw=1.0, label="mean")
        axes.set_ylabel(f"{name}, {unit}" if unit else name)
        axes.xaxis_date()
        axes.margins(x=0.005)
    panels[0].set_title(title, loc="left")
    panels[0].legend(loc="upper right", fontsize="small", ncols=2)
    panels[-1].set_xlabel("UTC")
    picture.save(path, title, figure)
