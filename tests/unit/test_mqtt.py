"""The MQTT client against a real Mosquitto: versions, reconnects, order, bounds, repeats."""

import asyncio
import itertools
import json
from contextlib import asynccontextmanager

import pytest
import websockets.asyncio.server as websockets

from kittiwake.demo.ledger import LedgerProcess
from kittiwake.errors import UsageError
from kittiwake.mqtt.address import Address, parse_url
from kittiwake.mqtt.callbacks import Callbacks
from tests.mosquitto import Mosquitto
from tests.support import certificates
from tests.support.mqtt import Note, connected
from tests.support.waiting import until_async

needs_mosquitto = pytest.mark.needs("mosquitto")


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path) as broker:
        yield broker


@asynccontextmanager
async def websocket_relay(port):
    """A websocket in front of a broker: not every Mosquitto is built with one."""

    async def relay(websocket):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def up():
            async for message in websocket:
                writer.write(message)
            writer.close()

        task = asyncio.create_task(up())
        while data := await reader.read(65536):
            await websocket.send(data)
        task.cancel()

    async with websockets.serve(relay, "127.0.0.1", 0, subprotocols=["mqtt"]) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://h", Address("h", 1883)),
        ("h:1884", None),
        ("mqtts://h", Address("h", 8883, True)),
        ("ws://h/x/y", Address("h", 80, False, "/x/y")),
        ("wss://[::1]:9443", Address("::1", 9443, True, "/")),
        ("mqtt://h:99999", None),
        ("http://h", None),
        ("mqtt://h/x", None),
        ("mqtt://u:p@h", None),
        ("", None),
    ],
)
def test_address_of_a_url_is_read_or_refused(url, expected):
    if url == "h:1884":
        assert parse_url(url) == Address("h", 1884)
    elif expected is None:
        with pytest.raises(UsageError) as caught:
            parse_url(url)
        assert "u:p" not in str(caught.value)
    else:
        assert parse_url(url) == expected


@needs_mosquitto
@pytest.mark.parametrize("protocol", ["auto", "5", "3.1.1"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_mqtt_client_confirms_every_message_once(mosquitto, protocol, qos):
    async def run():
        done = []
        async with connected(mosquitto.url, protocol=protocol) as client:
            assert client.protocol == ("3.1.1" if protocol == "3.1.1" else "5")
            for number in range(50):
                client.publish("t", b"%d" % number, qos, receipt=Note(done, number))
            await until_async(lambda: len(done) == 50)
            assert sorted(done) == list(range(50)) and client.in_flight == 0

    asyncio.run(run())


@needs_mosquitto
def test_mqtt_client_over_websockets_with_large_messages_confirms(mosquitto):
    async def run():
        done = []
        async with websocket_relay(mosquitto.port) as port, connected(f"ws://127.0.0.1:{port}/mqtt") as client:
            for number in range(50):
                client.publish("t", bytes(5000), 1, receipt=Note(done, number))
            await until_async(lambda: len(done) == 50)

    asyncio.run(run())


@needs_mosquitto
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_mqtt_client_over_broker_restarts_loses_nothing_and_keeps_the_order(tmp_path, mosquitto, protocol):
    ledger = LedgerProcess(mosquitto.url, ["n"], tmp_path / "ledger.jsonl")

    def firsts():
        return list(dict.fromkeys(int(line["payload"]) for line in ledger.read()))

    async def run():
        done, numbers = [], itertools.count()
        async with connected(mosquitto.url, protocol=protocol, in_flight=50) as client:
            for sent in (0, 40, 80, 120):
                await until_async(lambda sent=sent: len(firsts()) == sent)
                for _ in range(40):
                    await until_async(lambda: client.has_room)
                    number = next(numbers)
                    client.publish("n", b"%d" % number, 1, receipt=Note(done, number))
                # In order: killed, it would forget what it confirmed and had not saved; no loss of the client's.
                await asyncio.to_thread(mosquitto.stop)
                await until_async(lambda: not client.is_connected)
                assert not client.has_room
                await asyncio.to_thread(mosquitto.start)
            await until_async(lambda: len(done) == 160 and len(firsts()) == 160)
            await until_async(lambda: client.reconnects >= 4)

    with ledger:
        asyncio.run(run())
        assert firsts() == list(range(160))


@needs_mosquitto
def test_mqtt_client_keeps_to_the_brokers_receive_maximum(tmp_path):
    async def run(url):
        async with connected(url, protocol="5") as client:
            for number in range(7):
                assert client.has_room
                client.publish("t", b"", 1, receipt=Note([], number))
            assert not client.has_room

    with Mosquitto(tmp_path, "max_inflight_messages 7") as broker:
        asyncio.run(run(broker.url))


@needs_mosquitto
@pytest.mark.parametrize("qos", [1, 2])
def test_mqtt_client_given_more_than_the_broker_takes_at_once_sends_it_bit_by_bit_in_order(tmp_path, qos):
    with Mosquitto(tmp_path, "max_inflight_messages 5") as broker:

        async def run():
            box = []
            async with connected(broker.url, protocol="5") as client:
                for number in range(100):
                    client.publish("a", b"", qos, receipt=Note(box, number))
                assert not client.has_room and client.in_flight == 100
                await until_async(lambda: len(box) == 100)
                assert box == list(range(100))
                assert client.reconnects == 0 and client.has_room

        asyncio.run(run())


@needs_mosquitto
def test_mqtt_client_that_is_cut_leaves_its_will_and_one_that_closes_does_not(tmp_path, mosquitto):
    will = ("w/status", b"offline")

    async def cut():
        async with connected(mosquitto.url, will=will) as client:
            client.publish("w/status", b"online", 1, retain=True)
            await until_async(lambda: client.in_flight == 0)
            client._client._buffer._sock.shutdown(2)
            await until_async(lambda: client.reconnects == 1)

    async def close():
        async with connected(mosquitto.url, will=will):
            pass

    with LedgerProcess(mosquitto.url, ["w/status"], tmp_path / "ledger.jsonl") as ledger:
        asyncio.run(cut())
        asyncio.run(close())
        assert [line["payload"] for line in ledger.read()] == ["online", "offline"]


@needs_mosquitto
def test_mqtt_client_that_did_not_acknowledge_a_message_gets_it_again(mosquitto):
    async def run():
        got = []
        callbacks = Callbacks(on_message=lambda topic, payload, handle: got.append((topic, payload, handle)))
        async with connected(mosquitto.url, callbacks, subscriptions=("c/+",), lasting=True) as client:
            client.publish("c/x", b"do", 2)
            await until_async(lambda: got)
        async with connected(mosquitto.url, callbacks, subscriptions=("c/+",), lasting=True) as client:
            await until_async(lambda: len(got) == 2)
            client.acknowledge(got[1][2])
            client.publish("other", b"", 1)  # once this is confirmed, the broker has the acknowledgement before it
            await until_async(lambda: client.in_flight == 0)
        async with connected(mosquitto.url, callbacks, subscriptions=("c/+",), lasting=True) as client:
            client.publish("c/end", b"", 1)
            await until_async(lambda: got[-1][0] == "c/end")
        assert [entry[:2] for entry in got] == [("c/x", b"do")] * 2 + [("c/end", b"")]

    asyncio.run(run())


@needs_mosquitto
def test_mqtt_client_that_acknowledges_what_came_at_qos_0_stays_connected(mosquitto):
    async def run():
        handles = []
        callbacks = Callbacks(on_message=lambda topic, payload, handle: handles.append(handle))
        async with connected(mosquitto.url, callbacks, subscriptions=("a/cmd",)) as client:
            async with connected(mosquitto.url, client_id="sender") as sender:
                sender.publish("a/cmd", b"0", 0)
                await until_async(lambda: handles == [0])
                client.acknowledge(handles[0])
                sender.publish("a/cmd", b"1", 1)
                await until_async(lambda: len(handles) == 2)
                client.acknowledge(handles[1])
                box = []
                client.publish("b", b"", 1, receipt=Note(box, "after"))
                await until_async(lambda: box == ["after"])
            assert client.reconnects == 0 and client.is_connected

    asyncio.run(run())


def test_mqtt_client_on_a_broker_without_mqtt_5_goes_on_with_3_1_1():
    from kittiwake.demo.broker import EmbeddedBroker

    async def run(url):
        done = []
        async with connected(url) as client:
            client.publish("t", b"x", 1, receipt=Note(done, 1))
            await until_async(lambda: done)
            return client.protocol

    with EmbeddedBroker() as url:
        assert asyncio.run(run(url)) == "3.1.1"


@needs_mosquitto
def test_mosquitto_bridges_to_a_second_broker_with_our_configuration(tmp_path):
    """The cloud-bridge example between two real brokers: records go out, commands come in, an outage loses nothing."""
    text = (certificates.DEPLOY / "cloud-bridge.conf").read_text()
    assert "address cloud.example:8883" in text
    (tmp_path / "cloud").mkdir()
    (tmp_path / "local").mkdir()
    with Mosquitto(tmp_path / "cloud") as cloud:
        lines = [
            line for line in text.splitlines() if not line.startswith(("bridge_cafile", "bridge_cert", "bridge_key"))
        ]
        bridge = "\n".join(lines).replace("cloud.example:8883", f"127.0.0.1:{cloud.port}").replace("2 30", "1")
        with (
            Mosquitto(tmp_path / "local", bridge) as local,
            LedgerProcess(cloud.url, ["plant1/#"], tmp_path / "cloud.jsonl") as ledger,
            LedgerProcess(local.url, ["kittiwake/+/cmd"], tmp_path / "local.jsonl") as commands,
        ):

            def count(ledger, part):
                return len({line["payload"] for line in ledger.read() if part in line["topic"]})

            async def run():
                async with connected(local.url) as client:
                    for number in range(100):
                        client.publish("kittiwake/dev/alert/0", json.dumps({"seq": number}).encode(), 1)
                    await until_async(lambda: count(ledger, "plant1/kittiwake/dev/alert/0") == 100)
                    await asyncio.to_thread(cloud.kill)
                    for number in range(100, 150):
                        client.publish("kittiwake/dev/alert/0", json.dumps({"seq": number}).encode(), 1)
                    await until_async(lambda: client.in_flight == 0)
                    await asyncio.to_thread(cloud.start)
                    await until_async(lambda: count(ledger, "alert") == 150, 30)
                async with connected(cloud.url, client_id="operator") as client:
                    client.publish("plant1/kittiwake/dev/cmd", b"{}", 2)
                    await until_async(lambda: count(commands, "kittiwake/dev/cmd") == 1)

            asyncio.run(run())
