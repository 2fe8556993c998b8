"""Whose a device's name is, how many new ones a port may bring, and what is left at the broker for them."""

import asyncio
import json
from types import SimpleNamespace

import pytest

from kittiwake.bridge import discovered, homeassistant
from kittiwake.bridge.names import KNOWN_LIMIT, Names
from kittiwake.bridge.retained import Retained
from kittiwake.bridge.settings import HomeAssistantSection
from kittiwake.publish.channel_description import parse_description
from kittiwake.publish.publisher import Policy


def link(url, device=None, wanted="", holds=False):
    return SimpleNamespace(url=url, device=device, holds_name=holds, section=SimpleNamespace(device=wanted))


class World:
    """Names on ports that the test sets, at a time that it sets."""

    def __init__(self, *links, known=()):
        self.links, self.known, self.now_s = list(links), known, 0.0
        self.names = Names("bridge", lambda: self.links, lambda: self.known, lambda: self.now_s)


def test_name_that_another_port_holds_is_refused_until_that_lets_it_go():
    first, second = link("/dev/a", "good", holds=True), link("/dev/b")
    world = World(first, second, known=["good"])
    assert "/dev/a has a device of that name" in world.names.admit(second, "good")
    assert world.names.admit(first, "good") == ""
    first.holds_name = False
    assert world.names.admit(second, "good") == ""


def test_name_that_the_configuration_keeps_is_refused_elsewhere_though_nobody_holds_it():
    right, wrong = link("/dev/a", wanted="good"), link("/dev/b")
    world = World(right, wrong)
    assert "the configuration keeps that name for /dev/a" in world.names.admit(wrong, "good")
    assert world.names.admit(right, "good") == ""


def test_name_of_the_bridge_is_no_devices():
    port = link("/dev/a")
    assert "the bridge's own id" in World(port).names.admit(port, "bridge")


def test_new_names_of_one_port_are_few_at_a_time_and_known_ones_are_free():
    # Regression: 161 invented ids left 326 retained topics.
    port, other = link("/dev/a"), link("/dev/b")
    world = World(port, other, known=["old"])
    answers = [world.names.admit(port, f"id-{number}") for number in range(161)]
    assert answers[:16] == [""] * 16 and all("too many names" in answer for answer in answers[16:])
    assert world.names.admit(port, "id-3") == world.names.admit(port, "old") == world.names.admit(other, "new") == ""
    world.now_s = 61
    assert world.names.admit(port, "id-100") == "" and world.names.admit(port, "id-101") != ""


def test_new_names_end_where_the_bridge_knows_as_many_as_it_keeps():
    port = link("/dev/a")
    world = World(port, known=[f"id-{number}" for number in range(KNOWN_LIMIT)])
    assert "names are known already" in world.names.admit(port, "another")
    assert world.names.admit(port, "id-7") == ""


class Broker:
    """Takes messages while it is there, and confirms them when told to."""

    def __init__(self):
        self.is_connected = True
        self.sent, self.receipts = [], []
        self.retained = Retained(self.publish, lambda: self.is_connected)

    def publish(self, topic, payload, receipt):
        self.sent.append((topic, payload))
        self.receipts.append(receipt)

    def confirm(self, count=1):
        for _ in range(count):
            self.receipts.pop(0).confirmed()


def test_retained_has_one_message_of_a_topic_in_flight_and_only_the_newest_follows():
    broker = Broker()
    for number in range(1000):
        broker.retained.say("status", b"%d" % number)
    assert broker.sent == [("status", b"0")]
    broker.confirm()
    assert broker.sent[1:] == [("status", b"999")]
    broker.confirm()
    assert len(broker.sent) == 2


def test_retained_keeps_the_order_of_list_and_status():
    # A bridge killed between the two leaves no device on line that its list does not name.
    broker = Broker()
    for topic in ("list", "status-1", "list", "status-2"):
        broker.retained.say(topic, topic.encode())
    assert [topic for topic, _ in broker.sent] == ["list", "status-1"]
    broker.confirm()
    assert [topic for topic, _ in broker.sent] == ["list", "status-1", "list", "status-2"]


def test_retained_says_all_again_after_a_connection_was_lost_and_what_was_said_meanwhile_once():
    broker = Broker()
    broker.retained.say("a", b"1")
    broker.retained.say("b", b"1")
    broker.confirm(2)
    broker.is_connected = False
    broker.retained.say("b", b"2")
    broker.is_connected = True
    broker.retained.renew()
    broker.retained.say("c", b"1")
    assert sorted(broker.sent[2:]) == [("a", b"1"), ("b", b"2"), ("c", b"1")]


def test_retained_that_is_refused_holds_up_no_other():
    broker = Broker()
    broker.retained.say("a", b"1")
    broker.retained.say("a", b"2")
    broker.retained.say("b", b"1")
    broker.receipts.pop(0).refused("Not authorized")
    assert broker.sent[1:] == [("a", b"2"), ("b", b"1")]


@pytest.mark.parametrize("entry", [b"{}", b'{"name":"' + b"x" * 60 + b'"}', b'{"unit":"' + b"\xc3\xa4" * 50 + b'"}'])
def test_discovery_of_a_description_that_is_all_channels_is_bounded(entry):
    # Regression: 997 bytes made 356 KB and 1,665 entities.
    raw = b"[" + b",".join([entry] * min(256, 996 // (len(entry) + 1))) + b"]"
    assert len(raw) <= 997
    channels = parse_description(raw)
    message = homeassistant.discovery(Policy(), "homeassistant", "kittiwake/bridge/status", "dev", 1, channels)
    assert len(json.loads(message.payload)["components"]) <= 32 * 5 + 5
    assert len(message.payload) <= 64 * 1024


def test_discovery_of_names_that_differ_in_a_point_has_topics_and_ids_of_their_own():
    messages = [
        homeassistant.discovery(Policy(), "ha", "k/bridge/status", device, 1, parse_description(b"[{}]"))
        for device in ("go.od", "go_od", "go-od", "g.ood")
    ]
    assert len({message.topic for message in messages}) == 4
    bodies = [json.loads(message.payload) for message in messages]
    assert len({body["device"]["identifiers"][0] for body in bodies}) == 4
    ids = [component["unique_id"] for body in bodies for component in body["components"].values()]
    assert len(set(ids)) == len(ids) == 4 * 10
    assert messages[1].topic == "ha/device/go_od/config"  # what it was before
    # No other device can have the longer one.
    assert len(messages[0].topic.split("/")[2]) > 64


def test_discovery_of_a_device_that_describes_itself_anew_all_the_time_is_said_now_and_then(monkeypatch):
    monkeypatch.setattr(discovered, "EVERY_S", 0.1)

    async def run():
        broker = Broker()
        home = HomeAssistantSection(enabled=True, prefix="ha")
        told = discovered.Discovered(home, Policy(), "k/bridge/status", broker.retained)
        port = SimpleNamespace(url="/dev/a", identity=("dev", 1))
        for number in range(100):
            told.on_described(port, parse_description(b'[{"name":"%d"}]' % number))
        assert len(broker.sent) == 1
        broker.confirm()
        await asyncio.sleep(0.3)
        assert len(broker.sent) == 2 and b'"99 mean"' in broker.sent[1][1]
        broker.confirm()
        port.identity = ("another", 1)  # of the one before nothing is kept
        await asyncio.sleep(0.2)
        told.on_described(port, [])
        broker.confirm()
        broker.retained.renew()
        broker.retained.say("x", b"")
        assert [topic for topic, _ in broker.sent[3:]] == ["ha/device/another/config", "x"]

    asyncio.run(run())
