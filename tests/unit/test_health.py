"""When a bridge is not well, and why in words; how long it waits to connect again; a web server with slow clients."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

from kittiwake.bridge.health import Health
from kittiwake.mqtt.backoff import Backoff
from kittiwake.observe import web

PAGE_BYTES = 64_000_000  # more than both ends' kernels keep


class World:
    """A Health of a broker, a spool and links that the test sets, at a time that it sets."""

    def __init__(self, spool=None):
        self.now_s = 1000.0
        self.mqtt, self.commands = self._client("k-bridge"), self._client("k-bridge-commands")
        self.links = [SimpleNamespace(intake=[])]
        self.spool = spool
        self.health = Health(self.mqtt, self.commands, spool, lambda: self.links, 60, lambda: self.now_s)

    def _client(self, client_id):
        takeovers = SimpleNamespace(count=0, told_s=0.0)
        messages = SimpleNamespace(confirmed=0)
        return SimpleNamespace(
            is_connected=True, problem="", takeovers=takeovers, messages=messages, client_id=client_id
        )

    def pass_s(self, seconds):
        for _ in range(seconds):
            self.now_s += 1
            self.health.look()


def test_health_with_nothing_waiting_is_well_however_long_nothing_is_confirmed():
    world = World()
    world.pass_s(1000)
    assert world.health.reasons == []


def test_health_with_records_that_wait_and_none_confirmed_says_so_until_one_is():
    world = World()
    world.links[0].intake = [1, 2, 3]
    world.pass_s(59)
    assert world.health.reasons == []
    world.pass_s(2)
    assert world.health.reasons == ["3 records wait, and the broker confirmed none for 61 s"]
    world.mqtt.messages.confirmed = 1
    world.pass_s(1)
    assert world.health.reasons == []


def test_health_with_a_spool_counts_what_waits_there_and_says_what_is_wrong_with_it():
    world = World(SimpleNamespace(records=7, problem=""))
    world.pass_s(61)
    assert world.health.reasons == ["7 records wait, and the broker confirmed none for 61 s"]
    world.spool.records, world.spool.problem = 0, "/s.db: the disk is full"
    world.pass_s(1)
    assert world.health.reasons == ["spool /s.db: the disk is full; devices keep their records"]


def test_health_without_a_broker_or_with_a_second_bridge_says_which():
    world = World()
    world.mqtt.is_connected, world.mqtt.problem = False, "h:1883: nothing listens there"
    assert world.health.reasons == ["broker h:1883: nothing listens there"]
    world.mqtt.is_connected = True
    world.commands.takeovers.count, world.commands.takeovers.told_s = 2, world.now_s
    assert world.health.reasons == [
        "2 connections lost to another program, it seems, that connects as k-bridge-commands"
    ]
    world.pass_s(301)
    assert world.health.reasons == []


def waits(backoff, count, lasted_s, is_taken_over=False, is_wordless=False, fails=False):
    out, now_s = [], 0.0
    for _ in range(count):
        out.append(backoff.next_s())
        if fails:
            backoff.failed()
        backoff.connected(now_s)
        now_s += lasted_s
        backoff.lost(now_s, is_taken_over, is_wordless)
    return out


@pytest.mark.parametrize(
    ("case", "last", "is_contested"),
    [
        ({"lasted_s": 10}, 1, False),
        ({"lasted_s": 0.1}, 30, False),
        ({"lasted_s": 10, "is_taken_over": True}, 30, True),
        ({"lasted_s": 10, "is_wordless": True}, 30, True),
        ({"lasted_s": 10, "is_wordless": True, "fails": True}, 1, False),  # a broker that restarts
        ({"lasted_s": 200, "is_wordless": True}, 1, False),
    ],
)
def test_backoff_begins_anew_after_a_connection_that_lasted_and_nobody_takes(case, last, is_contested):
    # Regression: two bridges of one id took each other's connection 18 times in 10 s.
    backoff = Backoff(1, 30)
    got = waits(backoff, 12, **case)
    assert 0.5 <= got[0] <= 1 and last / 2 <= got[-1] <= last
    assert backoff.is_contested is is_contested


def test_web_with_a_burst_of_clients_keeps_to_its_bound():
    async def run():
        ready = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(
            web.serve("127.0.0.1:0", {"/metrics": lambda: (200, "text/plain", b"x 1\n")}, ready.set_result)
        )
        port = await ready
        slow = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(100)))
        # Those that had to make room are at their end at once; nobody is waited for.
        ends = await asyncio.gather(*(asyncio.wait_for(reader.read(), 2) for reader, _ in slow), return_exceptions=True)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for _, writer in slow:
            writer.close()
        return sum(isinstance(end, TimeoutError) for end in ends)

    assert asyncio.run(run()) <= 16


def test_web_with_60_clients_that_ask_nothing_answers_one_that_asks():
    async def run():
        ready = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(
            web.serve("127.0.0.1:0", {"/metrics": lambda: (200, "text/plain", b"x 1\n")}, ready.set_result)
        )
        port = await ready
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
        for _, writer in slow[::2]:
            writer.write(b"GET /met")
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await asyncio.wait_for(reader.read(), 3)).endswith(b"x 1\n")
            writer.close()
        for _, writer in slow:
            writer.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_web_with_clients_that_read_nothing_lets_them_go(monkeypatch):
    monkeypatch.setattr(web, "_TIMEOUT_S", 0.3)

    async def run():
        ready = asyncio.get_running_loop().create_future()
        page = (200, "text/plain", bytes(PAGE_BYTES))
        task = asyncio.create_task(web.serve("127.0.0.1:0", {"/metrics": lambda: page}, ready.set_result))
        reader, writer = await asyncio.open_connection("127.0.0.1", await ready, limit=1024)
        writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
        await asyncio.sleep(1)
        read_bytes = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                read_bytes += len(data)
        assert 0 < read_bytes < PAGE_BYTES
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
