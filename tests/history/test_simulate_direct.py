"""A made device that speaks MQTT itself: reboots, absences, a broker that dies; each record is confirmed, each once."""

import asyncio
import json
import random

import pytest

from kittiwake.errors import ConfigError
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.simulate import direct, fleet, worker
from kittiwake.simulate.device import SimulatedDevice
from kittiwake.simulate.direct import Access, DirectLink
from kittiwake.simulate.outcome import Outcome
from kittiwake_node.link import channel_description
from kittiwake_node.link import record as rec
from kittiwake_node.mqtt import packets, publication
from tests.mosquitto import Mosquitto

UTC_MS = 1_800_000_000_000


def packets_of(session):
    """All that a session has to say now."""
    said = []
    while (packet := session.next_output(0)) is not None:
        said.append(bytes(packet))
    return said


def publish_of(packet):
    """(topic, payload) of a PUBLISH at QoS 1."""
    at = 1
    while packet[at] & 0x80:
        at += 1
    size = int.from_bytes(packet[at + 1 : at + 3], "big")
    start = at + 3 + size
    return packet[at + 3 : start].decode(), packet[start + 2 :]


async def confirmed(link, now_ms):
    """Turn a link until the broker has everything."""
    async with asyncio.timeout(60):
        while link.device.journal.acked < link.device.journal.next_seq:
            link.pump(now_ms())
            await asyncio.sleep(0.01)


async def life(broker, outcome):
    now_ms = worker._now_ms
    access = Access(BrokerSection(url=broker.url), "kittiwake", now_ms, random.Random(1))
    device = SimulatedDevice("sim-1", 1, False, outcome, now_ms(), UTC_MS, access.session)
    link = DirectLink(device, access, outcome)
    await confirmed(link, now_ms)
    assert outcome.connections == 1
    device._start(now_ms(), UTC_MS)  # it reboots: the connection goes with it
    device.work(now_ms(), UTC_MS)
    await confirmed(link, now_ms)
    assert outcome.connections == 2
    device._offline_until_ms = 1 << 60
    device.work(now_ms(), UTC_MS)
    link.pump(now_ms())
    await asyncio.sleep(0)
    assert link._transport is None and device.journal.acked == device.journal.next_seq - 1
    device.settle()
    await confirmed(link, now_ms)
    assert outcome.connections == 3
    broker.kill()
    for _ in range(50):
        device.work(now_ms(), UTC_MS)
    while link._transport is not None or not link._again_ms:
        link.pump(now_ms())
        await asyncio.sleep(0.01)
    broker.start()
    await confirmed(link, now_ms)
    assert outcome.connections >= 4
    await link.close()


@pytest.mark.needs("mosquitto")
def test_device_gets_everything_confirmed_over_reboots_absence_and_a_killed_broker(tmp_path, monkeypatch):
    monkeypatch.setattr(direct, "_AGAIN_MS", (1, 20))
    outcome = Outcome()
    with Mosquitto(tmp_path) as broker:
        asyncio.run(life(broker, outcome))
    assert outcome.records == outcome.confirmed == 2 + 1 + 1 + 50


def test_messages_are_the_bytes_that_the_firmware_forms_and_commands_are_refused():
    outcome, utc_ms, sent = Outcome(), UTC_MS, []
    access = Access(BrokerSection(), "plant/a", lambda: 0, random.Random(1))
    device = SimulatedDevice("sim-1", 4, False, outcome, 0, utc_ms, access.session)
    for turn in range(20):
        device.work(turn * 1000, utc_ms + turn * 1000)
    device.session.set_link(True, 0)
    assert packets_of(device.session)[0][0] == 0x10  # CONNECT
    device.session.feed(b"\x20\x02\x00\x00", 0)  # accepted
    for packet in packets_of(device.session):
        if packet[0] >> 4 == packets.PUBLISH and b"/status" not in packet:
            sent.append(publish_of(packet))
    firmware = publication.Publisher("plant/a", {}, "sim-1", device.journal.id)
    raw, _ = device.journal.read(0, 1 << 20)
    described = channel_description.read(device.journal.description(1), json.loads)
    at, expected = 0, []
    while at < len(raw):
        record, at = rec.decode(raw, at)
        topic, payload = firmware.form(record, described)
        expected.append((topic, payload))
    assert len(sent) == 16 and sent == expected[:16]  # the session's window
    response = json.loads(direct._refusal("sim-1", b'{"id":7,"op":"ping"}'))
    assert (response["id"], response["op"], response["status"]) == (7, "ping", "refused")
    assert json.loads(direct._refusal("sim-1", b"\xff"))["id"] is None


def test_websocket_and_too_many_connections_are_refused(monkeypatch):
    def run(url, devices):
        return fleet.run(BrokerSection(url=url), "kittiwake", devices, 1.0, 1, 0.1, 1, False, True)

    with pytest.raises(ConfigError, match="boards speak no websockets"):
        run("ws://127.0.0.1:1", 1)
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda what: (256, 1000))
    with pytest.raises(ConfigError, match="901 connections a process, and the system allows 900"):
        run("mqtt://127.0.0.1:1", 901)
