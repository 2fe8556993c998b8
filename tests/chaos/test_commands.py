"""Commands at QoS 2 while board, bridge and broker are killed: each is carried out once, and answered."""

import itertools
import json
import random
import time

import paho.mqtt.client as paho
import pytest

from kittiwake.demo.ledger import LedgerProcess
from kittiwake.target.unix import UnixTarget
from tests.mosquitto import HAND_ON_AT_ONCE, Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

pytestmark = pytest.mark.needs("mosquitto")

COMMANDS = 40
LIMIT_S = 90
DEVICE = "kw-cmd"


class Commander:
    """An operator's program: sends at QoS 2 with a session that the broker keeps."""

    def __init__(self, broker):
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="commander", clean_session=False)
        self.client.reconnect_delay_set(0.1, 0.5)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()

    def send(self, body, device=DEVICE):
        self.client.publish(f"kittiwake/{device}/cmd", json.dumps(body), qos=2)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def run(tmp_path):
    (tmp_path / "samples.i16").write_bytes(bytes(2000))
    source = {"kind": "replay", "path": str(tmp_path / "samples.i16")}
    with (
        Mosquitto(tmp_path, HAND_ON_AT_ONCE) as broker,
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as ledger,
        UnixTarget(work_dir=tmp_path / "board") as board,
        BridgeProcess(board.link_port, broker.url) as bridge,
    ):
        config = {"device": DEVICE, "channels": [{"source": source}]}
        commander = Commander(broker)
        yield broker, ledger, board, bridge, commander, config
        commander.close()


def bodies(ledger, kind):
    for line in ledger.read():
        if line["topic"] == f"kittiwake/{DEVICE}/{kind}" and line["payload"].startswith("{"):
            yield json.loads(line["payload"])


def wait_for_answers(ledger, count, limit_s=LIMIT_S):
    def answers():
        found = {}
        for body in bodies(ledger, "resp"):
            found.setdefault(body["id"], []).append(body)
        return found

    until(lambda: len(answers()) >= count, lambda: f"{count} answers, but {len(answers())}", limit_s, 0.1)
    return answers()


def wait_until_online(ledger):
    is_online = lambda: any(line["topic"] == f"kittiwake/{DEVICE}/status" for line in ledger.read())  # noqa: E731
    until(is_online, "the device on line")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("victims", [("bridge",), ("board",), ("bridge", "board", "broker")], ids="-".join)
def test_commands_over_kills_are_carried_out_once_and_answered(run, victims):
    broker, ledger, board, bridge, commander, config = run
    rng = random.Random(7)
    board.run_node(config)
    wait_until_online(ledger)  # the broker keeps commands for a session that it knows
    coming = itertools.cycle(victims)
    for number in range(COMMANDS):
        commander.send({"id": f"c{number}", "op": "event", "code": number, "text": f"command {number}"})
        time.sleep(rng.random() * 0.1)
        if number % 8 == 4:
            victim = next(coming)
            if victim == "bridge":
                bridge.kill()
                bridge.start()
            elif victim == "board":
                board.cut_power()
                board.run_node(config)
            else:
                wait_for_answers(ledger, number)
                broker.kill_when_heard(ledger.path)
                broker.start()
    answers = wait_for_answers(ledger, COMMANDS)
    assert {body["status"] for copies in answers.values() for body in copies} == {"ok"}
    for copies in answers.values():
        assert all(copy == copies[0] for copy in copies)
    seqs_by_code = {}

    def all_arrived():
        for body in bodies(ledger, "event"):
            if body["text"].startswith("command"):
                seqs_by_code.setdefault(body["code"], set()).add((body["journal"], body["seq"]))
        return len(seqs_by_code) >= COMMANDS

    until(all_arrived, lambda: f"{COMMANDS} events, but of {sorted(seqs_by_code)}", pause_s=0.1)
    assert sorted(seqs_by_code) == list(range(COMMANDS))
    for code, records in seqs_by_code.items():
        assert {seq for _, seq in records} == {answers[f"c{code}"][0]["result"]["seq"]}, f"command {code}"


@pytest.mark.timeout(120)
def test_commands_of_every_kind_are_answered(run, tmp_path):
    broker, ledger, board, bridge, commander, config = run
    board.run_node(config)
    wait_until_online(ledger)
    for body in (
        {"id": 1, "op": "ping", "text": "hello"},
        {"id": 2, "op": "identify"},
        {"id": 3, "op": "stimulus", "samples": [1, 2]},
        {"id": 4, "op": "nonsense"},
        {"id": 5, "op": "config_set", "config": {"device": "x y"}},
        {"id": 6, "op": "config_set", "config": config | {"health_s": 7}},
        {"id": 9, "op": "config_get"},
        {"id": 7, "op": "event", "code": 70000},
        {"id": 10, "op": "relearn", "channel": 0},
        {"id": 11, "op": "relearn", "channel": -1},
        {"op": "ping"},
    ):
        commander.send(body)
    commander.send({"id": 8, "op": "ping"}, device="bridge")
    answers = wait_for_answers(ledger, 11)
    by_id = {key: copies[0] for key, copies in answers.items()}
    assert by_id["1"]["result"] == {"text": "hello"}
    assert "firmware" in by_id["2"]["result"]
    assert by_id["3"]["status"] == "refused"
    assert by_id["4"]["status"] == "invalid" and "ping" in by_id["4"]["error"]
    assert by_id["5"]["status"] == "refused" and "device" in by_id["5"]["error"]
    assert by_id["6"]["status"] == "ok"
    assert by_id["10"]["status"] == "refused" and "learns" in by_id["10"]["error"]
    assert by_id["11"]["status"] == "invalid" and "channel" in by_id["11"]["error"]
    assert by_id["9"]["result"]["config"] == config | {"health_s": 7}
    assert by_id["7"]["status"] == "invalid" and "65535" in by_id["7"]["error"]
    assert by_id[None]["status"] == "invalid" and "id" in by_id[None]["error"]


@pytest.mark.timeout(120)
def test_commands_to_the_bridge_itself_are_answered(run):
    broker, ledger, board, bridge, commander, config = run
    board.run_node(config)
    wait_until_online(ledger)
    for body in (
        {"id": "s", "op": "status"},
        {"id": "r", "op": "release", "seconds": 1},
        {"id": "x", "op": "release", "port": 5},
        {"id": "u", "op": "release", "port": "/dev/unknown"},
        {"id": "p", "op": "ping"},
    ):
        commander.send(body, device="bridge")
    # While it has no port the device cannot be asked; the command waits for the second in which it comes back.
    commander.send({"id": "later", "op": "ping", "text": "back"})
    found = {}

    def all_answered():
        for line in ledger.read():
            if line["topic"].endswith("/resp"):
                body = json.loads(line["payload"])
                found[body["id"]] = body
        return len(found) >= 6

    until(all_answered, lambda: f"six answers, but {found}", LIMIT_S)
    assert found["s"]["result"]["broker"]["connected"]
    assert [device["device"] for device in found["s"]["result"]["devices"]] == [DEVICE]
    assert found["r"]["result"] == {"released": [board.link_port]}
    assert found["x"]["status"] == "invalid" and found["u"]["result"] == {"released": []}
    assert found["p"]["status"] == "invalid" and "release" in found["p"]["error"]
    assert found["later"]["result"] == {"text": "back"}
