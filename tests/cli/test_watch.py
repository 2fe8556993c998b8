"""`kittiwake watch`: lines for people, JSON for machines, one line when there is no broker."""

import json
import subprocess
import sys

import paho.mqtt.publish as publish
import pytest

from kittiwake.clients import watch
from tests.mosquitto import Mosquitto


def start(*arguments):
    command = [sys.executable, "-m", "kittiwake", "watch", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("as_json", [False, True])
def test_watch_shows_what_arrives(tmp_path, as_json):
    body = {"anomaly": True, "value": 11.2, "z_score": 7.31, "ts": "2026-01-02T03:04:05.678Z", "seq": 17}
    with Mosquitto(tmp_path) as broker:
        # Retained, so that it does not matter who is there first.
        topic = "kittiwake/dev/alert/vib"
        publish.single(topic, json.dumps(body), 1, True, hostname="127.0.0.1", port=broker.port)
        process = start("--broker", broker.url, *(["--json"] if as_json else []))
        line = process.stdout.readline()
        process.terminate()
        process.communicate()
    if as_json:
        assert json.loads(line) == {"topic": topic, "payload": body}
    else:
        assert all(word in line for word in (topic, "2026-01-02T03:04:05.678Z", "value=11.2", "z_score=7.31", "seq=17"))


def test_watch_without_a_broker_ends_with_one_line():
    process = start("--broker", "mqtt://127.0.0.1:1")
    _, words = process.communicate(timeout=30)
    assert process.returncode == 1 and "nothing listens there" in words.splitlines()[-1]


@pytest.mark.parametrize(
    "payload",
    [b"", b"online", b"\xff\x1b[2J", b"[1]", b'{"text": "\x1b]0;x\x07"}', b"{" * 3000, b'{"uptime_ms": 1500}'],
)
def test_headline_of_anything_is_one_printable_line(payload):
    line = watch.headline("kittiwake/dev/event", payload)
    assert line.isprintable() and len(line) <= 160


def test_watch_with_a_gateways_configuration_takes_its_broker(tmp_path):
    # It ended with "internal error: TypeError: 'module' object is not callable".
    config = tmp_path / "gateway.toml"
    config.write_text('[broker]\nurl = "mqtt://127.0.0.1:1"\n[[devices]]\nport = "/dev/ttyS0"\n')
    process = start("--config", str(config))
    _, words = process.communicate(timeout=30)
    assert process.returncode == 1 and "nothing listens there" in words.splitlines()[-1]
