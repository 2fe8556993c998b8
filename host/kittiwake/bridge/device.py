"""One device at the bridge: its port, its session, and what of it is on the way to the broker.

A record is acknowledged to the device only when the broker has confirmed it. The window of the session bounds what is
kept here; nothing else does, and nothing of it outlives the process: the device's journal has it all.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kittiwake import ports
from kittiwake.bridge import publisher
from kittiwake.errors import KittiwakeError, PortLostError
from kittiwake_node.core import gateway_session as gw
from kittiwake_node.core import messages

log = logging.getLogger(__name__)

WINDOW_RECORDS = 256
TICK_S = 0.1
RETRY_FIRST_S = 0.2
RETRY_LAST_S = 5.0


@dataclass
class Counts:
    """What happened on one device's link since the bridge started."""

    records: int = 0
    published: int = 0
    acked: int = 0
    repeats: int = 0
    ports_lost: int = 0
    sessions: int = 0


class DeviceLink:
    """One device.

    Args:
        url: its port, see kittiwake.ports.
        policy: how records become messages.
        publish: called as publish(publication) -> id, only while `is_connected()`.
        is_connected: whether the broker takes messages now.
        on_status: called as on_status(device id, is_online) when that changes.
        on_text: called with a line of console text from the device.
        window: records in flight.

    Attributes:
        counts: Counts.
        session: the GatewaySession.
        lag: records in the device's journal that are not acknowledged, as of its last status.
        evicted: records the device evicted, by class, as of its last status.
        problem: why the port is not open, or "".
    """

    def __init__(
        self,
        url: str,
        policy: publisher.Policy,
        publish: Callable[[publisher.Publication], int],
        is_connected: Callable[[], bool],
        on_status: Callable[[str, bool], None] = lambda device, is_online: None,
        on_text: Callable[[str], None] = lambda line: None,
        window: int = WINDOW_RECORDS,
    ):
        self.url = url
        self.counts = Counts()
        self.session = gw.GatewaySession(_new_session, window)
        self.lag = 0
        self.evicted = (0, 0, 0)
        self.problem = ""
        self.is_online = False
        self._policy = policy
        self._publish = publish
        self._is_connected = is_connected
        self._on_status = on_status
        self._on_text = on_text
        self._port = None
        self._backlog: deque[tuple[int, publisher.Publication]] = deque()
        self._in_flight: dict[int, int] = {}  # sequence number -> publication id, or -1 while in the backlog
        self._by_id: dict[int, int] = {}
        self._done_next = 0

    async def run(self) -> None:
        """Open the port and serve it; open it again whenever it is lost or not there yet; until cancelled."""
        delay_s = RETRY_FIRST_S
        while True:
            try:
                self._port = await ports.open_port(self.url)
            except KittiwakeError as error:
                if str(error) != self.problem:
                    log.warning("%s: %s", self.url, error)
                self.problem = str(error)
            else:
                self.problem = ""
                delay_s = RETRY_FIRST_S
                await self._serve_until_lost()
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RETRY_LAST_S)

    def on_published(self, publication_id: int) -> bool:
        """The broker has confirmed a message. Returns whether it was one of this device's."""
        seq = self._by_id.pop(publication_id, None)
        if seq is None:
            return False
        self.counts.acked += 1
        if self._in_flight.get(seq) == publication_id:
            del self._in_flight[seq]
            self._settle()
        return True

    def on_connected(self) -> None:
        """The broker takes messages again: hand over what waited."""
        while self._backlog and self._is_connected():
            seq, message = self._backlog.popleft()
            self._hand_over(seq, message)

    async def _serve_until_lost(self) -> None:
        self.session.reopen()
        ticker = asyncio.create_task(self._tick())
        try:
            self._pump()
            while True:
                data = await self._port.read()
                self._take(data)
        except PortLostError as error:
            self.counts.ports_lost += 1
            log.warning("%s: %s", self.url, error)
        finally:
            ticker.cancel()
            port, self._port = self._port, None
            await port.close()
            self._set_online(False)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            was_open = self.session.is_open
            self._pump()
            if was_open and not self.session.is_open:
                log.warning("%s: device %s is silent", self.url, self.session.device)
                self._set_online(False)

    def _take(self, data: bytes) -> None:
        for event in self.session.feed(data, _now_ms()):
            self._handle(event)
        self._settle()
        self._pump()

    def _handle(self, event: tuple) -> None:
        kind = event[0]
        if kind == gw.RECORD:
            self._record(event[1])
        elif kind == gw.OPENED:
            self._opened(event[1])
        elif kind == gw.STATUS:
            self.lag = event[2] - event[1]
            self.evicted = event[3]
        elif kind == gw.LOST:
            log.info("%s: %s", self.url, event[1])
            self._set_online(False)
        elif kind == gw.TEXT:
            for line in event[1].decode("utf-8", "backslashreplace").splitlines():
                if line.strip():
                    log.info("%s: console: %s", self.url, line)
                    self._on_text(line)
        elif kind == gw.REFUSED:
            log.error("%s: %s", self.url, event[1])

    def _opened(self, is_new: bool) -> None:
        session = self.session
        self.counts.sessions += 1
        if is_new:
            # Other sequence numbers: what is still on the way belongs to the journal before.
            self._in_flight.clear()
            self._backlog.clear()
            self._done_next = session.acked
        log.info("%s: device %s, journal %016x, boot %d", self.url, session.device, session.journal, session.boot)
        session.command(messages.OP_TIME, lambda: struct.pack("<Q", time.time_ns() // 1_000_000))
        self._set_online(True)

    def _record(self, record) -> None:
        if record.seq in self._in_flight or record.seq < self._done_next:
            self.counts.repeats += 1
            return
        self.counts.records += 1
        layout = self.session.layouts[record.layout]
        message = publisher.publication(self._policy, self.session.device, self.session.journal, record, layout)
        if self._is_connected():
            self._hand_over(record.seq, message)
        else:
            self._in_flight[record.seq] = -1
            self._backlog.append((record.seq, message))

    def _hand_over(self, seq: int, message: publisher.Publication) -> None:
        publication_id = self._publish(message)
        self.counts.published += 1
        if message.qos == 0:
            # Nobody confirms it; handing it over is all there is.
            self._in_flight.pop(seq, None)
            self.counts.acked += 1
            return
        self._in_flight[seq] = publication_id
        self._by_id[publication_id] = seq

    def _settle(self) -> None:
        # Records arrive in order, so the first key is the oldest that the broker has not confirmed.
        session = self.session
        if not session.is_open:
            return
        done = min(next(iter(self._in_flight), session.received), session.received)
        if done > session.acked:
            self._done_next = max(self._done_next, done)
            session.ack(done)
            self._pump()

    def _pump(self) -> None:
        port = self._port
        if port is None:
            return
        while port.waiting_bytes < ports.WRITE_LIMIT_BYTES:
            frame = self.session.next_output(_now_ms())
            if frame is None:
                return
            try:
                port.try_write(frame)
            except PortLostError:
                return  # the reader is told the same, and ends the session

    def _set_online(self, is_online: bool) -> None:
        if is_online != self.is_online and self.session.device is not None:
            self.is_online = is_online
            self._on_status(self.session.device, is_online)


def _new_session() -> int:
    return secrets.randbelow(0xFFFFFFFF) + 1


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
