"""The history process: from the broker into a store, acknowledged to the broker only after the store's commit.

It knows MQTT and a store's face; neither tables nor figures. What waits is bounded: the broker sends no more than
its own limit of messages that are not acknowledged. They are acknowledged in the order in which they came, and none
that is not in the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.history import sharing
from kittiwake.history.retention import Policy
from kittiwake.history.row import NotARecord, Row, read
from kittiwake.history.settings import Settings
from kittiwake.history.stores import Store
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.observe.steps import ROW, Key, Step, Steps

log = logging.getLogger(__name__)

_RECEIVE_MOST = 65535  # of MQTT 5
_WAITING_BATCHES = 16
_AWAY_S = 90 * 86400
_NO_HANDLE = 0  # of a row whose connection is gone

# Row, or None for what is no record; handle; when it came (ns).
Waiting: TypeAlias = tuple[Row | None, int, int]


@dataclass
class Counts:
    """What a history process has seen.

    Attributes:
        messages: of its subscriptions.
        others: messages that are no records: statuses, answers, somebody else's.
        new, known, altered, repaired: as Written has them.
        failures: transactions that had to be tried again.
        dropped, dropped_bytes: records that retention has taken out, and their payloads.
    """

    messages: int = 0
    others: int = 0
    new: int = 0
    known: int = 0
    altered: int = 0
    repaired: int = 0
    failures: int = 0
    dropped: int = 0
    dropped_bytes: int = 0


class HistoryService:
    """Takes records from the broker until it is cancelled. Make it inside a running event loop.

    Args:
        settings: the configuration.
        store: where rows go.
        wall_ms: the clock, UTC in milliseconds since 1970.
        steps: who is told of records' steps; None for nobody.

    Attributes:
        counts: what it has seen.
        problem: why nothing is written at the moment, or "".
        retention_problem: why nothing is taken out at the moment, or "".
        lag_s: from the newest record's time to its commit, of the newest transaction; None before the first.
        is_known: the broker has answered the subscription, and from then on keeps what is not acknowledged.
        mqtt: the client, for its state.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        steps: Steps | None = None,
    ):
        section = settings.history
        broker = settings.broker
        if "session_expiry_s" not in broker.model_fields_set:
            # Boards forget what the broker has confirmed: for a history that is away it has to keep it longer.
            broker = broker.model_copy(update={"session_expiry_s": _AWAY_S})
        self._store, self._wall_ms, self._steps = store, wall_ms, steps
        self._batch_rows, self._retry_s = section.batch_rows, section.retry_s
        self._broker, self._share = broker, section.share
        self._waiting: list[Waiting] = []
        self._has_overflowed = self.is_known = False
        self._arrived = asyncio.Event()
        self.counts = Counts()
        self.problem = self.retention_problem = ""
        self.lag_s: float | None = None
        self._policy, self._every_s = settings.retention.policy(), settings.retention.every_s
        filters = [f"{section.base}/#", *section.topics]
        if section.share:
            filters = [f"$share/{section.share}/{topic}" for topic in filters]
        self.mqtt = MqttClient(
            broker,
            broker.client_id or f"kittiwake-history-{section.base.replace('/', '-')}",
            subscriptions=tuple(filters),
            callbacks=Callbacks(on_message=self._take, on_disconnected=self._forget, on_subscribed=self._subscribed),
            is_lasting=True,
            receive_limit=min(2 * section.batch_rows, _RECEIVE_MOST),  # one batch is written while the next comes
        )

    async def run(self) -> None:
        """Run until cancelled; what waits then is written before it ends.

        Raises:
            ConfigError: processes are to share a subscription that this broker would forget.
        """
        if self._share:
            problem = await sharing.problem_of(self._broker, f"{self.mqtt.client_id}-asks")
            if problem:
                raise ConfigError(problem)
        with ThreadPoolExecutor(1, thread_name_prefix="history") as thread:
            tasks = [asyncio.create_task(self.mqtt.run()), asyncio.create_task(self._write_all(thread))]
            if self._policy != Policy():
                tasks.append(asyncio.create_task(self._retain_all(thread)))
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                with contextlib.suppress(KittiwakeError):
                    await self._write_batch(thread)
                await self.mqtt.close()

    def _take(self, topic: str, payload: bytes, handle: int) -> None:
        self.counts.messages += 1
        if self._has_overflowed or len(self._waiting) >= _WAITING_BATCHES * self._batch_rows:
            # Mosquitto 2.0.11, without a limit of its own, sends more than the Receive Maximum that it was told. What
            # has no room is not acknowledged, and comes again with the next connection. Nothing after it is taken
            # until then, for ids have 16 bits: of two messages with one id the broker forgets the first.
            self._has_overflowed = True
            return
        row = None
        try:
            row = read(topic, payload)
        except NotARecord:
            self.counts.others += 1
        self._waiting.append((row, handle, time.time_ns()))
        self._arrived.set()

    @property
    def waiting(self) -> int:
        """Rows that have arrived and are not in the database: at most sixteen batches."""
        return sum(row is not None for row, _, _ in self._waiting)

    def _subscribed(self, refused: dict[str, str]) -> None:
        if not refused and not self.is_known:
            # Before this nobody has promised anything: some brokers send records before they know the session for good.
            self.is_known = True
            log.info("history: the broker keeps what this history has not acknowledged")

    def _forget(self) -> None:
        # Handles are of the connection, and the broker sends again what it got no answer for. The rows stay: a broker
        # that was killed may not have them any more, and one that has them sends a copy.
        self._waiting = [(row, _NO_HANDLE, came_ns) for row, _, came_ns in self._waiting]
        self._has_overflowed = False

    async def _write_all(self, thread: ThreadPoolExecutor) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                try:
                    await self._write_batch(thread)
                except KittiwakeError as error:
                    self.counts.failures += 1
                    if self.problem != str(error):
                        log.warning("history: %s; tried again in %.1f s", error, self._retry_s)
                    self.problem = str(error)
                    await asyncio.sleep(self._retry_s)
            if self._has_overflowed:
                self.mqtt.start_over()

    async def _retain_all(self, thread: ThreadPoolExecutor) -> None:
        while True:
            try:
                # A step at a time: rows that wait are written between two.
                dropped = await asyncio.wrap_future(thread.submit(self._store.retain, self._policy, self._wall_ms()))
            except KittiwakeError as error:
                if self.retention_problem != str(error):
                    log.warning("history: retention: %s; tried again in %.0f s", error, self._every_s)
                self.retention_problem = str(error)
                await asyncio.sleep(self._every_s)
                continue
            self.retention_problem = ""
            self.counts.dropped += dropped.records
            self.counts.dropped_bytes += dropped.bytes
            if dropped.is_done:
                await asyncio.sleep(self._every_s)

    async def _write_batch(self, thread: ThreadPoolExecutor) -> None:
        # What came while the last transaction ran is the next one: few rows wait for none, many share one commit.
        batch = self._waiting[: self._batch_rows]
        if not batch:
            return
        if rows := [row for row, _, _ in batch if row is not None]:
            await self._write(thread, rows)
        # Not those of `batch`: the connection may have been lost meanwhile.
        handles = [handle for _, handle, _ in self._waiting[: len(batch)]]
        del self._waiting[: len(batch)]
        for handle in handles:
            self.mqtt.acknowledge(handle)
        if self._steps:
            _tell(self._steps, batch)

    async def _write(self, thread: ThreadPoolExecutor, rows: list[Row]) -> None:
        written = await asyncio.wrap_future(thread.submit(self._store.write, rows, self._wall_ms()))
        if self.problem:
            log.info("history: written again")
        self.problem = ""
        newest_ms = max((row.ts_ms for row in rows if row.ts_ms is not None), default=None)
        if newest_ms is not None:
            self.lag_s = (self._wall_ms() - newest_ms) / 1000
        self.counts.new += written.new
        self.counts.known += written.known
        self.counts.altered += written.altered
        self.counts.repaired += written.repaired


def _tell(steps: Steps, batch: list[Waiting]) -> None:
    """Tell of rows that are in the database now; copies of known ones, too, which have gone the way once more."""
    now_ns = time.time_ns()
    for row, _, came_ns in batch:
        if row is None:
            continue
        key = Key(row.device, row.journal, row.seq)
        if steps.wants(key):
            steps.tell(Step(ROW, key, came_ns, now_ns, {"kind": row.kind}))
