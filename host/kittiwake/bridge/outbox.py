"""One device's publications on their way to the sink: kept in order until confirmed, offered again when refused.

It knows neither port nor session. Nothing of it outlives the process: the device's journal has it all, and the
session's window bounds what is here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kittiwake.bridge.delivery import Counts, Sink
from kittiwake.bridge.refused import Refused
from kittiwake.publish.publisher import Publication

REFUSED_FIRST_S = 1.0
REFUSED_LAST_S = 60.0


@dataclass(frozen=True)
class Callbacks:
    """What an outbox tells.

    Args:
        on_confirmed: on_confirmed(seq): the sink has the publication of this record.
        on_backlog: publications that were refused wait for room again.
    """

    on_confirmed: Callable[[int], None]
    on_backlog: Callable[[], None]


class Delivery:
    """One record's publication on its way, and the sink's receipt for it.

    Attributes:
        epoch: of the outbox when it was put there.
        seq: of the record.
        message: the publication; None until it is formed.
    """

    __slots__ = ("_outbox", "epoch", "seq", "message")

    def __init__(self, outbox: Outbox, epoch: int, seq: int, message: Publication | None):
        self._outbox = outbox
        self.epoch = epoch
        self.seq = seq
        self.message = message

    def confirmed(self) -> None:
        """The sink has it."""
        self._outbox.confirm(self)

    def refused(self, reason: str) -> None:
        """The sink does not take it: it stays unacknowledged, and is offered again later.

        Args:
            reason: in the broker's words.
        """
        self._outbox.refuse(self, reason)


class Outbox:
    """What of one device is not confirmed.

    Args:
        sink: where publications go.
        counts: what is handed over, confirmed and refused is counted there.
        callbacks: what is told.
    """

    def __init__(self, sink: Sink, counts: Counts, callbacks: Callbacks):
        self._sink = sink
        self._counts = counts
        self._callbacks = callbacks
        self._epoch = 0  # counts the (device, journal) pairs seen here: a confirmation of an older one is no news
        self._waiting: dict[int, Delivery] = {}  # by sequence number, in its order, until confirmed
        self._backlog: deque[Delivery] = deque()  # those of them that are not handed over
        self._done_next = 0
        self._refused = Refused[Delivery]()
        self._retry_s = REFUSED_FIRST_S
        self._retries = False

    def __len__(self) -> int:
        """Records that are not confirmed."""
        return len(self._waiting)

    @property
    def backlog(self) -> int:
        """Those of them that wait for room at the sink."""
        return len(self._backlog)

    @property
    def refusals(self) -> dict[tuple[str, str], int]:
        """How many records the broker has refused and not taken since, by topic and reason."""
        return self._refused.counts

    def begin(self, done_next: int) -> None:
        """Other sequence numbers from here on: what is still on the way belongs to the journal before.

        Args:
            done_next: the first that is not acknowledged.
        """
        self._epoch += 1
        self._waiting.clear()
        self._backlog.clear()
        self._refused.clear()
        self._retry_s, self._retries = REFUSED_FIRST_S, False
        self._done_next = done_next

    def has_seen(self, seq: int) -> bool:
        """Whether this record is on its way or done: it came before."""
        return seq in self._waiting or seq < self._done_next

    def put(self, seq: int, message: Publication) -> bool:
        """Take the next record's publication, and hand it over at once where there is room.

        Args:
            seq: of the record.
            message: its publication.

        Returns:
            Whether it need not wait for room.
        """
        delivery = self._waiting[seq] = Delivery(self, self._epoch, seq, message)
        if self._refused.holds(message.topic, seq, delivery):
            return True
        if self._backlog or not self._sink.has_room:
            self._backlog.append(delivery)
            return False
        self._send(delivery)
        return True

    def hold(self, seq: int) -> Delivery:
        """Take the place of the next record, whose publication is not formed yet; all after it wait for `release`.

        Args:
            seq: of the record.

        Returns:
            The place.
        """
        delivery = self._waiting[seq] = Delivery(self, self._epoch, seq, None)
        self._backlog.append(delivery)
        return delivery

    def release(self, delivery: Delivery, message: Publication) -> bool:
        """Give a place its publication; `hand_over` then sends it.

        Args:
            delivery: from `hold`.
            message: what it waited for.

        Returns:
            Whether it still matters.
        """
        delivery.message = message
        return delivery.epoch == self._epoch

    def hand_over(self, limit: int) -> int:
        """Give waiting publications to the sink while it has room.

        Args:
            limit: how many at most.

        Returns:
            How many still wait for room; those behind a place that is held do not.
        """
        while self._backlog and (message := self._backlog[0].message) and limit > 0 and self._sink.has_room:
            delivery = self._backlog.popleft()
            if not self._refused.holds(message.topic, delivery.seq, delivery):
                self._send(delivery)
            limit -= 1
        return len(self._backlog) if self._backlog and self._backlog[0].message else 0

    def confirm(self, delivery: Delivery) -> None:
        """The sink has a publication."""
        if delivery.epoch == self._epoch and self._waiting.pop(delivery.seq, None) is not None:
            self._counts.acked += 1
            if delivery.message:
                self._restore(self._refused.taken(delivery.message.topic))
            self._callbacks.on_confirmed(delivery.seq)

    def refuse(self, delivery: Delivery, reason: str) -> None:
        """The sink does not take a publication: it is offered again later.

        Args:
            delivery: what it does not take.
            reason: in the broker's words.
        """
        if delivery.epoch != self._epoch or delivery.message is None:
            return
        self._counts.refused += 1
        self._refused.add(delivery.message.topic, delivery.seq, delivery, reason)
        if not self._retries:
            self._retries = True
            asyncio.get_running_loop().call_later(self._retry_s, self._offer, self._epoch)
            self._retry_s = min(self._retry_s * 2, REFUSED_LAST_S)

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

    def _offer(self, epoch: int) -> None:
        if epoch != self._epoch:
            return
        self._retries = False
        for delivery in self._refused.offers():
            self._send(delivery)

    def _restore(self, deliveries: list[Delivery]) -> None:
        if not self._refused.counts:
            self._retry_s = REFUSED_FIRST_S
        if deliveries:
            # Before all that wait, in their order: they are older.
            self._backlog.extendleft(reversed(deliveries))
            self._callbacks.on_backlog()

    def _send(self, delivery: Delivery) -> None:
        message = delivery.message
        if message is None:
            raise RuntimeError("a place that is held cannot be sent")
        self._counts.published += 1
        self._counts.published_bytes += len(message.payload)
        self._sink.publish(message.topic, message.payload, message.qos, message.retain, delivery)
