"""One device's records on their way to the broker: each formed, heard again where it is a wake word, and handed over.

It knows neither port nor session: what may be acknowledged is asked of it.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from kittiwake.bridge import outbox
from kittiwake.bridge.delivery import Counts, Sink
from kittiwake.bridge.tally import Tally
from kittiwake.bridge.verdicts import Judges, Question, VerdictFields, Verdicts
from kittiwake.bridge.way import Way
from kittiwake.observe.steps import Steps
from kittiwake.peers.complaints import Complaints
from kittiwake.publish import publisher
from kittiwake.publish.bodies import OPAQUE
from kittiwake.publish.channel_description import Channel
from kittiwake_node.link.record import Record

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Callbacks:
    """What an intake tells.

    Args:
        on_described: on_described(channels) when records come under a channel description not seen in this journal.
        on_confirmed: the sink has another publication.
        on_backlog: publications wait for room.
        steps: who is told of records' steps; None for nobody.
    """

    on_described: Callable[[list[Channel]], None]
    on_confirmed: Callable[[], None]
    on_backlog: Callable[[], None]
    steps: Steps | None = None


class Intake:
    """One device's.

    Args:
        policy: how records become publications.
        sink: where these go.
        judges: who hears wake words again; None for nobody.
        link_window: called without arguments, gives how many records the device may have on the way.
        counts: what comes and goes is counted there.
        callbacks: what is told.

    Attributes:
        health: the device's newest health record as a dict, {} before the first.
        tally: the Tally of the device's messages since it was first seen here.
    """

    def __init__(
        self,
        policy: publisher.Policy,
        sink: Sink,
        judges: Judges | None,
        link_window: Callable[[], int],
        counts: Counts,
        callbacks: Callbacks,
    ):
        self._policy = policy
        self._complaints, self._faults = Complaints(log), Complaints(log)
        self._counts = counts
        self._callbacks = callbacks
        self._outbox = outbox.Outbox(sink, counts, outbox.Callbacks(self._confirmed, callbacks.on_backlog))
        self._verdicts = Verdicts(judges, link_window) if judges else None
        self._way = Way(callbacks.steps) if callbacks.steps else None
        self._judging: set[asyncio.Task[None]] = set()
        self._former: publisher.Former | None = None
        self._device = ""
        self.health: dict[str, int] = {}
        self.tally = Tally()

    def __len__(self) -> int:
        """Records that are not confirmed."""
        return len(self._outbox)

    @property
    def backlog(self) -> int:
        """Publications that wait for room at the sink."""
        return self._outbox.backlog

    @property
    def refusals(self) -> dict[tuple[str, str], int]:
        """How many records the broker has refused and not taken since, by topic and reason."""
        return self._outbox.refusals

    @property
    def has_begun(self) -> bool:
        """Whether `begin` was called."""
        return self._former is not None

    def begin(self, device: str, journal: int, done_next: int) -> None:
        """Records of another device or journal come from here on.

        Args:
            device: device id.
            journal: journal id, 64 bits.
            done_next: the first sequence number that is not acknowledged.
        """
        self._outbox.begin(done_next)
        if self._verdicts:
            self._verdicts.begin(device)
        if self._way:
            self._way.begin(device, journal)
        if device != self._device:
            self._device = device
            self.health, self.tally = {}, Tally()
        self._former = publisher.Former(self._policy, device, journal, self.tally.take)

    def take(self, record: Record, descriptions: Mapping[int, bytes]) -> None:
        """Take the next record; one that came before is counted and dropped.

        Args:
            record: as received, after `begin`.
            descriptions: the session's channel descriptions by number; the record's is among them.
        """
        former = self._former
        if former is None:
            raise RuntimeError("a record before its journal is known")
        if self._outbox.has_seen(record.seq):
            self._counts.repeats += 1
            return
        self._counts.records += 1
        if not former.knows(record.description):
            self._describe(former, record.description, descriptions[record.description])
        if self._way:
            self._way.taken(record)
        verdict: VerdictFields | None = None
        if self._verdicts:
            answer = self._verdicts.take(record)
            if isinstance(answer, Question):
                self._hold(former, record, self._verdicts, answer)
                return
            verdict = answer
        message = former.form(record, verdict)
        self._counts.safe_form += bool(message.problem)
        if message.kind == OPAQUE:
            self._counts.opaque += 1
        elif message.kind == "health":
            self.health = publisher.health_of(record)
        if not self._outbox.put(record.seq, message):
            self._callbacks.on_backlog()

    def hand_over(self, limit: int) -> int:
        """Give waiting publications to the sink while it has room.

        Args:
            limit: how many at most.

        Returns:
            How many still wait for room.
        """
        return self._outbox.hand_over(limit)

    def done(self, received: int) -> int:
        """Tell how far all may be acknowledged.

        Args:
            received: the first sequence number that has not come.

        Returns:
            The first that may not be.
        """
        return self._outbox.done(received, self._verdicts.keep_from if self._verdicts else None)

    def acknowledged(self, done_next: int) -> None:
        """The device was told that all before this are done."""
        self._outbox.acknowledged(done_next)

    def _describe(self, former: publisher.Former, number: int, raw: bytes) -> None:
        channels = former.describe(number, raw)
        if former.refusal:
            self._counts.descriptions_refused += 1
            self._complaints.tell(f"a channel description is refused: {former.refusal}; published as integers")
        for channel in channels:
            if channel.problem:
                self._complaints.tell(f"channel {channel.name}: {channel.problem}; published without it")
            if channel.is_raw:
                self._counts.raw_channels += 1
                self._complaints.tell(
                    f"channel {channel.name}: its scale or offset is no number; published as integers"
                )
        self._callbacks.on_described(channels)

    def _confirmed(self, seq: int) -> None:
        if self._verdicts:
            self._verdicts.settled(seq)
        if self._way:
            self._way.confirmed(seq)
        self._callbacks.on_confirmed()

    def _hold(self, former: publisher.Former, record: Record, verdicts: Verdicts, question: Question) -> None:
        # The channel is looked up now: its description may be forgotten before the verdict comes.
        form = functools.partial(former.form, record, channel=former.channel_of(record))
        opaque = functools.partial(former.form_opaque, record, former.channel_of(record))
        place = self._outbox.hold(record.seq)
        task = asyncio.get_running_loop().create_task(self._judge(place, verdicts.judge(question), form, opaque))
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)

    async def _judge(
        self,
        place: outbox.Delivery,
        verdict: Awaitable[VerdictFields],
        form: Callable[[VerdictFields], publisher.Publication],
        form_opaque: Callable[[], publisher.Publication],
    ) -> None:
        try:
            message = form(await verdict)
        except Exception as error:  # noqa: BLE001  # whatever it is, what comes after this keyword must not wait for ever
            self._counts.faults += 1
            self._faults.tell("a keyword could not be heard again; this is a bug, please report it", error)
            message = form_opaque()
        if self._outbox.release(place, message) and self._outbox.hand_over(self._outbox.backlog):
            self._callbacks.on_backlog()
