"""A board that speaks MQTT itself, against Mosquitto for real: outages, kill -9 of either, TLS, and the bridge's bytes.

The firmware runs under the unix port; a ledger process is the witness, and the journal at the end is the truth.
"""

import json
import shutil
import time

import pytest

from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.scenario import Scenario, node_config
from kittiwake.signals import vibration
from kittiwake.target.unix import UnixTarget
from tests.chaos.direct import DEVICE, LIMIT_S, SECONDS, wait
from tests.chaos.truth import N, T, assert_alerts_are_the_references, journal_end, wait_for_records
from tests.mosquitto import HAND_ON_AT_ONCE, Mosquitto
from tests.support import udp
from tests.support.bad_proxy import BadProxy
from tests.support.hil import SOAK
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(900 if SOAK else 240)]

ROUNDS = 12 if SOAK else 1
PACE_S = 2.5 if SOAK else 0  # so that connections last, and the next attempt comes soon
UTC_MS = 1767323045678


@pytest.fixture
def plant(tmp_path):
    """(samples, node's configuration, board, broker, witness), the broker running, the board not."""
    samples = vibration.samples(SECONDS * 1000, seed=5)
    (tmp_path / "samples.i16").write_bytes(samples.tobytes())
    config = node_config(Scenario(samples, rate_hz=1000, n=N, t=T, summary_s=1), tmp_path / "samples.i16")
    with (
        Mosquitto(tmp_path, HAND_ON_AT_ONCE) as broker,
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as witness,
        UnixTarget(work_dir=tmp_path / "board") as board,
    ):
        mqtt = {"url": broker.url, "keepalive_s": 5}
        # Health comes at the samples' end, and the end of the log after it: nothing is made that would arrive later.
        yield samples, config | {"health_s": 3600, "link": "mqtt", "mqtt": mqtt}, board, broker, witness


def records(witness):
    """(seq -> (topic, payload) of the first copy, seqs by first arrival), every copy compared with the first."""
    first, order = {}, []
    for line in witness.read():
        if '"journal"' not in line.get("payload", ""):
            continue
        body = json.loads(line["payload"])
        seen = (line["topic"], line["payload"])
        if body["seq"] not in first:
            first[body["seq"]] = seen
            order.append(body["seq"])
        assert first[body["seq"]] == seen, "a repeat differs"
    return first, order


def statuses(witness):
    return [line["payload"] for line in witness.read() if line["topic"] == f"kittiwake/{DEVICE}/status"]


def wait_for_news(board, witness):
    known = len(records(witness)[1])
    wait(board, lambda: len(records(witness)[1]) > known + 2, "news at the witness")


def is_through(witness):
    return any('"source ended' in payload for _, payload in records(witness)[0].values())


def drain(board, witness):
    """Wait until everything is there; give the records' bodies by seq."""
    wait(board, lambda: is_through(witness), "end of the samples")
    next_seq = journal_end(board)
    first, order = records(witness)
    assert order == list(range(next_seq)), "lost, or out of order"
    return {seq: json.loads(payload) for seq, (_, payload) in first.items()}


def test_direct_broker_stopped_killed_and_frozen_loses_nothing(plant, figures):
    samples, config, board, broker, witness = plant
    board.run_node(config)
    for _ in range(ROUNDS):
        for harm in (broker.stop, lambda: broker.kill_when_heard(witness.path)):
            wait_for_news(board, witness)
            time.sleep(PACE_S)
            harm()
            wait_for_records(board)
            broker.start()
        wait_for_news(board, witness)
        time.sleep(PACE_S)
        broker.freeze()
        wait_for_records(board, 3)
        broker.thaw()
    bodies = drain(board, witness)
    assert_alerts_are_the_references(bodies.values(), samples)
    health = next(body for body in bodies.values() if "loop_max_us" in body)
    # Every sample was judged. How late the latest of them was is this machine's load as well: told, not judged.
    assert health["samples"] == len(samples)
    assert health["reconnects"] >= 2 * ROUNDS
    assert statuses(witness).count("online") > 2 * ROUNDS
    free, longest_us, late = health["heap_free"], health["loop_max_us"], health["overruns"]
    figures(
        f"direct MQTT, {SECONDS} s at 1 kHz, {3 * ROUNDS} outages: {len(bodies)} records, none lost; "
        f"{late} samples late, longest turn of the loop {longest_us} us, free heap at the end {free}"
    )


def test_direct_over_lines_that_close_lie_refuse_trickle_and_break_loses_nothing(plant):
    samples, config, board, broker, witness = plant
    # The first cut is behind the handshake, the second in the middle of a record.
    treatments = ["garbage", "refuse", ("cut", 130), ("cut", 1500), "trickle"]
    with BadProxy(broker.port, treatments) as proxy:
        mqtt = config["mqtt"] | {"url": f"mqtt://127.0.0.1:{proxy.port}"}
        board.run_node(config | {"mqtt": mqtt})
        bodies = drain(board, witness)
        assert proxy.connections >= len(treatments)
    assert_alerts_are_the_references(bodies.values(), samples)
    said = board.log_path.read_text()
    assert "the broker refuses: not authorised" in said
    assert "mqtt-" in said  # what was garbage, as an error of the protocol


def test_direct_board_killed_loses_nothing_committed_and_its_will_says_so(plant):
    samples, config, board, _, witness = plant
    for _ in range(2 * ROUNDS):
        board.run_node(config)
        wait_for_news(board, witness)
        board.cut_power()
    board.run_node(config)
    bodies = drain(board, witness)
    assert len(assert_alerts_are_the_references(bodies.values(), samples)) == 2 * ROUNDS + 1
    expected = ["online", "offline"] * (2 * ROUNDS + 1)
    until(lambda: statuses(witness) == expected, lambda: f"{expected}, but {statuses(witness)}", LIMIT_S)


def test_direct_publishes_what_the_bridge_publishes_of_the_same_journal(plant, tmp_path):
    samples, config, board, broker, witness = plant
    telling = {"name": "vib ration", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100", "offset": "-3/7"}
    channel = config["channels"][0] | telling | {"snapshot": {"before": 8, "after": 8}}
    offline = {key: value for key, value in config.items() if key not in ("link", "mqtt")}
    offline |= {"channels": [channel]}
    board.run_node(offline)  # its link leads to nobody
    flash = board.flash_path
    wait(board, lambda: flash.exists() and b"source ended" in flash.read_bytes(), "end of the samples in flash")
    end = journal_end(board)
    shutil.copy(board.flash_path, tmp_path / "flash.copy")
    board.run_node(offline)
    with BridgeProcess(board.link_port, broker.url):
        wait(board, lambda: end - 1 in records(witness)[0], "last record through the bridge")
    board.cut_power()
    bridged, _ = records(witness)
    shutil.copy(tmp_path / "flash.copy", board.flash_path)
    with LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "direct.jsonl") as second:
        board.run_node(config | {"channels": [channel]})
        wait(board, lambda: end - 1 in records(second)[0], "last record from the board itself")
        direct, _ = records(second)
    assert end > 20
    assert {seq: direct[seq] for seq in range(end)} == {seq: bridged[seq] for seq in range(end)}
    assert {topic.split("/")[2] for topic, _ in direct.values()} >= {
        "boot",
        "alert",
        "summary",
        "health",
        "event",
        "snapshot",
    }


def test_direct_finds_its_broker_and_the_time_by_its_own_questions(plant):
    _, config, board, broker, witness = plant
    hosts = {"broker.example": "127.0.0.1", "time.example": "127.0.0.1"}
    with udp.UdpServer(udp.dns(hosts)) as names, udp.UdpServer(udp.sntp(UTC_MS)) as clock:
        mqtt = config["mqtt"] | {
            "url": f"mqtt://broker.example:{broker.port}",
            "dns": names.address,
            "ntp": f"time.example:{clock.port}",
        }
        board.run_node(config | {"mqtt": mqtt})
        wait(board, lambda: any('"ts":"2026-01-02T03:04:' in p for _, p in records(witness)[0].values()), "time")
        assert names.asked >= 2 and clock.asked >= 1
    assert statuses(witness) == ["online"]


def test_direct_commands_are_answered_by_the_board_itself(plant):
    import paho.mqtt.client as paho

    _, config, board, broker, witness = plant
    board.run_node(config)
    wait(board, lambda: statuses(witness) == ["online"], "status")
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    requests = [
        {"id": 1, "op": "ping", "text": "ü"},
        {"id": "2", "op": "event", "code": 9, "text": "seen"},
        {"id": "2", "op": "event", "code": 9, "text": "seen"},
        {"id": "3", "op": "time", "utc_ms": UTC_MS},
        {"id": "4", "op": "identify"},
        {"id": "5", "op": "stimulus", "samples": [1]},
        {"id": "6", "op": "fly"},
        {"id": "7", "op": "config_get"},
        {"id": "8", "op": "relearn"},
    ]
    for request in requests:
        client.publish(f"kittiwake/{DEVICE}/cmd", json.dumps(request), qos=1).wait_for_publish(30)
    client.publish(f"kittiwake/{DEVICE}/cmd", b"x" * 9000, qos=1).wait_for_publish(30)

    def answers():
        return [json.loads(x["payload"]) for x in witness.read() if x["topic"] == f"kittiwake/{DEVICE}/resp"]

    wait(board, lambda: len(answers()) == len(requests) + 1, "answers")
    client.loop_stop()
    seen = answers()
    assert [a["status"] for a in seen] == ["ok"] * 5 + ["refused", "invalid", "ok", "refused", "invalid"]
    assert seen[0] == {
        "id": "1",
        "op": "ping",
        "device": DEVICE,
        "bridge": None,
        "status": "ok",
        "result": {"text": "ü"},
    }
    assert seen[1] == seen[2]
    events = [body for _, body in records(witness)[0].values() if '"code":9' in body]
    assert len(events) == 1 and json.loads(events[0])["seq"] == seen[1]["result"]["seq"]
    assert seen[7]["result"]["config"]["device"] == DEVICE


def test_direct_with_500_commands_that_waited_answers_all_in_few_connections_and_soon(plant, figures):
    import paho.mqtt.client as paho

    _, config, board, broker, witness = plant
    board.run_node(config)
    wait(board, lambda: statuses(witness) == ["online"], "status")
    board.cut_power()
    until(lambda: statuses(witness) == ["online", "offline"], "the will", LIMIT_S)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for number in range(500):
        client.publish(f"kittiwake/{DEVICE}/cmd", json.dumps({"id": str(number), "op": "ping"}), qos=1)
    client.publish(f"kittiwake/{DEVICE}/cmd", json.dumps({"id": "500", "op": "ping"}), qos=1).wait_for_publish(30)
    client.loop_stop()
    started_s = time.monotonic()
    board.run_node(config)

    def answered():
        lines = [line["payload"] for line in witness.read() if line["topic"] == f"kittiwake/{DEVICE}/resp"]
        return [json.loads(line)["id"] for line in lines]

    wait(board, lambda: len(set(answered())) == 501, "501 answers")
    connections = statuses(witness).count("online") - 1
    figures(f"direct MQTT: 501 queued commands in {time.monotonic() - started_s:.1f} s, {connections} connections")
    # This broker sends all of them at once, whatever is not confirmed; a board keeps some 70 of these.
    assert sorted(set(answered()), key=int) == [str(number) for number in range(501)]
    assert connections <= 10
