"""Retained statuses tell the truth within five seconds of a death, whoever died; Home Assistant hears of devices."""

import asyncio
import json

import paho.mqtt.client as paho
import pytest

from kittiwake.bridge.homeassistant import discovery
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.publish.channel_description import Channel
from kittiwake.publish.publisher import Policy
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until, until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort, SocketPort

needs_mosquitto = pytest.mark.needs("mosquitto")
TRUTH_S = 5.0
MARK = "mark"
DEV_1 = "ea541d08ac017d4bed164fc63a53f48bd7fef6bc51a9b938765010b4dc5946a3"  # printf dev.1 | sha256sum


class World:
    """Two devices, a bridge as a process, Mosquitto, and a subscriber that joins afresh to see what is retained."""

    def __init__(self, folder, extra=""):
        self.folder = folder
        self.broker = Mosquitto(folder)
        self.devices = [Device("dev-a", PtyPort(f"{folder}/a")), Device("dev-b", SocketPort())]
        ports = "".join(f'[[devices]]\nport = "{device.port.url}"\n' for device in self.devices)
        config = folder / "gateway.toml"
        config.write_text(
            f'[broker]\nurl = "{self.broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.5\n{extra}\n{ports}'
        )
        self.bridge = BridgeProcess.of_config(config, folder / "bridge.log")

    def run(self, story):
        async def go():
            for device in self.devices:
                device.start()
            with self.bridge:
                await self.until({"bridge": "online", "dev-a": "online", "dev-b": "online"}, 20)
                await story(self)
            for device in self.devices:
                device.stop()

        with self.broker:
            asyncio.run(go())

    def retained(self, topics=("kittiwake/+/status",)):
        messages = {}
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_message = lambda client, userdata, message: messages.update({message.topic: message})

        def turn_until(condition, what):
            until(lambda: client.loop(0.05) == paho.MQTT_ERR_SUCCESS and condition(), what, pause_s=0)

        client.connect("127.0.0.1", self.broker.port)
        turn_until(client.is_connected, "a connection")
        client.subscribe([(topic, 1) for topic in (*topics, MARK)])
        client.publish(MARK, b"", 1)  # the broker gives what it retains before what comes after the subscription
        turn_until(lambda: MARK in messages, "the mark")
        client.disconnect()
        return {topic: message.payload.decode() for topic, message in messages.items() if message.retain}

    async def hear(self, words, start=0):
        """Until the bridge has logged these words, from some character of its log on."""
        log = self.folder / "bridge.log"
        await until_async(lambda: words in log.read_text()[start:], f"{words!r} in the bridge's log")

    async def until(self, expected, limit_s=TRUTH_S):
        found = {}

        def is_true():
            found.clear()
            found.update({topic.split("/")[1]: payload for topic, payload in self.retained().items()})
            return found == expected

        await asyncio.to_thread(until, is_true, lambda: f"{expected}, but {found}", limit_s + 1, 0.1)


@needs_mosquitto
def test_status_of_a_device_that_falls_silent_and_one_that_is_unplugged_is_offline(tmp_path):
    async def story(world):
        silent, unplugged = world.devices
        silent._ticker.cancel()
        asyncio.get_running_loop().remove_reader(silent.port.fd)
        await world.until({"bridge": "online", "dev-a": "offline", "dev-b": "online"})
        unplugged.stop()
        await world.until({"bridge": "online", "dev-a": "offline", "dev-b": "offline"})
        unplugged.start()
        await world.until({"bridge": "online", "dev-a": "offline", "dev-b": "online"})

    World(tmp_path).run(story)


@needs_mosquitto
def test_status_after_a_bridge_was_killed_is_offline_and_its_successor_mends_the_devices(tmp_path):
    async def story(world):
        world.bridge.kill()
        await world.until({"bridge": "offline", "dev-a": "online", "dev-b": "online"})
        # A device that dies while no bridge lives: the next bridge has never heard of it, and must still say so.
        world.devices[0].stop()
        log = (world.folder / "bridge.log").read_text()
        world.bridge.start()
        await world.hear("connected to broker", len(log))  # how long a process takes to start is not the status's
        await world.until({"bridge": "online", "dev-a": "offline", "dev-b": "online"})

    World(tmp_path).run(story)


@needs_mosquitto
def test_status_after_the_broker_was_killed_and_a_device_died_meanwhile_is_true(tmp_path):
    async def story(world):
        await asyncio.to_thread(world.broker.kill)
        world.devices[1].stop()
        await world.hear(f"{world.devices[1].port.url} was lost")
        await asyncio.to_thread(world.broker.start)
        await world.until({"bridge": "online", "dev-a": "online", "dev-b": "offline"})

    World(tmp_path).run(story)


@needs_mosquitto
def test_discovery_is_retained_and_republished_when_home_assistant_comes_up(tmp_path):
    async def story(world):
        world.devices[0].add(rec.EVENT, b"\0\0x")
        topic = "homeassistant/device/dev-a/config"
        found = await asyncio.to_thread(until, lambda: world.retained((topic,)), "a retained discovery")
        body = json.loads(found[topic])
        assert body["availability_mode"] == "all"
        assert {entry["topic"] for entry in body["availability"]} == {
            "kittiwake/bridge/status",
            "kittiwake/dev-a/status",
        }
        with LedgerProcess(world.broker.url, [topic], tmp_path / "ha.jsonl") as ledger:
            import paho.mqtt.publish as publish

            await asyncio.to_thread(
                publish.single, "homeassistant/status", "online", 1, hostname="127.0.0.1", port=world.broker.port
            )
            await until_async(lambda: any(not line["retain"] for line in ledger.read()), "a republished discovery")

    World(tmp_path, "[homeassistant]\nenabled = true").run(story)


def test_discovery_of_a_device_names_every_channel_and_topics_that_are_published_to():
    channels = [Channel("vib", "vib-001", "mm/s"), Channel("a/b", "", "")]
    message = discovery(Policy(topics={"alert": "my/alerts"}), "ha", "k/b/status", "dev.1", 7, channels)
    assert (message.topic, message.retain, message.qos) == (f"ha/device/dev_1-{DEV_1}/config", True, 1)
    body = json.loads(message.payload)
    components = body["components"]
    assert components["0_mean"]["state_topic"] == "kittiwake/dev.1/summary/vib"
    assert components["0_mean"]["unit_of_measurement"] == "mm/s"
    assert components["1_mean"]["state_topic"] == "kittiwake/dev.1/summary/a_b"
    assert "unit_of_measurement" not in components["1_mean"]
    assert components["0_anomaly"]["state_topic"] == "my/alerts"
    identities = [component["unique_id"] for component in components.values()]
    assert len(set(identities)) == len(identities)
