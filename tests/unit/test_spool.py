"""The spool: safe when it says so, bounded, in order, over kills, full disks and refusals."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from kittiwake.bridge.settings import SpoolSection
from kittiwake.bridge.spool import Spool
from kittiwake.errors import ConfigError
from tests.support.waiting import until_async


class Broker:
    """As much of MqttClient as the spool sees."""

    def __init__(self, has_room=False):
        self.has_room = has_room
        self.sent = []
        self.confirms = True

    def publish(self, topic, payload, qos, retain, token):
        self.sent.append((topic, bytes(payload)))
        if self.confirms:
            token.confirmed()


class Note:
    def __init__(self, box, name):
        self.box, self.name = box, name

    def confirmed(self):
        self.box.append(self.name)


@asynccontextmanager
async def running(path, broker, rooms=None, **settings):
    section = SpoolSection(enabled=True, path=str(path), commit_ms=1, **settings)
    spool = Spool(section, broker, (lambda: rooms.append(1)) if rooms is not None else lambda: None)
    task = asyncio.create_task(spool.run())
    try:
        yield spool
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def fill(spool, done, numbers, size=10):
    for number in numbers:
        spool.publish("t", b"%0*d" % (size, number), 1, False, Note(done, number))


def test_spool_confirms_when_on_disk_and_drains_in_order_after_a_restart(tmp_path):
    async def run():
        broker, done = Broker(), []
        async with running(tmp_path / "s.db", broker) as spool:
            fill(spool, done, range(3000))
            assert done == []
            await until_async(lambda: len(done) == 3000)
            assert (spool.records, broker.sent) == (3000, [])
        broker = Broker(has_room=True)
        async with running(tmp_path / "s.db", broker) as spool:
            assert spool.records == 3000
            spool.drain()
            await until_async(lambda: len(broker.sent) == 3000)
            assert [int(payload) for _, payload in broker.sent] == list(range(3000))
            await until_async(lambda: spool.records == 0)

    asyncio.run(run())


def test_spool_of_what_the_broker_did_not_confirm_sends_it_again_after_a_restart(tmp_path):
    async def run():
        broker = Broker(has_room=True)
        broker.confirms = False
        async with running(tmp_path / "s.db", broker) as spool:
            fill(spool, [], range(10))
            await until_async(lambda: len(broker.sent) == 10)
        again = Broker(has_room=True)
        async with running(tmp_path / "s.db", again) as spool:
            spool.drain()
            await until_async(lambda: len(again.sent) == 10)
        assert again.sent == broker.sent

    asyncio.run(run())


def test_spool_that_is_full_rejects_until_it_has_drained(tmp_path):
    async def run():
        broker, done, rooms = Broker(), [], []
        async with running(tmp_path / "s.db", broker, rooms, limit_mib=1) as spool:
            number = 0
            while spool.has_room:
                fill(spool, done, [number], 10_000)
                number += 1
                await asyncio.sleep(0)
            await until_async(lambda: len(done) == number)
            assert not spool.has_room and 90 <= number <= 110
            rooms.clear()
            broker.has_room = True
            spool.drain()
            await until_async(lambda: spool.has_room and rooms)
            assert len(broker.sent) == number and spool.dropped == 0

    asyncio.run(run())


def test_spool_that_drops_the_oldest_keeps_the_newest_and_counts(tmp_path):
    async def run():
        broker, done = Broker(), []
        async with running(tmp_path / "s.db", broker, limit_mib=1, on_full="drop_oldest") as spool:
            for number in range(300):
                fill(spool, done, [number], 10_000)
                await asyncio.sleep(0.002)
            await until_async(lambda: len(done) == 300)
            assert spool.bytes <= 1024 * 1024
            broker.has_room = True
            spool.drain()
            await until_async(lambda: spool.records == 0)
            numbers = [int(payload[-6:]) for _, payload in broker.sent]
            assert numbers == list(range(spool.dropped, 300)) and spool.dropped > 150

    asyncio.run(run())


def limit_pages(spool, more):
    """Let the file grow by so many pages and no more, as a disk does that has so much room."""

    def limit():
        pages = spool._file._database.execute("PRAGMA page_count").fetchone()[0]
        spool._file._database.execute(f"PRAGMA max_page_count={pages + more}")

    spool._thread.submit(limit).result()


def test_spool_on_a_full_disk_confirms_nothing_says_so_and_goes_on_when_there_is_room(tmp_path, monkeypatch, caplog):
    # Regression: "cannot rollback - no transaction is active" stood where the reason should.
    monkeypatch.setattr("kittiwake.bridge.spool._RETRY_S", 0.05)

    async def run():
        broker, done = Broker(), []
        async with running(tmp_path / "s.db", broker) as spool:
            limit_pages(spool, 1)
            fill(spool, done, range(5), 10_000)
            await until_async(lambda: spool.problem)
            assert "the disk is full" in spool.problem and "rollback" not in spool.problem
            assert not spool.has_room and done == [] and spool.records == 0
            limit_pages(spool, 1000)
            await until_async(lambda: done == list(range(5)))
            assert spool.has_room and not spool.problem and spool.records == 5

    asyncio.run(run())
    assert "devices keep their records" in caplog.text and "works again" in caplog.text


def test_spool_on_a_full_disk_still_drains_and_takes_more_in_the_room_that_it_makes(tmp_path, monkeypatch):
    monkeypatch.setattr("kittiwake.bridge.spool._RETRY_S", 0.05)

    async def run():
        broker, done = Broker(), []
        async with running(tmp_path / "s.db", broker) as spool:
            fill(spool, done, range(20), 10_000)
            await until_async(lambda: len(done) == 20)
            limit_pages(spool, 0)
            fill(spool, done, range(20, 30), 10_000)
            await until_async(lambda: spool.problem)
            broker.has_room = True
            spool.drain()
            await until_async(lambda: len(done) == 30 and not spool.problem)
            await until_async(lambda: len(broker.sent) == 30 and spool.records == 0)
            assert [int(payload[-6:]) for _, payload in broker.sent] == list(range(30))

    asyncio.run(run())


def test_spool_leaves_room_on_its_disk_so_that_it_can_become_empty_again(tmp_path, monkeypatch):
    monkeypatch.setattr("kittiwake.bridge.spool._RETRY_S", 0.05)
    free = [1000]
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free[0]))

    async def run():
        done = []
        async with running(tmp_path / "s.db", Broker()) as spool:
            fill(spool, done, range(5))
            await until_async(lambda: spool.problem)
            assert "1000 bytes are free" in spool.problem and done == []
            free[0] = 1 << 30
            await until_async(lambda: done == list(range(5)))

    asyncio.run(run())


_WRITER = """
import asyncio, sys
from kittiwake.bridge.settings import SpoolSection
from kittiwake.bridge.spool import Spool
class Broker: has_room = False
class Note:
    def __init__(self, n): self.n = n
    def confirmed(self): print(self.n, flush=True)
async def run():
    spool = Spool(SpoolSection(enabled=True, path=sys.argv[1], commit_ms=1), Broker())
    task = asyncio.create_task(spool.run())
    n = 0
    while True:
        if spool.has_room:
            spool.publish("t", b"%d" % n, 1, False, Note(n)); n += 1
        if n % 7 == 0: await asyncio.sleep(0.001)
asyncio.run(run())
"""


@pytest.mark.parametrize("lines", [1, 200, 2000])
def test_spool_killed_in_the_middle_has_everything_that_it_confirmed(tmp_path, lines):
    process = subprocess.Popen([sys.executable, "-c", _WRITER, tmp_path / "s.db"], stdout=subprocess.PIPE)
    for _ in range(lines):
        process.stdout.readline()
    process.kill()
    confirmed = lines + len(process.stdout.read().splitlines())
    process.stdout.close()
    process.wait()

    async def run():
        broker = Broker(has_room=True)
        async with running(tmp_path / "s.db", broker) as spool:
            kept = spool.records
            assert kept >= confirmed - 1  # the last line may be cut short
            spool.drain()
            await until_async(lambda: len(broker.sent) == kept)
            assert [int(payload) for _, payload in broker.sent] == list(range(kept))

    asyncio.run(run())


def test_spool_at_a_place_that_cannot_be_names_the_setting(tmp_path):
    (tmp_path / "text").write_text("this is no database, and long enough to look like one" * 50)

    async def make(path):
        Spool(SpoolSection(enabled=True, path=str(path)), Broker())

    for path in (tmp_path / "text", tmp_path / "no" / "such" / "folder.db"):
        with pytest.raises(ConfigError, match="spool.path"):
            asyncio.run(make(path))


def test_spool_with_topics_that_no_broker_takes_drains_them_under_safe_names(tmp_path):
    async def run():
        done = []
        async with running(tmp_path / "s.db", Broker()) as spool:
            spool.publish("k/a\x7fb", b"1", 1, False, Note(done, 1))
            spool.publish("k/a\uffffb", b"2", 1, False, Note(done, 2))
            await until_async(lambda: len(done) == 2)
        with sqlite3.connect(tmp_path / "s.db") as database:
            database.execute("UPDATE spool SET topic = CAST(x'6B2FEDA080' AS TEXT) WHERE payload = x'32'")
        broker = Broker(has_room=True)
        async with running(tmp_path / "s.db", broker) as spool:
            spool.drain()
            await until_async(lambda: len(broker.sent) == 2 and not spool.records)
            assert not spool.problem
        assert [topic for topic, _ in broker.sent] == ["k/a_b", "k/\ufffd\ufffd\ufffd"]

    asyncio.run(run())
