"""kill -9 of board, bridge and broker in the middle of a run: nothing committed is lost, every copy is the same.

All for real: the firmware under the unix port, the bridge as a process, Mosquitto, and a subscriber's ledger.
"""

import pytest

from kittiwake.demo import audit
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.pipeline import follow
from kittiwake.demo.scenario import Scenario, node_config
from kittiwake.signals import vibration
from kittiwake.target.unix import UnixTarget
from tests.chaos.truth import (
    N,
    T,
    alerts_by_boot,
    assert_alerts_are_the_references,
    journal_end,
    wait_for_records,
)
from tests.mosquitto import HAND_ON_AT_ONCE, Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

pytestmark = pytest.mark.needs("mosquitto")

SECONDS = 6
KILLS = 3
DRAIN_S = 60


@pytest.fixture
def run(tmp_path):
    samples = vibration.samples(SECONDS * 1000, seed=5)
    (tmp_path / "samples.i16").write_bytes(samples.tobytes())
    plan = Scenario(samples, rate_hz=1000, n=N, t=T, summary_s=1)
    with (
        Mosquitto(tmp_path, HAND_ON_AT_ONCE) as broker,
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as witness,
        UnixTarget(work_dir=tmp_path / "board") as board,
        BridgeProcess(board.link_port, broker.url) as bridge,
    ):
        config = node_config(plan, tmp_path / "samples.i16")
        yield samples, broker, witness, board, bridge, config


def read(path):
    ledger = audit.Ledger()
    for arrival in follow(path):
        ledger.take(arrival)
    return ledger


def is_through(path):
    return any(str(body.get("text", "")).startswith("source ended") for body in read(path).records.values())


def alerts(path):
    return alerts_by_boot(read(path).records.values())


def wait_for_news(witness):
    known = len(witness.read())
    until(lambda: len(witness.read()) >= known + 3, "three more messages at the witness", DRAIN_S)


def wait_until_drained(board, path):
    until(lambda: is_through(path), lambda: f"the samples' end among {len(read(path).records)} records", DRAIN_S, 0.2)
    next_seq = journal_end(board)
    ledger = read(path)
    assert ledger.missing() == 0
    assert ledger.altered == 0
    journals = {journal for journal, _ in ledger.records}
    assert len(journals) == 1
    assert max(seq for _, seq in ledger.records) == next_seq - 1
    return [ledger.records[key] for key in sorted(ledger.records)]


@pytest.mark.timeout(180)
def test_board_killed_during_a_run_loses_nothing_committed(run):
    samples, _, witness, board, _, config = run
    for kill in range(1, KILLS + 1):
        board.run_node(config)
        until(lambda kill=kill: len(alerts(witness.path)) >= kill, f"an alert of boot {kill}", DRAIN_S)
        board.cut_power()
    board.run_node(config)
    boots = assert_alerts_are_the_references(wait_until_drained(board, witness.path), samples)
    assert len(boots) == KILLS + 1


@pytest.mark.timeout(180)
def test_bridge_killed_during_a_run_loses_nothing(run):
    samples, _, witness, board, bridge, config = run
    board.run_node(config)
    for _ in range(KILLS):
        wait_for_news(witness)
        bridge.kill()
        wait_for_records(board)
        bridge.start()
    assert_alerts_are_the_references(wait_until_drained(board, witness.path), samples)


@pytest.mark.timeout(180)
def test_broker_killed_during_a_run_loses_nothing(run):
    samples, broker, witness, board, _, config = run
    board.run_node(config)
    for _ in range(KILLS):
        wait_for_news(witness)
        broker.kill_when_heard(witness.path)
        wait_for_records(board)
        broker.start()
    assert_alerts_are_the_references(wait_until_drained(board, witness.path), samples)


@pytest.mark.timeout(180)
def test_bridge_frozen_and_thawed_goes_on(run):
    samples, _, witness, board, bridge, config = run
    board.run_node(config)
    wait_for_news(witness)
    bridge.freeze()
    wait_for_records(board, 4)
    bridge.thaw()
    assert_alerts_are_the_references(wait_until_drained(board, witness.path), samples)
