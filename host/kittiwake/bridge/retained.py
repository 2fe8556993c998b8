"""Messages that the broker keeps for us: the newest of each topic, in order, and all again after a connection was lost.

Of one topic one message is in flight at a time; whatever changes meanwhile, only the newest follows. So what a device
makes of its status, or of its description, costs memory once. It knows no device.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from kittiwake.mqtt.callbacks import Receipt
from kittiwake.peers.complaints import Complaints

log = logging.getLogger(__name__)

_UNDER_WAY_LIMIT = 64


class Retained:
    """All of one bridge.

    Args:
        publish: called as publish(topic, payload, receipt) to leave a retained message.
        is_connected: whether the broker takes messages now.
        on_settled: on_settled(topic): the broker has the message that was sent on a topic.
    """

    def __init__(
        self,
        publish: Callable[[str, bytes, Receipt], None],
        is_connected: Callable[[], bool],
        on_settled: Callable[[str], None] = lambda topic: None,
    ):
        self._publish, self._is_connected, self._on_settled = publish, is_connected, on_settled
        self._wanted: dict[str, bytes] = {}
        self._due: dict[str, None] = {}  # topics to be sent, in the order in which they were said
        self._under_way: set[str] = set()
        self._sent: dict[str, bytes] = {}
        self._complaints = Complaints(log)

    def say(self, topic: str, payload: bytes, goes_last: bool = False) -> None:
        """Leave a message, as soon as may be.

        Args:
            topic: without wildcards.
            payload: what later subscribers are to get.
            goes_last: it goes behind all that was said before; else it takes the place of its topic's last one.
        """
        self._wanted[topic] = payload
        if goes_last:
            self._due.pop(topic, None)
        self._due[topic] = None
        self._send()

    def drop(self, topic: str) -> None:
        """Say a topic no more; what the broker has of it stays there."""
        for kept in (self._wanted, self._due, self._sent):
            kept.pop(topic, None)

    def sent(self, topic: str) -> bytes | None:
        """What was sent on a topic last, None for nothing."""
        return self._sent.get(topic)

    def is_settled(self, topic: str) -> bool:
        """Whether the broker has all that was said on a topic."""
        return topic not in self._under_way and topic not in self._due

    def renew(self) -> None:
        """Leave all messages again with the next that is said: the broker may have lost them."""
        self._due = dict.fromkeys((*self._due, *self._wanted))

    def settled(self, topic: str, refusal: str) -> None:
        """The broker has a message, or does not take it, which helps nobody who waits behind it."""
        if refusal:
            self._complaints.tell(f"{topic} is refused: {refusal}; let the bridge write there")
        else:
            self._on_settled(topic)
        self._under_way.discard(topic)
        self._send()

    def _send(self) -> None:
        # In their order: a device's name is in the list of devices before its status says that it is on line.
        while self._due and self._is_connected() and len(self._under_way) < _UNDER_WAY_LIMIT:
            topic = next(iter(self._due))
            if topic in self._under_way:
                return
            del self._due[topic]
            self._under_way.add(topic)
            self._sent[topic] = self._wanted[topic]
            self._publish(topic, self._wanted[topic], _Receipt(self, topic))


class _Receipt:
    """Who is told of one message."""

    def __init__(self, retained: Retained, topic: str):
        self._retained, self._topic = retained, topic

    def confirmed(self) -> None:
        """The broker has it."""
        self._retained.settled(self._topic, "")

    def refused(self, reason: str) -> None:
        """The broker does not take it."""
        self._retained.settled(self._topic, reason)
