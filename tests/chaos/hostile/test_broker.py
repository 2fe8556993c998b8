"""Hostile brokers and boards that speak MQTT themselves: what the next broker gets is every record, in order."""

import json
from contextlib import ExitStack

import pytest

from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.scenario import Scenario, node_config
from kittiwake.signals import vibration
from kittiwake.target.unix import UnixTarget
from tests.chaos.hostile.broker_cases import SCRIPTS, player
from tests.chaos.truth import N, T, assert_alerts_are_the_references, journal_end
from tests.mosquitto import Mosquitto
from tests.support.bad_proxy import BadProxy
from tests.support.waiting import until

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(240)]

TOGETHER = 7
CONNECTIONS = 2  # that are hostile; the third gets through
RATE_HZ, SECONDS = 1000, 4
HEAP_BYTES = 320 * 1024  # what is not bounded does not fit
NAMES = list(SCRIPTS)


@pytest.mark.parametrize("start", range(0, len(NAMES), TOGETHER))
def test_hostile_broker_costs_the_board_no_record_and_no_sample(tmp_path, start):
    samples = vibration.samples(SECONDS * RATE_HZ, rate_hz=RATE_HZ, seed=5)
    (tmp_path / "samples.i16").write_bytes(samples.tobytes())
    config = node_config(Scenario(samples, rate_hz=RATE_HZ, n=N, t=T, summary_s=1), tmp_path / "samples.i16")
    boards = {}
    with (
        Mosquitto(tmp_path) as broker,
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as ledger,
        ExitStack() as stack,
    ):
        for number, name in enumerate(NAMES[start : start + TOGETHER]):
            device = f"board-{start + number}"
            play = player(SCRIPTS[name], device)
            proxy = stack.enter_context(BadProxy(broker.port, [play] * CONNECTIONS))
            board = stack.enter_context(UnixTarget(work_dir=tmp_path / device, heap_bytes=HEAP_BYTES))
            mqtt = {"url": f"mqtt://127.0.0.1:{proxy.port}", "keepalive_s": 5}
            board.run_node(config | {"device": device, "health_s": 3600, "link": "mqtt", "mqtt": mqtt})
            boards[device] = name, board, proxy
        for device, (name, board, proxy) in boards.items():

            def is_through(device=device, board=board):
                board.check_running()
                return any('"source ended' in payload for payload in payloads(ledger, device))

            until(
                is_through,
                lambda name=name, board=board: f"a broker that {name}: {board.log_path.read_text()}",
                60,
                0.1,
            )
            assert proxy.connections > CONNECTIONS, name
            bodies = [json.loads(payload) for payload in payloads(ledger, device)]
            first = {body["seq"]: body for body in bodies}
            assert list(first) == list(range(journal_end(board))), f"a broker that {name}: lost, or out of order"
            assert all(first[body["seq"]] == body for body in bodies), f"a broker that {name}: a repeat differs"
            assert_alerts_are_the_references(first.values(), samples)


def payloads(ledger, device):
    lines = [line for line in ledger.read() if line["topic"].startswith(f"kittiwake/{device}/")]
    return [line["payload"] for line in lines if '"journal"' in line.get("payload", "")]


def test_there_are_as_many_hostile_brokers_as_there_should_be():
    assert len(SCRIPTS) >= 25
