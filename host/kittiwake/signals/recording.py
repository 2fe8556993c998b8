"""A recording: samples of one channel without a gap, and what a reader must know of them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction


@dataclass(frozen=True)
class Recording:
    """What was recorded.

    Args:
        samples: array('h'), without a gap.
        device: the node's id.
        channel: its name.
        rate_hz: samples a second; 0 when nothing paced them.
        scale, offset: units an LSB, and units at zero.
        unit: their name, may be empty.
        started: UTC of the first sample, by this machine's clock; as exact as the console is quick.
        is_whole: whether it is as long as it was to be.
        why: for which it is not; one line.
    """

    samples: array[int]
    device: str
    channel: str
    rate_hz: int
    scale: Fraction
    offset: Fraction
    unit: str
    started: datetime
    is_whole: bool
    why: str
