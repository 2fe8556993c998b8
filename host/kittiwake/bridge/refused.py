"""Topics that the broker takes nothing on (its ACL, a quota), and what waits for them.

Of each topic one message is offered now and then; the others follow when it is taken. Were all offered, all would be
refused, and some brokers close the connection over each refusal. It knows no broker and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

TOPICS_TOLD = 16  # a device chooses its channels' names, so how many topics operators are told of is bounded
OTHERS = "_others"


def few(counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Keep the topics with most messages; the others are summed up in one, OTHERS, which has no reason.

    Args:
        counts: by topic and reason.

    Returns:
        At most TOPICS_TOLD of them, sorted by name, then OTHERS where there are more.
    """
    most = sorted(counts, key=lambda place: (-counts[place], place))[:TOPICS_TOLD]
    others = sum(counts.values()) - sum(counts[place] for place in most)
    return {place: counts[place] for place in sorted(most)} | ({(OTHERS, ""): others} if others else {})


@dataclass
class _Topic(Generic[Item]):
    """One topic: what waits, by its number, and whether one of it is offered just now."""

    reason: str = ""
    items: dict[int, Item] = field(default_factory=dict)
    is_offered: bool = False


class Refused(Generic[Item]):
    """What one outbox or spool was refused."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic[Item]] = {}

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """How many messages were refused or held back, and not taken since, by topic and reason."""
        return {(name, topic.reason): len(topic.items) + topic.is_offered for name, topic in self._topics.items()}

    def holds(self, topic: str, number: int, item: Item) -> bool:
        """Keep a message that is about to be sent, if the broker refuses its topic now.

        Args:
            topic: of the message.
            number: its place in the order.
            item: the message.

        Returns:
            Whether it was kept.
        """
        if topic not in self._topics:
            return False
        self._topics[topic].items[number] = item
        return True

    def add(self, topic: str, number: int, item: Item, reason: str) -> None:
        """Keep a message that the broker has refused.

        Args:
            topic: of the message.
            number: its place in the order.
            item: the message.
            reason: in the broker's words.
        """
        kept = self._topics.setdefault(topic, _Topic())
        kept.reason, kept.is_offered = reason, False
        kept.items[number] = item

    def taken(self, topic: str) -> list[Item]:
        """The broker has taken a message on a topic.

        Args:
            topic: of the message.

        Returns:
            All that waited for it, in their order; none where it was not refused.
        """
        kept = self._topics.pop(topic, None)
        return [] if kept is None else [kept.items[number] for number in sorted(kept.items)]

    def offers(self) -> list[Item]:
        """Give the oldest message of every topic, to be offered now."""
        offers = []
        for kept in self._topics.values():
            if kept.items and not kept.is_offered:
                offers.append(kept.items.pop(min(kept.items)))
                kept.is_offered = True
        return offers

    def clear(self) -> None:
        """Forget it all."""
        self._topics.clear()
