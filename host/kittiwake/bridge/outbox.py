"""One device's records on their way to the sink: kept in order until each is confirmed, offered again when refused.

It knows neither port nor session. Nothing of it outlives the process: the device's journal has it all, and the
session's window bounds what is here.
"""

from __future__ import annotations

import asyncio
from collections import deque

from kittiwake.bridge.delivery import Counts, Delivery, Owner, Sink
from kittiwake.publish.publisher import Publication

REFUSED_FIRST_S = 1.0
REFUSED_LAST_S = 60.0


class Outbox:
    """What of one device is not confirmed.

    Args:
        owner: whose they are.
        sink: where messages go.
        counts: what is handed over, confirmed and refused is counted there.
    """

    def __init__(self, owner: Owner, sink: Sink, counts: Counts):
        self._owner = owner
        self._sink = sink
        self._counts = counts
        self._epoch = 0  # counts the (device, journal) pairs seen here: a confirmation of an older one is no news
        self._waiting: dict[int, Delivery] = {}  # by sequence number, in its order, until confirmed
        self._backlog: deque[Delivery] = deque()  # those of them that are not handed over
        self._done_next = 0
        self._retry_s = REFUSED_FIRST_S

    def __len__(self) -> int:
        """Records that are not confirmed."""
        return len(self._waiting)

    @property
    def backlog(self) -> int:
        """Those of them that wait for room at the sink."""
        return len(self._backlog)

    def begin(self, done_next: int) -> None:
        """Other sequence numbers from here on: what is still on the way belongs to the journal before.

        Args:
            done_next: the first that is not acknowledged.
        """
        self._epoch += 1
        self._waiting.clear()
        self._backlog.clear()
        self._done_next = done_next

    def has_seen(self, seq: int) -> bool:
        """Whether this record is on its way or done: it came before."""
        return seq in self._waiting or seq < self._done_next

    def put(self, seq: int, message: Publication) -> bool:
        """Take the next record's message; hand it over at once where there is room. Returns whether it was."""
        delivery = self._waiting[seq] = Delivery(self._owner, self._epoch, seq, message)
        if self._backlog or not self._sink.has_room:
            self._backlog.append(delivery)
            return False
        self._send(delivery)
        return True

    def hold(self, seq: int) -> Delivery:
        """Take the place of the next record, whose message is not formed yet; all after it wait for `release`."""
        delivery = self._waiting[seq] = Delivery(self._owner, self._epoch, seq, None)
        self._backlog.append(delivery)
        return delivery

    def release(self, delivery: Delivery, message: Publication) -> bool:
        """Give a place its message. Returns whether it still matters; `hand_over` then sends it."""
        delivery.message = message
        return delivery.epoch == self._epoch

    def hand_over(self, limit: int) -> int:
        """Give up to `limit` waiting messages to the sink while it has room.

        Returns:
            How many still wait for room; those behind a place that is held do not.
        """
        while self._backlog and self._backlog[0].message and limit > 0 and self._sink.has_room:
            self._send(self._backlog.popleft())
            limit -= 1
        return len(self._backlog) if self._backlog and self._backlog[0].message else 0

    def confirm(self, delivery: Delivery) -> bool:
        """The sink has a message. Returns whether that is news."""
        if delivery.epoch != self._epoch or self._waiting.pop(delivery.seq, None) is None:
            return False
        self._counts.acked += 1
        self._retry_s = REFUSED_FIRST_S
        return True

    def refuse(self, delivery: Delivery) -> bool:
        """The sink does not take a message: the owner's `offer_again` is called later. Returns whether that is news."""
        if delivery.epoch != self._epoch:
            return False
        self._counts.refused += 1
        asyncio.get_running_loop().call_later(self._retry_s, self._owner.offer_again, delivery)
        self._retry_s = min(self._retry_s * 2, REFUSED_LAST_S)
        return True

    def restore(self, delivery: Delivery) -> bool:
        """Put a refused message before all that wait. Returns whether it still matters."""
        if delivery.epoch != self._epoch or delivery.seq not in self._waiting:
            return False
        self._backlog.appendleft(delivery)
        return True

    def done(self, received: int, keep_from: int | None = None) -> int:
        """Tell how far all is confirmed.

        Args:
            received: the first sequence number that has not come.
            keep_from: the first that is not to count as confirmed, though it may be; None for none.

        Returns:
            The first that is not confirmed.
        """
        # Records arrive in order, so the first key is the oldest that is not confirmed.
        done = min(next(iter(self._waiting), received), received)
        return done if keep_from is None else min(done, keep_from)

    def acknowledged(self, done_next: int) -> None:
        """The device was told that all before this are done; a repeat of one of them is known by it."""
        self._done_next = max(self._done_next, done_next)

    def _send(self, delivery: Delivery) -> None:
        message = delivery.message
        self._counts.published += 1
        self._counts.published_bytes += len(message.payload)
        self._sink.publish(message.topic, message.payload, message.qos, message.retain, delivery)
