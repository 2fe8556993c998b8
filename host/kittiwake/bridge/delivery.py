"""A publication on its way from a device to a sink: who takes it, who is told, and what is counted.

It knows no port and no broker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kittiwake.mqtt.callbacks import Receipt


class Sink(Protocol):
    """Where publications go, the broker or the spool: takes them while it has room, confirms each when it is safe."""

    @property
    def has_room(self) -> bool:
        """Whether `publish` may be called."""

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, receipt: Receipt, /) -> None:
        """Take a publication; its receipt is told what became of it.

        Args:
            topic: without wildcards.
            payload: bytes of the message.
            qos: 0 to 2.
            retain: the broker keeps it for later subscribers.
            receipt: who is told.
        """


@dataclass
class Counts:
    """What happened on one device's link since the bridge started."""

    records: int = 0
    opaque: int = 0
    raw_channels: int = 0
    safe_form: int = 0
    descriptions_refused: int = 0
    faults: int = 0
    names_refused: int = 0
    published: int = 0
    published_bytes: int = 0
    acked: int = 0
    refused: int = 0
    repeats: int = 0
    ports_lost: int = 0
    sessions: int = 0
    received_bytes: int = 0
