"""Devices and messages that are wrong or hostile, and a good device beside them: all is delivered, and nothing ends."""

import asyncio
import json

import paho.mqtt.client as paho
import pytest

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort

pytestmark = pytest.mark.needs("mosquitto")

RECORDS = 20
DEVICES_TOPIC = "kittiwake/bridge/devices"
LAYOUTS = [
    json.dumps([{"name": f"a{character}b", "unit": character, "sensor_id": character}]).encode()
    for character in ("\x7f", "\x85", "\uffff", "\ufdd0", "\U0001fffe", "\ud800", "\0")
] + [b"[" * 400 + b"]" * 400, b'[{"name":' + b"[" * 400 + b"]" * 400 + b"}]", b"[NaN]", b"\xff"]


class Beside:
    """Devices that send channel descriptions nobody should, and a good one, at a bridge with discovery switched on."""

    def __init__(self, folder, layouts, extra=""):
        self.folder = folder
        self.broker = Mosquitto(folder)
        self.hostile = [Device(f"bad-{n}", PtyPort(f"{folder}/bad{n}")) for n in range(len(layouts))]
        for device, layout in zip(self.hostile, layouts, strict=True):
            device.journal.description = lambda number, layout=layout: layout
        self.good = Device("good", PtyPort(f"{folder}/good"))
        self.devices = [*self.hostile, self.good]
        ports = "".join(f'[[devices]]\nport = "{device.port.url}"\n' for device in self.devices)
        config = folder / "gateway.toml"
        config.write_text(
            f'[broker]\nurl = "{self.broker.url}"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n'
            f"[homeassistant]\nenabled = true\n{extra}\n{ports}"
        )
        self.log = folder / "bridge.log"
        self.bridge = BridgeProcess.of_config(config, self.log)
        self.payloads = []

    def run(self, story):
        async def go():
            for device in self.devices:
                device.start()
            with self.bridge:
                await story(self)
                assert self.bridge.is_running
            for device in self.devices:
                device.stop()

        with self.broker:
            client = paho.Client(paho.CallbackAPIVersion.VERSION2)
            client.on_message = lambda client, userdata, message: self.payloads.append((message.topic, message.payload))
            client.on_connect = lambda client, *_: client.subscribe([("kittiwake/#", 1)])
            client.connect("127.0.0.1", self.broker.port)
            client.loop_start()
            client.publish(DEVICES_TOPIC, b"[" * 2000, 1, retain=True).wait_for_publish(20)
            self.client = client
            asyncio.run(go())
            client.disconnect()
            client.loop_stop()

    def make(self, device, count=RECORDS):
        for number in range(count):
            device.journal.add(rec.READING, payload.pack_reading(number, number))

    async def settled(self, *devices):
        def state():
            return [(device.name, device.journal.acked) for device in devices]

        await until_async(
            lambda: all(device.journal.acked == device.journal.next_seq for device in devices), state, 40, 0.05
        )

    def responses(self):
        return [json.loads(body) for topic, body in self.payloads if topic.endswith("/resp")]


@pytest.mark.parametrize("spool", [False, True], ids=["straight", "with a spool"])
def test_descriptions_that_no_message_may_carry_cost_their_devices_nothing_and_the_good_one_either(tmp_path, spool):
    async def story(world):
        for device in world.devices:
            world.make(device)
        await world.settled(*world.devices)
        await until_async(lambda: len(readings(world)) == RECORDS * len(world.devices), lambda: len(readings(world)))
        for topic, body in readings(world):
            assert ("problem" in body) == (topic.split("/")[1] in {f"bad-{n}" for n in range(7)})
        log = world.log.read_text()
        assert "connection lost" not in log and "Traceback" not in log

    extra = f'[spool]\nenabled = true\npath = "{tmp_path}/spool.db"\n' if spool else ""
    Beside(tmp_path, LAYOUTS, extra).run(story)


def test_messages_that_no_value_is_made_of_hold_up_no_command_and_no_record(tmp_path):
    async def story(world):
        client = world.client
        await until_async(lambda: world.log.read_text().count("connected to broker") == 2)
        world.make(world.good)
        await world.settled(world.good)
        client.publish("kittiwake/bridge/cmd", b'{"id":"nul","op":"release","port":"\\u0000"}', 1)
        client.publish("kittiwake/good/cmd", b'{"id":"\\ud800","op":"ping"}', 1)
        client.publish("kittiwake/good/cmd", b'{"id":"deep","op":"ping","x":' + b"[" * 5000 + b"]" * 5000 + b"}", 1)
        client.publish("kittiwake/good/cmd", b'{"id":"last","op":"ping"}', 1)
        world.make(world.good)
        await world.settled(world.good)
        await until_async(lambda: len(world.responses()) == 4, lambda: world.responses())
        assert sorted((answer["id"] or "", answer["status"]) for answer in world.responses()) == [
            ("", "invalid"),
            ("", "invalid"),
            ("last", "ok"),
            ("nul", "invalid"),
        ]
        # The list is whole again at the broker, and what comes next is delivered still.
        await until_async(lambda: [body for topic, body in world.payloads if topic == DEVICES_TOPIC][-1] == b'["good"]')
        world.make(world.good)
        await world.settled(world.good)
        assert "Traceback" not in world.log.read_text()

    Beside(tmp_path, []).run(story)


def readings(world):
    return [(topic, json.loads(body)) for topic, body in world.payloads if "/reading/" in topic]
