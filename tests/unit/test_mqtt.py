"""The MQTT shell against a real Mosquitto: versions, TLS, refusals in one line, reconnects, order, bounds."""

import asyncio
import itertools
import json
import subprocess
from contextlib import asynccontextmanager

import paho.mqtt.client as paho
import pytest
import websockets.asyncio.server as websockets

from kittiwake.demo.ledger import LedgerProcess
from kittiwake.errors import ConfigError, UsageError
from kittiwake.mqtt.address import Address, parse_url
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from tests.mosquitto import Mosquitto
from tests.support import certificates

needs_mosquitto = pytest.mark.needs("mosquitto")
QUICK = {"backoff_first_s": 0.1, "backoff_last_s": 0.2, "connect_timeout_s": 5}


class Note:
    """A token that remembers."""

    def __init__(self, box, name):
        self.box, self.name = box, name

    def confirmed(self):
        self.box.append(self.name)

    def refused(self, reason):
        self.box.append((self.name, reason))


@asynccontextmanager
async def connected(
    url, callbacks=None, wait=True, subscriptions=(), will=None, client_id="test-bridge", lasting=False, **settings
):
    section = BrokerSection(url=url, **(QUICK | settings))
    client = MqttClient(section, client_id, will, subscriptions, callbacks, lasting)
    task = asyncio.create_task(client.run())
    try:
        if wait:
            await until(lambda: client.is_connected)
        yield client
    finally:
        await client.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition, seconds=15):
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


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


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secure(tmp_path, certs):
    with Mosquitto(tmp_path, whole=certificates.example(certs, tmp_path)) as broker:
        broker.url = f"mqtts://127.0.0.1:{broker.port}"
        yield broker


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
            await until(lambda: len(done) == 50)
            assert sorted(done) == list(range(50)) and client.in_flight == 0

    asyncio.run(run())


@needs_mosquitto
def test_mqtt_client_over_websockets_with_large_messages_confirms(mosquitto):
    async def run():
        done = []
        async with websocket_relay(mosquitto.port) as port, connected(f"ws://127.0.0.1:{port}/mqtt") as client:
            for number in range(50):
                client.publish("t", bytes(5000), 1, receipt=Note(done, number))
            await until(lambda: len(done) == 50)

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
                await until(lambda sent=sent: len(firsts()) == sent)
                for _ in range(40):
                    while not client.has_room:
                        await asyncio.sleep(0.01)
                    number = next(numbers)
                    client.publish("n", b"%d" % number, 1, receipt=Note(done, number))
                # In order: killed, it would forget what it confirmed and had not saved; no loss of the client's.
                await asyncio.to_thread(mosquitto.stop)
                await until(lambda: not client.is_connected)
                assert not client.has_room
                await asyncio.to_thread(mosquitto.start)
            await until(lambda: len(done) == 160 and len(firsts()) == 160)
            await until(lambda: client.reconnects >= 4)

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
def test_mqtt_client_that_is_cut_leaves_its_will_and_one_that_closes_does_not(tmp_path, mosquitto):
    will = ("w/status", b"offline")

    async def cut():
        async with connected(mosquitto.url, will=will) as client:
            client.publish("w/status", b"online", 1, retain=True)
            await until(lambda: client.in_flight == 0)
            client._client._buffer._sock.shutdown(2)
            await until(lambda: client.reconnects == 1)

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
            await until(lambda: got)
        async with connected(mosquitto.url, callbacks, subscriptions=("c/+",), lasting=True) as client:
            await until(lambda: len(got) == 2)
            client.acknowledge(got[1][2])
            await asyncio.sleep(0.1)
        async with connected(mosquitto.url, callbacks, subscriptions=("c/+",), lasting=True):
            await asyncio.sleep(0.3)
        assert [entry[:2] for entry in got] == [("c/x", b"do")] * 2

    asyncio.run(run())


@needs_mosquitto
def test_mqtt_client_refused_by_an_acl_is_told_under_mqtt_5(tmp_path):
    (tmp_path / "acl").write_text("topic write allowed\n")

    async def run(url):
        done = []
        async with connected(url, protocol="5") as client:
            client.publish("allowed", b"", 1, receipt=Note(done, "a"))
            client.publish("denied", b"", 1, receipt=Note(done, "d"))
            await until(lambda: len(done) == 2)
        assert done == ["a", ("d", "Not authorized")]

    with Mosquitto(tmp_path, f"acl_file {tmp_path}/acl") as broker:
        asyncio.run(run(broker.url))


@needs_mosquitto
def test_mqtt_client_with_a_certificate_gets_through_our_example(secure, certs):
    async def run():
        done = []
        settings = {"ca_file": f"{certs}/ca.pem", "certificate_file": f"{certs}/gateway.pem"}
        async with connected(secure.url, key_file=f"{certs}/gateway.key", **settings) as client:
            client.publish("kittiwake/dev/alert/0", b"{}", 1, receipt=Note(done, "kittiwake"))
            client.publish("elsewhere", b"{}", 1, receipt=Note(done, "elsewhere"))
            for number in range(200):
                client.publish("kittiwake/bulk", bytes(3000), 1, receipt=Note(done, number))
            await until(lambda: len(done) == 202)
        assert "kittiwake" in done and ("elsewhere", "Not authorized") in done

    asyncio.run(run())


def problem_of(url, **settings):
    async def run():
        async with connected(url, wait=False, **settings) as client:
            await until(lambda: client.problem)
            assert not client.is_connected
            return client.problem

    return asyncio.run(run())


@needs_mosquitto
@pytest.mark.parametrize(
    ("broker", "settings", "says"),
    [
        ("broker", {"ca_file": "other-ca.pem"}, "not signed by a CA in"),
        ("expired", {"ca_file": "ca.pem"}, "certificate has expired"),
        ("broker", {"ca_file": "ca.pem"}, "wants a client certificate"),
        (
            "broker",
            {"ca_file": "ca.pem", "certificate_file": "stranger.pem", "key_file": "stranger.key"},
            "our certificate",
        ),
        ("elsewhere", {"ca_file": "ca.pem"}, "is not for 127.0.0.1"),
    ],
    ids=["wrong CA", "expired", "no client certificate", "a stranger's certificate", "wrong host name"],
)
def test_mqtt_client_that_is_refused_says_which(tmp_path, certs, broker, settings, says):
    folder = certs
    if broker == "elsewhere":
        folder, broker = certificates.make(tmp_path / "elsewhere", "broker.example"), "broker"
    with Mosquitto(tmp_path, whole=certificates.example(folder, tmp_path, broker)) as server:
        files = {name: f"{folder}/{file}" for name, file in settings.items()}
        problem = problem_of(f"mqtts://127.0.0.1:{server.port}", **files)
    assert says in problem and "\n" not in problem


@needs_mosquitto
def test_client_without_a_certificate_gets_nowhere_on_our_example(secure, certs):
    # Any client, not ours: paho by itself, and with the CA's certificate alone.
    for ca in (None, f"{certs}/ca.pem"):
        got = []
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.on_connect = lambda c, u, f, reason, p, got=got: got.append(reason)
        if ca:
            client.tls_set(ca)
        try:
            client.connect("127.0.0.1", secure.port)
            for _ in range(20):
                client.loop(0.1)
        except OSError:
            pass
        assert got == []


@needs_mosquitto
def test_mqtt_client_with_a_user_name_is_taken_and_refused(tmp_path):
    subprocess.run(["mosquitto_passwd", "-b", "-c", tmp_path / "users", "gw", "right"], check=True)
    (tmp_path / "users").chmod(0o644)
    (tmp_path / "secret").write_text("right\n")
    with Mosquitto(tmp_path, f"password_file {tmp_path}/users\nallow_anonymous false") as broker:

        async def run():
            async with connected(broker.url, username="gw", password_file=f"{tmp_path}/secret"):
                pass

        asyncio.run(run())
        (tmp_path / "secret").write_text("wrong\n")
        for protocol in ("5", "3.1.1"):
            problem = problem_of(broker.url, username="gw", password_file=f"{tmp_path}/secret", protocol=protocol)
            assert "refuses us" in problem and "password" in problem and "wrong" not in problem.split("check")[0]
        assert "takes no strangers" in problem_of(broker.url)


def test_mqtt_client_without_a_broker_says_so_and_backs_off():
    assert "nothing listens there" in problem_of("mqtt://127.0.0.1:1")
    assert "no such host name" in problem_of("mqtt://nowhere.invalid")


@needs_mosquitto
def test_mqtt_client_with_tls_to_a_plain_broker_says_so(mosquitto):
    assert "does not speak TLS" in problem_of(f"mqtts://127.0.0.1:{mosquitto.port}")


def test_mqtt_client_on_a_broker_without_mqtt_5_goes_on_with_3_1_1():
    from kittiwake.demo.broker import EmbeddedBroker

    async def run(url):
        done = []
        async with connected(url) as client:
            client.publish("t", b"x", 1, receipt=Note(done, 1))
            await until(lambda: done)
            return client.protocol

    with EmbeddedBroker() as url:
        assert asyncio.run(run(url)) == "3.1.1"


@pytest.mark.parametrize("name", ["ca_file", "certificate_file"])
def test_mqtt_client_with_a_file_that_is_no_certificate_names_the_setting(tmp_path, name):
    (tmp_path / "x").write_text("no certificate")

    async def run():
        files = {name: f"{tmp_path}/x"} | ({"key_file": f"{tmp_path}/x"} if name == "certificate_file" else {})
        MqttClient(BrokerSection(url="mqtts://h", **files), "c")

    with pytest.raises(ConfigError, match=f"broker.{name}"):
        asyncio.run(run())


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
                    await until(lambda: count(ledger, "plant1/kittiwake/dev/alert/0") == 100)
                    await asyncio.to_thread(cloud.kill)
                    for number in range(100, 150):
                        client.publish("kittiwake/dev/alert/0", json.dumps({"seq": number}).encode(), 1)
                    await until(lambda: client.in_flight == 0)
                    await asyncio.to_thread(cloud.start)
                    await until(lambda: count(ledger, "alert") == 150, 30)
                async with connected(cloud.url, client_id="operator") as client:
                    client.publish("plant1/kittiwake/dev/cmd", b"{}", 2)
                    await until(lambda: count(commands, "kittiwake/dev/cmd") == 1)

            asyncio.run(run())
