"""A message on its way from a device's link to a sink: who takes it, who is told, and what is counted.

It knows no port and no broker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kittiwake.publish import publisher


class Sink(Protocol):
    """Where messages go: takes them while it has room, and tells their token when they are safe there."""

    has_room: bool

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, token: object) -> None:
        """Take a message; token.confirmed() or token.refused(reason) follows."""


@dataclass
class Counts:
    """What happened on one device's link since the bridge started."""

    records: int = 0
    opaque: int = 0
    published: int = 0
    published_bytes: int = 0
    acked: int = 0
    refused: int = 0
    repeats: int = 0
    ports_lost: int = 0
    sessions: int = 0
    received_bytes: int = 0


class Owner(Protocol):
    """Whose messages are on their way: told once of each what became of it."""

    def on_confirmed(self, delivery: Delivery) -> None:
        """The sink has it."""

    def on_refused(self, delivery: Delivery, reason: str) -> None:
        """The sink does not take it."""

    def offer_again(self, delivery: Delivery) -> None:
        """It was refused, and has waited long enough."""


class Delivery:
    """One record's message on its way, None until it is formed; the sink's token."""

    __slots__ = ("_owner", "epoch", "seq", "message")

    def __init__(self, owner: Owner, epoch: int, seq: int, message: publisher.Publication | None):
        self._owner = owner
        self.epoch = epoch
        self.seq = seq
        self.message = message

    def confirmed(self) -> None:
        """The sink has it."""
        self._owner.on_confirmed(self)

    def refused(self, reason: str) -> None:
        """The sink does not take it."""
        self._owner.on_refused(self, reason)
