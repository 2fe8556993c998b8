"""The spool: messages on the gateway's own disk until the broker has them, for a gateway that is off line for weeks.

Off by default, since with it a record's safety is this disk's. SQLite in WAL mode with synchronous FULL: what was
confirmed to a device survives kill -9 and a power cut. Commits are batched: a commit a row is what makes others slow.

All of SQLite runs on one thread of the spool's own; everything else on the event loop. It knows no device.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from kittiwake.bridge.delivery import Sink
from kittiwake.bridge.refused import Refused
from kittiwake.bridge.settings import SpoolSection
from kittiwake.errors import ConfigError
from kittiwake.mqtt.callbacks import Receipt
from kittiwake.peers import text

log = logging.getLogger(__name__)

_BATCH = 1000
_WAITING_LIMIT = 4096
_ROW_BYTES = 48  # what a row costs beside its topic and payload
_RETRY_S = 1.0
_REFUSED_S = 5.0
_COMPLAIN_EVERY_S = 60.0
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS spool (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL, size INTEGER NOT NULL)
"""


# topic, payload, QoS, retain, bytes on disk
_NewRow = tuple[str, bytes, int, int, int]
# id, topic, payload, QoS, retain
_StoredRow = tuple[int, str, bytes, int, int]
# records, bytes, dropped, rows read
_Written = tuple[int, int, int, list[_StoredRow]]


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
        self._section = section
        self._limit = section.limit_mib * 1024 * 1024
        self._mqtt, self._on_room = mqtt, on_room
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._pending: deque[tuple[_NewRow, Receipt]] = deque()
        self._pending_bytes = 0
        self._loaded: deque[_StoredRow] = deque()  # read from disk, not handed over
        self._under_way: dict[int, int] = {}  # id -> size, loaded or handed over, in order of their ids
        self._refused = Refused[_Row]()
        self._read_to = 0
        self._done_to = 0  # everything up to here is with the broker and may be deleted
        self._on_disk_to = 0
        self._offers = False
        self._wake = asyncio.Event()
        self._complain_s = 0.0
        self.dropped = 0
        self.problem = ""
        self.records, self.bytes = self._thread.submit(self._open).result()

    @property
    def has_room(self) -> bool:
        """Whether `publish` may be called."""
        if self.problem or len(self._pending) >= _WAITING_LIMIT:
            return False
        return self._section.on_full == "drop_oldest" or self.bytes + self._pending_bytes < self._limit

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
                await asyncio.sleep(self._section.commit_ms / 1000)
                self._wake.clear()
                await self._turn(loop)
        finally:
            await self._turn(loop)
            self._thread.submit(self._database.close).result()
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
        batch = [self._pending[at] for at in range(min(len(self._pending), _BATCH))]
        self._done_to = next(iter(self._under_way), self._read_to + 1) - 1
        wants_rows = not self._loaded and self._mqtt.has_room
        rows = [row for row, _ in batch]
        try:
            written = await loop.run_in_executor(self._thread, self._work, rows, self._done_to, wants_rows)
        except sqlite3.Error as error:
            if not self.problem:
                log.error("spool %s: %s; devices keep their records", self._section.path, error)
            self.problem = f"{self._section.path}: {error}"
            loop.call_later(_RETRY_S, self._wake.set)
            return
        had_room = self.has_room
        if self.problem:
            log.warning("spool %s: works again", self._section.path)
            self.problem = ""
        self.records, self.bytes, dropped, loaded = written
        if dropped:
            self.dropped += dropped
            self._complain(loop.time())
        for stored in loaded:
            self._under_way[stored[0]] = 0
            self._loaded.append(stored)
            self._read_to = stored[0]
        for row, receipt in batch:
            self._pending.popleft()
            self._pending_bytes -= row[4]
            receipt.confirmed()
        self.drain()
        if self._pending or (len(loaded) == _BATCH and self._mqtt.has_room):
            self._wake.set()
        if not had_room and self.has_room or batch:
            self._on_room()

    def _complain(self, now_s: float) -> None:
        if now_s >= self._complain_s:
            self._complain_s = now_s + _COMPLAIN_EVERY_S
            log.warning("spool %s is full: %d of the oldest messages dropped so far", self._section.path, self.dropped)

    def _open(self) -> tuple[int, int]:
        path = self._section.path
        try:
            # Autocommit: transactions are begun by hand.
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.text_factory = _text_of
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise ConfigError(f"spool.path: {path} is of version {version}", "name another file, or update")
            self._database.execute(_SCHEMA)
            self._database.execute(f"PRAGMA user_version={_VERSION}")
            query = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM spool"
            self._count, self._size = self._database.execute(query).fetchone()
            return self._count, self._size
        except sqlite3.Error as error:
            raise ConfigError(
                f"spool.path: {path}: {error}", "name a file that may be written, or no file yet"
            ) from error

    def _work(self, rows: list[_NewRow], done_to: int, wants_rows: bool) -> _Written:
        """On the spool's thread: one transaction, then a read. Gives records, bytes, dropped, and rows read."""
        database = self._database
        dropped = 0
        before = self._count, self._size
        if rows or done_to > self._on_disk_to:
            database.execute("BEGIN IMMEDIATE")
            try:
                self._delete(self._on_disk_to, done_to)
                database.executemany(
                    "INSERT INTO spool (topic, payload, qos, retain, size) VALUES (?, ?, ?, ?, ?)", rows
                )
                self._count += len(rows)
                self._size += sum(row[4] for row in rows)
                if self._section.on_full == "drop_oldest":
                    dropped = self._drop_oldest()
                database.execute("COMMIT")
            except BaseException:
                database.execute("ROLLBACK")
                self._count, self._size = before
                raise
            self._on_disk_to = done_to
        loaded: list[_StoredRow] = []
        if wants_rows:
            query = "SELECT id, topic, payload, qos, retain FROM spool WHERE id > ? ORDER BY id LIMIT ?"
            loaded = database.execute(query, (self._read_to, _BATCH)).fetchall()
        return self._count, self._size, dropped, loaded

    def _delete(self, above: int, to: int) -> None:
        span = (above, to)
        query = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM spool WHERE id > ? AND id <= ?"
        count, size = self._database.execute(query, span).fetchone()
        self._database.execute("DELETE FROM spool WHERE id > ? AND id <= ?", span)
        self._count -= count
        self._size -= size

    def _drop_oldest(self) -> int:
        over = self._size - self._limit
        if over <= 0:
            return 0
        # What is already in memory is on its way; the oldest behind it goes.
        dropped, last = 0, 0
        for number, size in self._database.execute(
            "SELECT id, size FROM spool WHERE id > ? ORDER BY id", (self._read_to,)
        ):
            if over <= 0:
                break
            over -= size
            dropped, last = dropped + 1, number
        self._delete(self._read_to, last)
        return dropped


def _text_of(stored: bytes) -> str:
    # What an earlier version left here may be no topic: sent as it is, it would cost the connection again and again.
    return text.level(stored.decode(errors="replace"))[0]


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
