"""A second port with a known name, a device called as the bridge is, a broker that lost all: whose topics are they?"""

import asyncio
import json
import urllib.request
from collections import Counter

import paho.mqtt.client as paho
import pytest

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until, until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort, SocketPort

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(120)]


class World:
    """A good device on a pty, another that says what the test wants on a socket, a bridge and a subscriber."""

    def __init__(self, folder, name="good", pinned=False):
        self.folder, self.broker = folder, Mosquitto(folder)
        self.good = Device("good", PtyPort(f"{folder}/good"))
        self.other = Device(name, SocketPort(), 1, journal_id=self.good.journal.id)
        self.http = f"127.0.0.1:{free_port()}"
        config = folder / "gateway.toml"
        pin = 'device = "good"\n' if pinned else ""
        config.write_text(
            f'[broker]\nurl = "{self.broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n'
            f'[http]\nlisten = "{self.http}"\n[homeassistant]\nenabled = true\n'
            f'[[devices]]\nport = "{self.good.port.path}"\n{pin}[[devices]]\nport = "{self.other.port.url}"\n'
        )
        self.bridge = BridgeProcess.of_config(config, folder / "log")
        self.messages = []
        self.retained = {}

    def run(self, story):
        async def go():
            try:
                with self.bridge:
                    await story(self)
            finally:
                self.good.stop()
                self.other.stop()

        with self.broker:
            client = self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
            client.on_connect = lambda client, *_: client.subscribe([("#", 1)])
            client.on_message = self._message
            client.reconnect_delay_set(0.1, 0.2)
            client.connect("127.0.0.1", self.broker.port)
            client.loop_start()
            asyncio.run(go())
            until(lambda: self.retained.get("kittiwake/bridge/status") == b"offline", lambda: self.retained)
            client.disconnect()
            client.loop_stop()

    def _message(self, client, userdata, message):
        self.messages.append((message.topic, message.payload))
        self.retained[message.topic] = message.payload

    def readings(self, who):
        bodies = [json.loads(body) for topic, body in self.messages if topic.startswith(f"kittiwake/{who}/reading")]
        return [body["x"] for body in bodies]

    async def page(self, path):
        def get():
            with urllib.request.urlopen(f"http://{self.http}/{path}", timeout=5) as page:
                return page.read().decode()

        return await asyncio.to_thread(get)

    async def online(self, device, payload=b"online"):
        await until_async(
            lambda: self.retained.get(f"kittiwake/{device}/status") == payload, lambda: self.retained, 20, 0.05
        )

    def add(self, device, first):
        for number in range(10):
            device.add(rec.READING, payload.pack_reading(first + number, number))


def test_second_port_with_a_known_name_and_journal_publishes_nothing_and_gets_no_command(tmp_path):
    async def story(world):
        world.good.start()
        await world.online("good")
        world.add(world.good, 0)
        world.other.start()
        await until_async(lambda: "has a device of that name" in (tmp_path / "log").read_text())
        world.add(world.other, 1000)
        world.client.publish("kittiwake/good/cmd", b'{"id":"1","op":"ping"}', 1)
        await until_async(lambda: any(topic.endswith("/resp") for topic, _ in world.messages))
        await until_async(lambda: world.good.journal.acked == world.good.journal.next_seq)
        assert world.other.commands == [] and len(world.good.commands) == 2  # the time, and the ping
        assert world.readings("good") == list(range(10)) and world.other.journal.acked == 0
        second = json.loads(await world.page("healthz"))["devices"][1]
        assert second["device"] is None and f"{world.good.port.path} has a device of that name" in second["problem"]
        assert f'names_refused_total{{device="",port="{world.other.port.url}"}} 1.0' in await world.page("metrics")
        # Where the first is gone, the name is the second's.
        world.good.stop()
        await until_async(lambda: len(world.readings("good")) == 20, lambda: world.readings("good"), 20)

    World(tmp_path).run(story)


def test_name_that_the_configuration_keeps_is_not_taken_by_another_port_though_it_is_first(tmp_path):
    async def story(world):
        world.other.start()
        await until_async(lambda: "the configuration keeps that name" in (tmp_path / "log").read_text())
        world.add(world.other, 1000)
        world.good.start()
        await world.online("good")
        world.add(world.good, 0)
        await until_async(lambda: world.good.journal.acked == world.good.journal.next_seq)
        assert Counter(world.readings("good")) == Counter(range(10)) and world.other.journal.acked == 0

    World(tmp_path, pinned=True).run(story)


def test_device_called_as_the_bridge_is_not_taken_and_leaves_the_bridges_status_alone(tmp_path):
    async def story(world):
        world.good.start()
        world.other.start()
        await world.online("good")
        await world.online("bridge")
        await until_async(lambda: "has the bridge's own id" in (tmp_path / "log").read_text())
        world.other.stop()
        await until_async(lambda: "the other end closed it" in (tmp_path / "log").read_text())
        world.add(world.good, 0)
        await until_async(lambda: world.good.journal.acked == world.good.journal.next_seq)
        assert world.retained["kittiwake/bridge/status"] == b"online"
        # One that speaks MQTT itself says it on the topic: it is put right, until the bridge ends.
        world.client.publish("kittiwake/bridge/status", b"offline", 1, retain=True)
        await until_async(lambda: ("kittiwake/bridge/status", b"offline") in world.messages)
        await world.online("bridge")
        assert [topic for topic, _ in world.messages if topic.startswith("kittiwake/bridge/boot")] == []

    World(tmp_path, "bridge").run(story)


def test_broker_that_lost_all_it_kept_gets_statuses_list_and_discovery_again(tmp_path):
    topics = ["homeassistant/device/good/config", "kittiwake/bridge/devices", "kittiwake/good/status"]

    async def story(world):
        world.good.start()
        await world.online("good")
        world.add(world.good, 0)
        await until_async(lambda: all(topic in world.retained for topic in topics))
        before = {topic: world.retained[topic] for topic in topics}
        await asyncio.to_thread(world.broker.stop)
        for database in tmp_path.glob("mosquitto.db*"):
            database.unlink()
        world.retained.clear()
        await asyncio.to_thread(world.broker.start)
        await until_async(lambda: {topic: world.retained.get(topic) for topic in topics} == before, world.retained)
        # Emptied while we are connected, the list comes back too.
        world.client.publish("kittiwake/bridge/devices", b"", 1, retain=True)
        await until_async(lambda: ("kittiwake/bridge/devices", b"") in world.messages)
        await until_async(lambda: world.retained["kittiwake/bridge/devices"] == before["kittiwake/bridge/devices"])

    World(tmp_path).run(story)
