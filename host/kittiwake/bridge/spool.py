"""The spool: messages on the gateway's own disk until the broker has them, for a gateway that is off line for weeks.

Off by default, since with it a record's safety is this disk's: what was confirmed to a device survives kill -9 and a
power cut. Commits are batched: a commit a row is what makes others slow. A disk that is full, or fails, stops neither
what is read from it nor the process: devices keep their records until it works again.

The file is worked on by a thread of the spool's own; everything else is on the event loop. It knows no device.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from kittiwake.bridge.delivery import Sink
from kittiwake.bridge.refused import Refused
from kittiwake.bridge.settings import SpoolSection
from kittiwake.bridge.spool_file import BATCH, NewRow, SpoolFile, StoredRow
from kittiwake.mqtt.callbacks import Receipt
from kittiwake.observe.events import event
from kittiwake.peers.complaints import Complaints

log = logging.getLogger(__name__)

_WAITING_LIMIT = 4096
_ROW_BYTES = 48  # what a row costs beside its topic and payload
_RETRY_S = 1.0
_REFUSED_S = 5.0


class Spool:
    """One spool file. Make it inside a running event loop; it takes messages at once.

    Args:
        section: the settings.
        mqtt: where it drains to.
        on_room: called when it has room again.

    Attributes:
        records, bytes: on disk and not with the broker.
        dropped: messages dropped to make room since the process began.
        problem: why it takes nothing, or "".

    Raises:
        ConfigError: the file cannot be opened, or is no spool.
    """

    def __init__(self, section: SpoolSection, mqtt: Sink, on_room: Callable[[], None] = lambda: None):
        self._path, self._drops = section.path, section.on_full == "drop_oldest"
        self._commit_s = section.commit_ms / 1000
        self._limit = section.limit_mib * 1024 * 1024
        self._mqtt, self._on_room = mqtt, on_room
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._pending: deque[tuple[NewRow, Receipt]] = deque()
        self._pending_bytes = 0
        self._loaded: deque[StoredRow] = deque()  # read from disk, not handed over
        self._under_way: dict[int, int] = {}  # id -> size, loaded or handed over, in order of their ids
        self._refused = Refused[_Row]()
        self._read_to = 0
        self._offers = False
        self._wake = asyncio.Event()
        self._complaints = Complaints(log)
        self.dropped = 0
        self.problem = ""
        self._file = self._thread.submit(SpoolFile, section).result()
        self.records, self.bytes = self._file.records, self._file.bytes

    @property
    def has_room(self) -> bool:
        """Whether `publish` may be called."""
        if self.problem or len(self._pending) >= _WAITING_LIMIT:
            return False
        return self._drops or self.bytes + self._pending_bytes < self._limit

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, receipt: Receipt, /) -> None:
        """Take a publication; its receipt is confirmed when it is safe on disk.

        Args:
            topic: without wildcards.
            payload: bytes of the message.
            qos: 0 to 2.
            retain: the broker keeps it for later subscribers.
            receipt: who is told.
        """
        size = len(topic) + len(payload) + _ROW_BYTES
        self._pending.append(((topic, payload, qos, int(retain), size), receipt))
        self._pending_bytes += size
        self._wake.set()

    def drain(self) -> None:
        """Hand messages over to the broker while it has room; call when it has."""
        while self._loaded and self._mqtt.has_room:
            number, topic, payload, qos, retain = self._loaded.popleft()
            row = _Row(self, number, topic, payload, qos, bool(retain))
            if not self._refused.holds(topic, number, row):
                row.send()
        if not self._loaded and self._mqtt.has_room:
            self._wake.set()

    async def run(self) -> None:
        """Commit, read and delete in batches until cancelled; then commit what is pending."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._wake.wait()
                await asyncio.sleep(self._commit_s)
                self._wake.clear()
                await self._turn(loop)
        finally:
            await self._turn(loop)
            self._thread.submit(self._file.close).result()
            self._thread.shutdown()

    def confirmed(self, number: int, topic: str) -> None:
        """The broker has a row."""
        self._under_way.pop(number, None)
        for row in self._refused.taken(topic):
            row.send()
        self._wake.set()

    def refused(self, row: _Row, number: int, topic: str, reason: str) -> None:
        """The broker does not take a row: it stays on disk, and is offered again."""
        self._refused.add(topic, number, row, reason)
        if not self._offers:
            self._offers = True
            asyncio.get_running_loop().call_later(_REFUSED_S, self._offer)

    def _offer(self) -> None:
        self._offers = False
        for row in self._refused.offers():
            row.send()

    @property
    def refusals(self) -> dict[tuple[str, str], int]:
        """How many rows the broker has refused and not taken since, by topic and reason."""
        return self._refused.counts

    async def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = [self._pending[at] for at in range(min(len(self._pending), BATCH))]
        done_to = next(iter(self._under_way), self._read_to + 1) - 1
        wants_rows = not self._loaded and self._mqtt.has_room
        rows = [row for row, _ in batch]
        turn = await loop.run_in_executor(self._thread, self._file.turn, rows, done_to, wants_rows)
        had_room = self.has_room
        self.records, self.bytes = self._file.records, self._file.bytes
        self._tell(turn.problem)
        if turn.dropped:
            self.dropped += turn.dropped
            self._complaints.tell(f"spool {self._path} is full: {self.dropped} of the oldest messages dropped so far")
        for stored in turn.rows:
            self._under_way[stored[0]] = 0
            self._loaded.append(stored)
            self._read_to = stored[0]
        if turn.is_written:
            for row, receipt in batch:
                self._pending.popleft()
                self._pending_bytes -= row[4]
                receipt.confirmed()
        self.drain()
        if turn.problem:
            loop.call_later(_RETRY_S, self._wake.set)
        elif self._pending or (len(turn.rows) == BATCH and self._mqtt.has_room):
            self._wake.set()
        if not had_room and self.has_room or batch:
            self._on_room()

    def _tell(self, problem: str) -> None:
        if problem and not self.problem:
            log.error("spool %s; devices keep their records", problem, extra=event("spool.failed"))
        elif self.problem and not problem:
            log.warning("spool %s: works again", self._path, extra=event("spool.works"))
        self.problem = problem


class _Row:
    """One publication on its way from disk to broker, and the broker's receipt for it."""

    __slots__ = ("_message", "_number", "_spool")

    def __init__(self, spool: Spool, number: int, topic: str, payload: bytes, qos: int, retain: bool):
        self._spool, self._number = spool, number
        self._message = (topic, payload, qos, retain)

    def send(self) -> None:
        """Hand it over."""
        self._spool._mqtt.publish(*self._message, self)

    def confirmed(self) -> None:
        """The broker has it."""
        self._spool.confirmed(self._number, self._message[0])

    def refused(self, reason: str) -> None:
        """The broker does not take it: it stays on disk and is offered again."""
        self._spool.refused(self, self._number, self._message[0], reason)
