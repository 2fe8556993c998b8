"""Decisions for real: Mosquitto, a bridge, devices; kill -9, broker restarts and copies change nothing."""

import asyncio
import json
import random
import signal
import statistics
import subprocess
import sys
import threading
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from kittiwake_node.link import messages, payload
from kittiwake_node.link import record as rec
from tests.history import records
from tests.mosquitto import Mosquitto
from tests.serve import models
from tests.support.hil import SOAK
from tests.support.processes import BridgeProcess, dying_with_us
from tests.support.waiting import until, until_async
from tools.devices import Device
from tools.virtual_ports import PtyPort

pytestmark = pytest.mark.needs("mosquitto")

RECORDS = 5000 if SOAK else 300
SNAPSHOTS = 300 if SOAK else 30
# w·x + b with x = (n, mean, low, high): an anomaly where the mean is above 0.5.
WEIGHTS = {"weights": (0.0, 20.0, 0.0, 0.0), "bias": -10.0}
RULES = """
[decide]
models = "{models}"
[[decide.rules]]
name = "worn"
model = "detector"
kind = "{kind}"
features = ["n", "mean", "low", "high"]
command = {{device = "press-8", fields = {{op = "event", code = 7, text = "worn"}}}}
"""


class Decider:
    """`kittiwake decide` as a process."""

    def __init__(self, folder, broker_url, kind, more='[[devices]]\nport = "/dev/none"\n'):
        self.folder = folder
        (folder / "models").mkdir()
        models.put(folder / "models" / "detector.onnx", models.classifier(**WEIGHTS))
        (folder / "gateway.toml").write_text(
            f'[broker]\nurl = "{broker_url}"\nprotocol = "5"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n{more}'
            + RULES.format(models=folder / "models", kind=kind)
        )

    def start(self):
        command = [sys.executable, "-m", "kittiwake", "decide", "-c", str(self.folder / "gateway.toml")]
        with open(self.folder / "decide.log", "ab") as log:
            self.process = subprocess.Popen(dying_with_us(command), stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0


class Listener:
    """Keeps what comes on some topics, over the broker's restarts."""

    def __init__(self, broker, *topics):
        self.came = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = lambda client, _, message: self.came.append((message.topic, message.payload))
        self._client.on_connect = lambda client, *_: client.subscribe([(topic, 2) for topic in topics])
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._room = threading.Semaphore(100)
        self._client.on_publish = lambda *_: self._room.release()

    def send(self, topic, raw):
        assert self._room.acquire(timeout=60)
        self._client.publish(topic, raw, 1)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def has_subscribed(folder):
    """Whether both of its clients are at the broker: the one that publishes may be first."""
    return (folder / "decide.log").read_text().count("connected to broker") >= 2


@pytest.mark.timeout(240)
def test_decisions_survive_kills_restarts_and_copies_and_one_key_has_one_form(tmp_path):
    chance = random.Random(6)
    samples = [[chance.randint(-100, 300) for _ in range(20)] for _ in range(RECORDS)]
    with Mosquitto(tmp_path) as broker:
        decider = Decider(tmp_path, broker.url, "summary")
        decider.start()
        until(lambda: has_subscribed(tmp_path))
        listener = Listener(broker, "kittiwake/+/decision/#", "kittiwake/+/cmd")
        try:
            disasters = {RECORDS // 4: "kill", RECORDS // 2: "broker", 3 * RECORDS // 4: "kill"}
            for seq, values in enumerate(samples):
                message = records.summary(seq, values, 5000, epoch_ms=records.EPOCH_MS)
                for _ in range(2 if chance.random() < 0.2 else 1):
                    listener.send(*message)
                if disasters.get(seq) == "kill":
                    decider.kill()
                    decider.start()
                elif disasters.get(seq) == "broker":
                    broker.stop()
                    broker.start()

            def missing():
                """How many decisions, and how many of their commands, have not come."""
                bodies = [
                    json.loads(raw) | {"is_decision": "/decision/" in topic} for topic, raw in list(listener.came)
                ]
                decisions = {body["of_seq"]: body["anomaly"] for body in bodies if body["is_decision"]}
                commands = {body["id"] for body in bodies if not body["is_decision"]}
                return RECORDS - len(decisions), sum(decisions.values()) - len(commands)

            until(lambda: missing() == (0, 0), lambda: f"decisions, commands missing: {missing()}", 90, 0.1)
            decider.stop()
        finally:
            listener.close()
    forms, commands = {}, {}
    for topic, raw in listener.came:
        body = json.loads(raw)
        if "/decision/" in topic:
            assert forms.setdefault(body["key"], raw) == raw
        else:
            assert commands.setdefault(body["id"], raw) == raw
    assert len(forms) == RECORDS
    # Channel's scale and offset: 1/100 and -0.3. Beside the border the verdict is what anyone works out.
    means = [statistics.fmean(values) / 100 - 0.3 for values in samples]
    for raw in forms.values():
        body = json.loads(raw)
        mean = means[body["of_seq"]]
        assert body["anomaly"] is (mean > 0.5) or abs(mean - 0.5) < 1e-6
    anomalies = sum(json.loads(raw)["anomaly"] for raw in forms.values())
    assert len(commands) == anomalies and 0 < anomalies < RECORDS


@pytest.mark.timeout(240)
def test_snapshot_at_one_board_becomes_a_command_at_another(tmp_path):
    press_7 = Device("press-7", PtyPort(f"{tmp_path}/tty7"))
    came = []

    def on_command(op, body, now_ms):
        came.append((time.monotonic(), op, bytes(body)))
        return messages.OK, b""

    press_8 = Device("press-8", PtyPort(f"{tmp_path}/tty8"), on_command=on_command)
    ports = "".join(f'[[devices]]\nport = "{device.port.url}"\n' for device in (press_7, press_8))
    took_s = []

    def events():
        return [at for at, _, body in came if b"worn" in body]

    async def run(bridge, decider):
        press_7.start()
        press_8.start()
        bridge.start()
        decider.start()
        await until_async(lambda: press_8.journal.acked and press_7.journal.acked, "both boards are on line", 30)
        await until_async(lambda: has_subscribed(tmp_path), "decide", 30)
        await asyncio.sleep(0.5)
        quiet = payload.pack_snapshot(0, 1, 0, b"\0\0" * 32)
        for number in range(SNAPSHOTS):
            before, begin = len(events()), time.monotonic()
            press_7.add(rec.SNAPSHOT, quiet)
            press_7.add(rec.SNAPSHOT, payload.pack_snapshot(0, 1, 0, b"\7\0" * 32))
            await until_async(lambda before=before: len(events()) > before, f"command {number}", 20, 0.001)
            took_s.append(events()[-1] - begin)
        await asyncio.sleep(0.2)
        press_7.stop()
        press_8.stop()

    with Mosquitto(tmp_path) as broker:
        decider = Decider(tmp_path, broker.url, "snapshot", ports)
        bridge = BridgeProcess.of_config(tmp_path / "gateway.toml", tmp_path / "bridge.log")
        try:
            asyncio.run(run(bridge, decider))
        finally:
            bridge.kill()
            decider.kill()
    assert len(events()) == SNAPSHOTS  # none of the quiet ones, and none twice
    ordered = sorted(took_s)
    p99_s = ordered[int(0.99 * len(ordered))]
    print(f"decide: median {statistics.median(ordered) * 1000:.1f} ms, p99 {p99_s * 1000:.1f} ms")
    if SOAK:
        assert p99_s < 0.05


def test_decide_without_rules_or_model_exits_with_2(tmp_path):
    with Mosquitto(tmp_path) as broker:
        Decider(tmp_path, broker.url, "summary")
        (tmp_path / "models" / "detector.onnx").unlink()
        done = subprocess.run(
            [sys.executable, "-m", "kittiwake", "decide", "-c", str(tmp_path / "gateway.toml")],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2 and "model 'detector': no such file" in done.stderr
