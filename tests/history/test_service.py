"""The history process for real: Mosquitto, kill -9 of the process and of the broker, a store that fails for a while."""

import asyncio
import random

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.history import open_history
from kittiwake.history.service import HistoryService
from kittiwake.history.settings import HistorySection, Settings
from kittiwake.history.sqlite_store import SqliteStore
from kittiwake.mqtt.settings import BrokerSection
from tests.history import records
from tests.history.running import Process, Publisher, wait_until_saved
from tests.mosquitto import Mosquitto
from tests.support import chaos_tally
from tests.support.hil import SOAK
from tests.support.waiting import until, until_async

pytestmark = pytest.mark.needs("mosquitto")

RECORDS = 200_000 if SOAK else 10_000
EPOCH_MS = 1_800_000_000_000


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path) as opened:
        yield opened


def rows(path):
    try:
        with open_history(path) as history:
            return sum(device.rows for device in history.devices())
    except KittiwakeError:
        return 0


@pytest.mark.timeout(1800 if SOAK else 240)
def test_each_record_is_one_row_through_kills_of_process_and_broker(broker, tmp_path):
    """Before anything is published the process has to be known to the broker, which keeps nothing for strangers."""
    path = tmp_path / "h.sqlite"
    rng = random.Random(1)
    told = {}
    for seq in range(RECORDS):
        device = f"press-{seq % 7}"
        made = records.summary(seq // 7, [rng.randint(-99, 99)], seq * 10, epoch_ms=EPOCH_MS, device=device)
        told[device, seq // 7] = made
    publisher = Publisher(broker)
    process = Process(broker, path)
    publisher.send(*told["press-0", 0])
    until(lambda: (publisher.send(*told["press-0", 0]), rows(path))[1], "a first row", 30, 0.2)
    kills = sorted(rng.sample(range(RECORDS // 10, RECORDS), 6))
    broker_kill = kills.pop(2)
    for number, made in enumerate(told.values()):
        publisher.send(*made)
        if number in kills:
            process.kill()
            process = Process(broker, path)
        elif number == broker_kill:
            until(lambda: len(publisher._client._out_messages) == 0, "all confirmed", 60)
            wait_until_saved(broker)
            broker.kill()
            broker.start()
    until(lambda: rows(path) >= RECORDS, lambda: f"{rows(path)} of {RECORDS} rows", 900 if SOAK else 120, 0.5)
    publisher.close()
    code, _ = process.end()
    assert code == 130
    with open_history(path) as history:
        audits = history.audit()
        kept = {(m.device, m.seq): m for m in history.messages("summary", limit=RECORDS + 1)}
        days = [history.summaries(f"press-{n}", "vibration", every_s=86400) for n in range(7)]
    assert len(kept) == RECORDS == sum(audit.rows for audit in audits)
    assert [audit.missing for audit in audits] == [0] * 7
    assert all(records.as_body(told[key]) == message.body for key, message in kept.items())
    assert sum(bucket.sums.n for buckets in days for bucket in buckets) == RECORDS
    chaos_tally.add(f"history: records {RECORDS}, rows {len(kept)}, process killed 5, broker killed 1")


class Failing:
    """A store that fails a number of times, as one does whose disk is full."""

    def __init__(self, store, times):
        self._store, self.left = store, times

    def write(self, rows, arrived_ms):
        if self.left:
            self.left -= 1
            raise KittiwakeError("h.sqlite cannot be written: database or disk is full")
        return self._store.write(rows, arrived_ms)


def test_store_that_fails_gets_its_rows_later_and_the_broker_no_acknowledgement_before(broker, tmp_path):
    path = tmp_path / "h.sqlite"

    async def work():
        settings = Settings(broker=BrokerSection(url=broker.url), history=HistorySection(retry_s=0.1, batch_rows=10))
        store = Failing(SqliteStore(path), 3)
        service = HistoryService(settings, store)
        task = asyncio.create_task(service.run())
        while not service.mqtt.is_connected:
            await asyncio.sleep(0.01)
        publisher = Publisher(broker)
        problems = set()
        for seq in range(400):
            publisher.send(*records.event(seq, "x", seq))
        publisher.send("kittiwake/press-7/status", b"online")
        while service.counts.new < 400:
            problems.add(service.problem)
            # What is held is bounded, so that memory is: the rest waits at the broker.
            assert service.waiting <= 160
            await asyncio.sleep(0.001)
        while not service.counts.others:
            await asyncio.sleep(0.01)
        publisher.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return service, problems

    service, problems = asyncio.run(asyncio.wait_for(work(), 60))
    assert service.counts.failures == 3
    assert any("disk is full" in problem for problem in problems) and service.problem == ""
    assert (service.counts.new, service.counts.altered) == (400, 0) and service.counts.others
    assert rows(path) == 400


def test_rows_that_wait_are_written_though_the_broker_lost_them(tmp_path):
    """A broker that is killed before it has saved sends nothing again: what has arrived is all there is."""

    async def work(broker):
        store = Failing(SqliteStore(tmp_path / "h.sqlite"), 1 << 30)
        service = HistoryService(
            Settings(broker=BrokerSection(url=broker.url), history=HistorySection(retry_s=0.1)), store
        )
        task = asyncio.create_task(service.run())
        await until_async(lambda: service.mqtt.is_connected, "a connection")
        publisher = Publisher(broker)
        for seq in range(50):
            publisher.send(*records.event(seq, "x", seq))
        await until_async(lambda: service.waiting == publisher.confirmed == 50, "rows that wait")
        publisher.close()
        broker.kill()
        (tmp_path / "mosquitto.db").unlink()
        broker.start()
        await until_async(lambda: service.mqtt.reconnects, "a connection again", 30)
        store.left = 0
        await until_async(lambda: service.counts.new == 50, lambda: f"{service.counts}", 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with Mosquitto(tmp_path) as broker:
        asyncio.run(asyncio.wait_for(work(broker), 60))
    assert rows(tmp_path / "h.sqlite") == 50
