"""Publications that the broker has not confirmed, by message id, and who is told of each. It opens nothing.

A broker closes the connection over more messages in flight than it has said it takes (MQTT 5, section 4.9), so what may
not wait for its caller waits here, before anything else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from kittiwake.mqtt.callbacks import Receipt


class Message(NamedTuple):
    """One to be published: topic, payload, QoS 1 or 2, retain flag, and who is told what became of it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    receipt: Receipt | None


class InFlight:
    """What is in flight on one connection.

    Args:
        limit: publications in flight at most.

    Attributes:
        limit: the same.
        waiting: messages that have to go before any other.
        confirmed: how many the broker has confirmed.
        progress_s: seconds, of the caller's clock, at which a confirmation was last heard or awaited anew.
    """

    def __init__(self, limit: int) -> None:
        self._receipts: dict[int, Receipt | None] = {}
        self.limit = limit
        self.waiting: deque[Message] = deque()
        self.confirmed = 0
        self.progress_s = 0.0

    def __len__(self) -> int:
        """Count the publications that are not confirmed, those that wait here among them."""
        return len(self._receipts) + len(self.waiting)

    @property
    def is_full(self) -> bool:
        """Whether the broker takes no more before it has confirmed something."""
        return len(self._receipts) >= self.limit

    def hand_over(self, send: Callable[[Message], int], now_s: float) -> None:
        """Send waiting messages, as far as the broker takes more.

        Args:
            send: sends a message, gives its id.
            now_s: seconds that never go back.
        """
        while self.waiting and not self.is_full:
            if not self._receipts:
                self.progress_s = now_s
            message = self.waiting.popleft()
            self._receipts[send(message)] = message.receipt

    def settle(self, message_id: int, refusal: str, now_s: float) -> None:
        """Take the broker's word on a publication, and pass it on.

        Args:
            message_id: as paho numbers it.
            refusal: why the broker does not take it, "" where it does.
            now_s: seconds that never go back.
        """
        receipt = self._receipts.pop(message_id, None)
        self.progress_s = now_s
        self.confirmed += not refusal
        if receipt is None:
            return
        if refusal:
            receipt.refused(refusal)
        else:
            receipt.confirmed()

    def is_stuck(self, now_s: float, limit_s: float) -> bool:
        """Whether something is in flight, and nothing was confirmed for longer than `limit_s` seconds."""
        return bool(self._receipts) and now_s - self.progress_s > limit_s

    def take_all(self) -> dict[int, Receipt | None]:
        """Hand out every receipt, by message id; nothing is in flight here afterwards."""
        receipts, self._receipts = self._receipts, {}
        return receipts
