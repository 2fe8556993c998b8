"""The embedded broker and the ledger: what is published is written down, once cut off and killed too."""

import json
import os
import signal
import socket
import threading
import time

import paho.mqtt.client as paho
import pytest

from kittiwake.demo import ledger
from kittiwake.demo.broker import EmbeddedBroker
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.errors import KittiwakeError
from tests.mosquitto import Mosquitto
from tests.support.waiting import until


class _Publisher:
    """A plain client that keeps trying, and counts what the broker confirmed."""

    def __init__(self, url):
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="test-publisher", clean_session=False)
        self.client.reconnect_delay_set(0.05, 0.2)
        self.confirmed = set()
        self.client.on_publish = lambda client, userdata, mid, reason, properties: self.confirmed.add(mid)
        self.client.connect("127.0.0.1", int(url.rpartition(":")[2]))
        self.client.loop_start()

    def publish(self, topic, payload, qos=1, retain=False):
        # While the broker is away paho queues the message, though its own wait gives up.
        number = self.client.publish(topic, payload, qos, retain).mid
        until(lambda: number in self.confirmed, "the broker's confirmation", 30)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture(scope="module")
def broker_url():
    with EmbeddedBroker() as url:
        yield url


@pytest.fixture
def mosquitto(tmp_path):
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    with Mosquitto(folder) as broker:
        yield broker


def _wait_for(book, count):
    until(lambda: len(book.read()) >= count, lambda: f"{count} lines, but {len(book.read())}")
    return book.read()


def test_ledger_with_embedded_broker_writes_every_field(broker_url, tmp_path):
    with LedgerProcess(broker_url, ["kw/#"], tmp_path / "l.jsonl") as book:
        before_ns = time.time_ns()
        publisher = _Publisher(broker_url)
        publisher.publish("kw/é", "héllo")
        publisher.publish("kw/bin", b"\xff\x00")
        publisher.publish("other", "not subscribed")
        publisher.publish("kw/end", b"")
        first, second, third = _wait_for(book, 3)
        publisher.close()
    assert before_ns < first.pop("wall_ns") < time.time_ns()
    assert first.pop("monotonic_ns") < second["monotonic_ns"]
    # 1 + 1 header, 2 + 5 topic (é is two bytes), 2 identifier, 6 payload
    assert first == {
        "topic": "kw/é",
        "qos": 1,
        "retain": False,
        "dup": False,
        "packet_bytes": 17,
        "payload": "héllo",
    }
    assert second["payload_base64"] == "/wA="
    assert third["payload"] == ""


@pytest.mark.parametrize(
    ("topic", "payload_bytes", "qos", "expected"),
    [
        ("a", 0, 0, 5),  # 30 03 00 01 61
        ("a", 0, 1, 7),
        ("a", 122, 1, 129),  # remaining length 127: one byte
        ("a", 123, 1, 131),  # 128: two
        ("a/b", 16376, 1, 16386),  # 16383: two
        ("a/b", 16377, 1, 16388),  # 16384: three
        ("é", 0, 0, 6),
    ],
)
def test_ledger_packet_bytes_are_those_of_the_wire(topic, payload_bytes, qos, expected):
    assert ledger.publish_packet_bytes(topic, payload_bytes, qos) == expected


def test_ledger_packet_bytes_agree_with_what_paho_sends():
    """Against an independent encoder: count what a client writes to a socket after its CONNECT."""
    for topic, payload, qos in (("x/y", b"p" * 10, 1), ("x/é", b"p" * 500, 1), ("x", b"", 0), ("x", b"p" * 20000, 1)):
        assert _bytes_on_the_wire(topic, payload, qos) == ledger.publish_packet_bytes(topic, len(payload), qos)


def _bytes_on_the_wire(topic, payload, qos):
    server = socket.create_server(("127.0.0.1", 0))
    received = bytearray()

    def serve():
        connection, _ = server.accept()
        connection.recv(4096)
        connection.sendall(b"\x20\x02\x00\x00")  # CONNACK
        while data := connection.recv(65536):
            received.extend(data)

    thread = threading.Thread(target=serve)
    thread.start()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", server.getsockname()[1])
    client.loop_start()
    assert connected.wait(10)
    client.publish(topic, payload, qos)
    client.disconnect()
    thread.join(10)
    client.loop_stop()
    server.close()
    assert received.endswith(b"\xe0\x00")  # DISCONNECT
    return len(received) - 2


@pytest.mark.needs("mosquitto")
def test_ledger_writes_the_qos_and_size_of_the_publication(mosquitto, tmp_path):
    """Not so with amqtt, which delivers at the subscription's QoS whatever the publication's was."""
    with LedgerProcess(mosquitto.url, ["#"], tmp_path / "l.jsonl") as book:
        publisher = _Publisher(mosquitto.url)
        publisher.publish("a", b"", qos=0)
        publisher.publish("a", b"", qos=1)
        lines = _wait_for(book, 2)
        publisher.close()
    assert [(line["qos"], line["packet_bytes"]) for line in lines] == [(0, 5), (1, 7)]


@pytest.mark.needs("mosquitto")
def test_ledger_misses_nothing_over_a_killed_broker(mosquitto, tmp_path):
    with LedgerProcess(mosquitto.url, ["#"], tmp_path / "l.jsonl") as book:
        publisher = _Publisher(mosquitto.url)
        for number in range(30):
            if number in (10, 20):
                mosquitto.kill()
                mosquitto.start()
            publisher.publish("kw/n", str(number))
        lines = _wait_for(book, 30)
        publisher.close()
    assert sorted({int(line["payload"]) for line in lines}) == list(range(30))


@pytest.mark.needs("mosquitto")
def test_ledger_killed_and_started_again_gets_what_came_meanwhile(mosquitto, tmp_path):
    publisher = _Publisher(mosquitto.url)
    book = LedgerProcess(mosquitto.url, ["#"], tmp_path / "l.jsonl", client_id="witness")
    with book:
        publisher.publish("kw/n", "0")
        _wait_for(book, 1)
        os.kill(book.child.pid, signal.SIGKILL)
        with pytest.raises(KittiwakeError, match="the ledger ended"):
            until(book.child.check_running)
        publisher.publish("kw/n", "1")
    with LedgerProcess(mosquitto.url, ["#"], tmp_path / "l.jsonl", client_id="witness") as book:
        publisher.publish("kw/n", "2")
        lines = _wait_for(book, 3)
    publisher.close()
    assert {line["payload"] for line in lines} == {"0", "1", "2"}


@pytest.mark.needs("mosquitto")
def test_ledger_that_ends_in_order_leaves_no_session_behind(mosquitto, tmp_path):
    with LedgerProcess(mosquitto.url, ["#"], tmp_path / "l.jsonl", client_id="witness"):
        pass
    present = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="witness", clean_session=False)
    client.on_connect = lambda client, userdata, flags, reason, properties: present.append(flags.session_present)
    client.connect("127.0.0.1", mosquitto.port)
    while not present:
        client.loop(1)
    client.disconnect()
    assert present == [False]


def test_ledger_without_a_broker_says_so(tmp_path):
    with pytest.raises(KittiwakeError, match="nothing answers at mqtt://127.0.0.1:1"):
        LedgerProcess("mqtt://127.0.0.1:1", ["#"], tmp_path / "l.jsonl", timeout_s=1.5).__enter__()


def test_ledger_that_cannot_write_says_so(broker_url, tmp_path):
    with pytest.raises(KittiwakeError, match="did not start"):
        LedgerProcess(broker_url, ["#"], tmp_path / "no" / "l.jsonl").__enter__()


def test_ledger_read_leaves_out_a_line_being_written(tmp_path):
    book = LedgerProcess("mqtt://127.0.0.1:1", ["#"], tmp_path / "l.jsonl")
    book.path.write_text(json.dumps({"a": 1}) + '\n{"b":')
    assert book.read() == [{"a": 1}]


def test_broker_gives_retained_messages_and_two_brokers_share_no_port(broker_url, tmp_path):
    publisher = _Publisher(broker_url)
    publisher.publish("status", "online", retain=True)
    publisher.close()
    with EmbeddedBroker() as other:
        assert other != broker_url
    with LedgerProcess(broker_url, ["status"], tmp_path / "l.jsonl") as book:
        (line,) = _wait_for(book, 1)
    assert (line["payload"], line["retain"]) == ("online", True)


def test_broker_without_amqtt_names_the_mend(monkeypatch):
    monkeypatch.setattr("kittiwake.demo.broker.importlib.util.find_spec", lambda name: None)
    with pytest.raises(KittiwakeError, match=r"kittiwake\[demo\]"):
        EmbeddedBroker().__enter__()
