"""One device at the bridge: its port and its session, and when it is told that its records are safe.

A record is acknowledged to the device only when the sink (the broker; the spool, where one is configured) has confirmed
it. It does not know how what is on the way is kept: that is the outbox.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from kittiwake.bridge.delivery import Counts, Delivery, Sink
from kittiwake.bridge.outbox import Outbox
from kittiwake.bridge.settings import DeviceSection
from kittiwake.bridge.verdicts import Judges, Question, Verdicts
from kittiwake.errors import KittiwakeError, PortLostError
from kittiwake.ports import serial
from kittiwake.publish import publisher
from kittiwake.publish.channel_description import Channel
from kittiwake_node.link import gateway_session as gw
from kittiwake_node.link import messages

log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.2
RETRY_LAST_S = 5.0
COMPLAIN_EVERY_S = 5.0


@dataclass(frozen=True)
class Hooks:
    """What a link tells.

    Args:
        on_status: on_status(link, is_online) when that changes.
        on_text: on_text(link, line) with console text from the device.
        on_layout: on_layout(link, channels) when records come under a channel description not seen in this session.
        on_answer: on_answer(link, request, status, body) to a command.
        on_opened: on_opened(link) when a session is open; commands may be sent.
        on_message: on_message(link, record, publication) for every new record.
        on_backlog: on_backlog(link): it has messages that wait for room.
    """

    on_status: Callable[[DeviceLink, bool], None] = lambda link, is_online: None
    on_text: Callable[[DeviceLink, str], None] = lambda link, line: None
    on_layout: Callable[[DeviceLink, list[Channel]], None] = lambda link, channels: None
    on_answer: Callable[[DeviceLink, int, int, bytes], None] = lambda link, request, status, body: None
    on_opened: Callable[[DeviceLink], None] = lambda link: None
    on_message: Callable[[DeviceLink, object, publisher.Publication], None] = lambda link, record, message: None
    on_backlog: Callable[[DeviceLink], None] = lambda link: None


class DeviceLink:
    """One device.

    Args:
        section: its settings.
        policy: how records become messages.
        sink: where messages go.
        hooks: who is told what happens.
        judges: who hears wake words again; None for nobody.

    Attributes:
        url: its port, see kittiwake.ports.
        counts: Counts.
        session: the GatewaySession.
        lag: records in the device's journal that are not acknowledged, as of its last status.
        evicted: records the device evicted, by class, as of its last status.
        health: the device's newest health record as a dict, {} before the first.
        problem: why the port is not open or the device not taken, or "".
        error: why the last attempt to open the port failed, None when it did not.
        was_open: it was open at least once.
        is_online, is_released: as they are now.
    """

    def __init__(
        self,
        section: DeviceSection,
        policy: publisher.Policy,
        sink: Sink,
        hooks: Hooks | None = None,
        judges: Judges | None = None,
    ):
        self.section = section
        self.url = section.port
        self.counts = Counts()
        self.session = gw.GatewaySession(_new_session, section.window)
        self.lag = 0
        self.evicted = (0, 0, 0)
        self.health: dict = {}
        self.problem = ""
        self.error: KittiwakeError | None = None
        self.was_open = False
        self.is_online = False
        self.is_released = False
        self._policy = policy
        self._outbox = Outbox(self, sink, self.counts)
        self._verdicts = Verdicts(judges, lambda: self.session.window) if judges else None
        self._judging: set[asyncio.Task] = set()
        self._hooks = hooks or Hooks()
        self._port = None
        self._serving: asyncio.Task | None = None
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._former: publisher.Former | None = None
        self._is_foreign = False
        self._settles = False
        self._complain_s = 0.0

    @property
    def backlog(self) -> int:
        """Messages that wait for room at the sink."""
        return self._outbox.backlog

    @property
    def in_memory(self) -> int:
        """Records kept here, not confirmed."""
        return len(self._outbox)

    @property
    def device(self) -> str | None:
        """The device's id, None before it has said it."""
        return None if self._is_foreign else self.session.device

    async def run(self) -> None:
        """Open the port and serve it; open it again whenever it is lost or not there yet; until cancelled."""
        delay_s = RETRY_FIRST_S
        while True:
            await self._wanted.wait()
            try:
                self._port = await serial.open_port(self.url, self.section.baudrate)
            except KittiwakeError as error:
                if str(error) != self.problem:
                    log.warning("%s: %s", self.url, error)
                self.problem, self.error = str(error), error
            else:
                self.problem, self.error, self.was_open = "", None, True
                delay_s = RETRY_FIRST_S
                self._serving = asyncio.create_task(self._serve_until_lost(), name=f"link {self.url}")
                try:
                    await self._serving
                except asyncio.CancelledError:
                    if not self.is_released:
                        raise
            # Drawn at random, or fifty ports behind one dead server would all try in step.
            await asyncio.sleep(random.uniform(delay_s / 2, delay_s))
            delay_s = min(delay_s * 2, RETRY_LAST_S)

    def release(self) -> None:
        """Give the port to another program until `resume`. Idempotent."""
        self.is_released = True
        self.problem = "released"
        self._wanted.clear()
        if self._serving is not None:
            self._serving.cancel()

    def resume(self) -> None:
        """Take the port again. Idempotent."""
        self.is_released = False
        self._wanted.set()

    def set_stalled(self, is_stalled: bool) -> None:
        """Let the device know whether the broker is away; what it makes in a long outage it marks as late."""
        self.session.set_stalled(is_stalled)
        self._pump(_now_ms())

    def tick(self, now_ms: int) -> None:
        """Let the session say what is due; call every 100 ms or so."""
        if self._port is None:
            return
        was_open = self.session.is_open
        self._pump(now_ms)
        if was_open and not self.session.is_open:
            log.warning("%s: device %s is silent", self.url, self.session.device)
            self._set_online(False)

    def hand_over(self, limit: int) -> int:
        """Give up to `limit` waiting messages to the sink while it has room. Returns how many still wait."""
        return self._outbox.hand_over(limit)

    def on_confirmed(self, delivery: Delivery) -> None:
        """The sink has a message."""
        is_news = self._outbox.confirm(delivery)
        if is_news and self._verdicts:
            self._verdicts.settled(delivery.seq)
        if is_news and not self._settles:
            # Once per turn of the loop: confirmations come in heaps, and one acknowledgement tells of them all.
            self._settles = True
            asyncio.get_running_loop().call_soon(self._settle)

    def on_refused(self, delivery: Delivery, reason: str) -> None:
        """The sink does not take a message: it stays unacknowledged, and is offered again later."""
        if self._outbox.refuse(delivery):
            self.problem = f"{delivery.message.topic}: the broker refuses: {reason}"

    def offer_again(self, delivery: Delivery) -> None:
        """A refused message has waited long enough."""
        if self._outbox.restore(delivery):
            self.problem = ""
            self._hooks.on_backlog(self)

    def command(self, op: int, body: bytes) -> int:
        """Send a command; its answer comes to the hook. Returns the request id."""
        request = self.session.command(op, body)
        self._pump(_now_ms())
        return request

    async def _serve_until_lost(self) -> None:
        self.session.reopen()
        try:
            self._pump(_now_ms())
            while True:
                self._take(await self._port.read())
        except PortLostError as error:
            self.counts.ports_lost += 1
            log.warning("%s: %s", self.url, error)
        finally:
            self._serving = None
            port, self._port = self._port, None
            await port.close()
            self._set_online(False)

    def _take(self, data: bytes) -> None:
        self.counts.received_bytes += len(data)
        now_ms = _now_ms()
        for event in self.session.feed(data, now_ms):
            if event[0] == gw.RECORD:
                self._record(event[1])
            else:
                self._handle(event)
        self._settle()
        self._pump(now_ms)

    def _handle(self, event: tuple) -> None:
        kind = event[0]
        if kind == gw.OPENED:
            self._opened(event[1])
        elif kind == gw.STATUS:
            self.lag = event[2] - event[1]
            self.evicted = event[3]
        elif kind == gw.ANSWER:
            self._hooks.on_answer(self, *event[1:])
        elif kind == gw.LOST:
            log.info("%s: %s", self.url, event[1])
            self._set_online(False)
        elif kind == gw.TEXT:
            for line in event[1].decode("utf-8", "backslashreplace").splitlines():
                if line.strip():
                    log.info("%s: console: %s", self.url, line)
                    self._hooks.on_text(self, line)
        elif kind == gw.REFUSED:
            self._complain(event[1])

    def _opened(self, is_new: bool) -> None:
        session = self.session
        self.counts.sessions += 1
        self._is_foreign = self.section.device not in ("", session.device)
        if is_new or self._former is None:
            self._outbox.begin(session.acked)
            if self._verdicts:
                self._verdicts.clear()
            self._former = publisher.Former(self._policy, session.device, session.journal)
        if self._is_foreign:
            self._complain(
                f"device {session.device} is here, and {self.section.device} is wanted: its records stay with it"
            )
            return
        self.problem = ""
        log.info("%s: device %s, journal %016x, boot %d", self.url, session.device, session.journal, session.boot)
        session.command(messages.OP_TIME, lambda: struct.pack("<Q", time.time_ns() // 1_000_000))
        self._set_online(True)
        self._hooks.on_opened(self)

    def _record(self, record) -> None:
        seq = record.seq
        if self._is_foreign:
            return
        if self._outbox.has_seen(seq):
            self.counts.repeats += 1
            return
        self.counts.records += 1
        former = self._former
        if not former.knows(record.layout):
            self._hooks.on_layout(self, former.describe(record.layout, self.session.layouts[record.layout]))
        asked = self._verdicts.take(record) if self._verdicts else None
        if isinstance(asked, Question):
            task = asyncio.get_running_loop().create_task(self._judge(self._outbox.hold(seq), former, record, asked))
            self._judging.add(task)
            task.add_done_callback(self._judging.discard)
            return
        message = former.form(record, asked)
        if message.kind == publisher.OPAQUE:
            self.counts.opaque += 1
        elif message.kind == "health":
            self.health = publisher.health_of(record)
        self._hooks.on_message(self, record, message)
        if not self._outbox.put(seq, message):
            self._hooks.on_backlog(self)

    async def _judge(self, delivery: Delivery, former: publisher.Former, record, question: Question) -> None:
        message = former.form(record, await self._verdicts.judge(question))
        self._hooks.on_message(self, record, message)
        if self._outbox.release(delivery, message) and self._outbox.hand_over(self._outbox.backlog):
            self._hooks.on_backlog(self)

    def _settle(self) -> None:
        self._settles = False
        session = self.session
        if not session.is_open or self._is_foreign:
            return
        done = self._outbox.done(session.received, self._verdicts.keep_from if self._verdicts else None)
        if done > session.acked:
            self._outbox.acknowledged(done)
            session.ack(done)
            self._pump(_now_ms())

    def _pump(self, now_ms: int) -> None:
        port = self._port
        if port is None:
            return
        while port.waiting_bytes < serial.WRITE_LIMIT_BYTES:
            frame = self.session.next_output(now_ms)
            if frame is None:
                return
            try:
                port.try_write(frame)
            except PortLostError:
                return  # the reader is told the same, and ends the session

    def _complain(self, problem: str) -> None:
        # A device gone mad says something else every time: not all of it is news.
        now_s = time.monotonic()
        if problem != self.problem and now_s >= self._complain_s:
            self._complain_s = now_s + COMPLAIN_EVERY_S
            log.error("%s: %s", self.url, problem)
        self.problem = problem

    def _set_online(self, is_online: bool) -> None:
        if is_online != self.is_online and self.device is not None:
            self.is_online = is_online
            self._hooks.on_status(self, is_online)


def _new_session() -> int:
    return secrets.randbelow(0xFFFFFFFF) + 1


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
