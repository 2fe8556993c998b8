"""A broker that sends more than a history has room for: packet identifiers have 16 bits, so it has to be exact."""

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kittiwake.history.service import HistoryService
from kittiwake.history.settings import HistorySection, Settings
from kittiwake.history.sqlite_store import SqliteStore
from kittiwake.mqtt.settings import BrokerSection
from tests.history import records
from tests.history.running import Publisher
from tests.history.test_service import rows
from tests.mosquitto import HAND_ON_AT_ONCE, Mosquitto
from tests.support.waiting import until_async

BATCH = 10
IDENTIFIERS = 65_535


class Acknowledged:
    """Stands in for the client: which handles were acknowledged, and how often it started over."""

    def __init__(self):
        self.handles, self.starts = [], 0

    def acknowledge(self, handle):
        self.handles.append(handle)

    def start_over(self):
        self.starts += 1


class Held(SqliteStore):
    """Writes when it is let, and then slowly for a while."""

    is_held, slow_writes = True, 0

    def write(self, rows, arrived_ms):
        while self.is_held:
            time.sleep(0.01)
        if self.slow_writes:
            self.slow_writes -= 1
            time.sleep(0.15)
        return super().write(rows, arrived_ms)


@contextlib.contextmanager
def released_at_the_end(store):
    try:
        yield
    finally:
        store.is_held = False


@contextlib.asynccontextmanager
async def held_service(folder):
    """(service that writes, its store that is held, what it acknowledges)."""
    store = Held(folder / "h.sqlite")
    service = HistoryService(Settings(history=HistorySection(batch_rows=BATCH)), store)
    service.mqtt = mqtt = Acknowledged()
    with ThreadPoolExecutor(1) as thread, released_at_the_end(store):
        async with running(service._write_all(thread)):
            yield service, store, mqtt


@contextlib.asynccontextmanager
async def running(work):
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_what_follows_a_message_without_room_is_left_until_the_next_connection(tmp_path):
    async def work():
        async with held_service(tmp_path) as (service, store, mqtt):
            for handle in range(1, 16 * BATCH + 2):
                service._take(*take(handle))
            store.is_held = False
            await until_async(lambda: len(mqtt.handles) >= BATCH, "room again")
            service._take(*take(9999))
            service._take("kittiwake/press-7/status", b"online", 10_000)
            await until_async(lambda: mqtt.starts, "a new connection")
            assert mqtt.handles == list(range(1, 16 * BATCH + 1))
            service._forget()
            service._take(*take(1))
            await until_async(lambda: len(mqtt.handles) > 16 * BATCH, "the next one's first")
            assert mqtt.handles[-1] == 1 and mqtt.starts == 1

    asyncio.run(asyncio.wait_for(work(), 30))


def test_what_is_no_record_is_acknowledged_after_what_came_before_it(tmp_path):
    async def work():
        async with held_service(tmp_path) as (service, store, mqtt):
            service._take(*take(1))
            service._take("kittiwake/press-7/status", b"online", 2)
            await asyncio.sleep(0.1)
            assert mqtt.handles == [] and service.counts.others == 1
            store.is_held = False
            await until_async(lambda: mqtt.handles == [1, 2], lambda: f"{mqtt.handles}")

    asyncio.run(asyncio.wait_for(work(), 30))


def take(handle):
    topic, payload = records.event(handle, "x", handle)
    return topic, payload if isinstance(payload, bytes) else payload.encode(), handle


# Regression: what came while a slow store made room was acknowledged, and the broker forgot another message of that id.
@pytest.mark.soak
@pytest.mark.needs("mosquitto")
@pytest.mark.timeout(900)
def test_nothing_is_lost_when_more_is_on_its_way_than_there_are_identifiers(tmp_path):
    before, after = IDENTIFIERS + 10_000, 20_000

    async def work():
        config = f"{HAND_ON_AT_ONCE}\nautosave_on_changes false\nautosave_interval 0"
        with Mosquitto(tmp_path, config) as broker:
            store = Held(tmp_path / "h.sqlite")
            settings = Settings(broker=BrokerSection(url=broker.url), history=HistorySection(batch_rows=100))
            service = HistoryService(settings, store)
            async with running(service.run()):
                await until_async(lambda: service.is_known, "a session")
                publisher = Publisher(broker)
                await asyncio.to_thread(publish, publisher, 0, before)
                await until_async(lambda: publisher.confirmed == before, "all confirmed", 120)
                await asyncio.to_thread(broker.restart)  # it minds no Receive Maximum from here on
                await until_async(lambda: service.mqtt.reconnects, "a connection again", 60)
                store.is_held, store.slow_writes = False, 60
                await asyncio.to_thread(publish, publisher, before, after)
                await until_async(lambda: service.counts.new == before + after, lambda: f"{service.counts}", 300)
                assert service.counts.messages > 3 * before, "there was room for everything"
                publisher.close()

    asyncio.run(work())
    assert rows(tmp_path / "h.sqlite") == before + after


def publish(publisher, first, count):
    for seq in range(first, first + count):
        publisher.send(*records.event(seq, "x", seq))
