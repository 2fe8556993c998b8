"""What a history answers with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Device:
    """What is known of a device.

    Attributes:
        device: its id.
        journals: how many it had: a flash that is formatted begins another.
        rows: records.
        first, last: times of the earliest and the latest record; None without one that has a time.
        arrived: when the newest of its records came.
        channels: their names.
    """

    device: str
    journals: int
    rows: int
    first: datetime | None
    last: datetime | None
    arrived: datetime
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    """A record as it was published.

    Attributes:
        device, journal, seq: its key.
        kind, channel: of its topic.
        ts: its time; None where the board did not know it and nothing has repaired it.
        is_repaired: the time was told later, by a TIME record of the same boot.
        arrived: when it came.
        payload: the message, as it came.
    """

    device: str
    journal: str
    seq: int
    kind: str
    channel: str
    ts: datetime | None
    is_repaired: bool
    arrived: datetime
    payload: str

    @property
    def body(self) -> dict[str, object]:
        """What the message says."""
        body: dict[str, object] = json.loads(self.payload)
        return body
