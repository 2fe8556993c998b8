"""`kittiwake watch`: lines for people, JSON for machines, one line when there is no broker."""

import json
import subprocess
import sys
import threading

import paho.mqtt.publish as publish
import pytest

from kittiwake.clients import watch
from tests.mosquitto import Mosquitto, refusing_subscriptions


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


def gateway(folder, url, more=""):
    """A gateway's configuration."""
    path = folder / "gateway.toml"
    path.write_text(f'[broker]\nurl = "{url}"\n{more}\n[[devices]]\nport = "/dev/ttyS0"\n')
    return path


def heard(process, words, seconds=15):
    """A line on stderr with these words; the process is ended then."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if words in line:
                return line
        raise AssertionError(lines)
    finally:
        timer.cancel()
        process.terminate()
        process.communicate()


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_watch_says_when_an_acl_file_hides_everything(tmp_path, version):
    # Mosquitto grants the subscription, and drops the messages.
    (tmp_path / "acl").write_text("topic write kittiwake/#\ntopic read other/#\n")
    with Mosquitto(tmp_path, f"acl_file {tmp_path}/acl") as broker:
        publish.single("kittiwake/bridge/status", "online", 1, True, hostname="127.0.0.1", port=broker.port)
        process = start("--config", str(gateway(tmp_path, broker.url, f'protocol = "{version}"')))
        line = heard(process, "nothing came")
    assert line.startswith("watch: subscribed, and nothing came") and "the broker's ACL hides it from us" in line


@pytest.mark.needs("mosquitto")
def test_watch_says_whose_status_an_acl_file_hides(tmp_path):
    (tmp_path / "acl").write_text(
        "topic write kittiwake/#\ntopic read kittiwake/bridge/#\ntopic read kittiwake/press-8/#\n"
    )
    with Mosquitto(tmp_path, f"acl_file {tmp_path}/acl") as broker:
        retained = {"bridge/devices": '["press-7", "press-8"]', "press-7/status": "online", "press-8/status": "online"}
        for topic, text in retained.items():
            publish.single(f"kittiwake/{topic}", text, 1, True, hostname="127.0.0.1", port=broker.port)
        line = heard(start("--broker", broker.url), "status")
    assert line.startswith("watch: press-7: on line by a bridge's list, and no status came")


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize(("version", "reason"), [("5", "Not authorized"), ("3.1.1", "no reason given")])
def test_watch_whose_subscription_is_refused_ends_with_one_line(tmp_path, version, reason):
    with Mosquitto(tmp_path, refusing_subscriptions(tmp_path)) as broker:
        process = start("--config", str(gateway(tmp_path, broker.url, f'protocol = "{version}"')))
        _, words = process.communicate(timeout=30)
    last = words.splitlines()[-1]
    assert process.returncode == 1 and f"refuses the subscription to kittiwake/#: {reason}" in last


@pytest.mark.needs("mosquitto")
def test_watch_of_a_configuration_shows_topics_of_their_own(tmp_path):
    with Mosquitto(tmp_path) as broker:
        publish.single("factory/line1/alerts", '{"seq": 1}', 1, True, hostname="127.0.0.1", port=broker.port)
        more = '[publish]\ntopics = { alert = "factory/line1/alerts" }'
        process = start("--config", str(gateway(tmp_path, broker.url, more)))
        line = process.stdout.readline()
        process.terminate()
        process.communicate()
    assert "factory/line1/alerts" in line


def test_watch_with_a_broker_beside_a_configuration_is_wrong_usage(tmp_path):
    process = start("--config", str(gateway(tmp_path, "mqtt://127.0.0.1:1")), "--broker", "mqtt://127.0.0.1:2")
    _, words = process.communicate(timeout=30)
    assert process.returncode == 2 and "a configuration names broker and base" in words
