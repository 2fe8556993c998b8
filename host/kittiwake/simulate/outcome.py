"""What became of a simulated fleet, in counts."""

from __future__ import annotations

from dataclasses import dataclass

from kittiwake.simulate.device import Happened


@dataclass
class Outcome(Happened):
    """What became of a share of the devices.

    Attributes:
        confirmed: records that the broker has confirmed.
        refused: that it has refused.
        left: records that were not confirmed when it ended.
        connections: that were made to the broker.
        seconds: that it took.
    """

    confirmed: int = 0
    refused: int = 0
    left: int = 0
    connections: int = 0
    seconds: float = 0.0
