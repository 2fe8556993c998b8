"""`kittiwake fleet`: a real broker, a bridge, a virtual board that answers, and one that is only said to be there."""

import json
import subprocess
import sys

import paho.mqtt.publish as publish
import pytest

from kittiwake.target.unix import UnixTarget
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until


def fleet(folder, *arguments):
    command = [sys.executable, "-m", "kittiwake", "fleet", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)


@pytest.mark.needs("mosquitto")
def test_fleet_lists_who_answers_and_who_is_only_said_to_be_there(tmp_path):
    with (
        Mosquitto(tmp_path) as broker,
        UnixTarget(work_dir=tmp_path / "board") as board,
        BridgeProcess(board.link_port, broker.url),
    ):
        board.run_node({"device": "press-1", "channels": [{"source": {"kind": "link"}}]})
        publish.single("kittiwake/ghost/status", b"online", 1, True, hostname="127.0.0.1", port=broker.port)

        def listed():
            done = fleet(tmp_path, "list", "--broker", broker.url, "--wait", "2", "--json")
            assert done.returncode == 0, done.stderr
            by_name = {device["name"]: device for device in json.loads(done.stdout)}
            return by_name if by_name.get("press-1", {}).get("state") == "online" else None

        devices = until(listed, "press-1 on line", 60)
        assert set(devices) == {"press-1", "ghost"}
        assert devices["press-1"]["on"].startswith("micropython 1.") and devices["press-1"]["bridge"] == "bridge"
        assert devices["press-1"]["firmware"] and devices["press-1"]["heard"].endswith("Z")
        assert devices["ghost"]["state"] == "silent" and devices["ghost"]["heard"] is None
        assert fleet(tmp_path, "tag", "press-1", "hall=4").returncode == 0
        publish.single("kittiwake/ghost/status", b"offline", 1, True, hostname="127.0.0.1", port=broker.port)
        lines = fleet(tmp_path, "list", "--broker", broker.url, "--wait", "2").stdout.splitlines()
        assert [line.split()[:2] for line in lines[1:]] == [["ghost", "offline"], ["press-1", "online"]]
        assert "hall=4" in lines[2]
        only = fleet(tmp_path, "list", "--known", "--to", "hall=4").stdout.splitlines()
        assert [line.split()[0] for line in only[1:]] == ["press-1"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--to", "hall"], "is no tag"),
        (["list", "--broker", "mqtt://127.0.0.1:1", "--base", "a", "-c", "gateway.toml"], "names broker and base"),
        (["tag", "moon", "hall=4"], "no device moon"),
        (["tag", "moon"], "a tag is missing"),
    ],
)
def test_fleet_usage_errors_exit_2(tmp_path, arguments, words):
    done = fleet(tmp_path, *arguments)
    assert done.returncode == 2 and words in done.stderr
