"""kill -9 of board, bridge and broker in the middle of a run: nothing committed is lost, every copy is the same.

All for real: the firmware under the unix port, the bridge as a process, Mosquitto, and a subscriber's ledger.
"""

import time
from fractions import Fraction

import pytest

from kittiwake.demo import audit
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.pipeline import follow
from kittiwake.demo.scenario import Plan, node_config
from kittiwake.reference import zscore
from kittiwake.signals import vibration
from kittiwake.target.unix import UnixTarget
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess

pytestmark = pytest.mark.needs("mosquitto")

SECONDS = 6
N, T = 20, Fraction(5, 2)
KILLS = 3
DRAIN_S = 60

_NEXT_SEQ = """
from kittiwake_node.io import storage
from kittiwake_node.store.journal import Journal
_j = Journal(storage.open_file_system(storage.FileBlockDevice({path!r}, 1 << 20)), lambda: 0)
print(_j.next_seq, sum(_j.evicted), _j.damaged)
"""


@pytest.fixture
def run(tmp_path):
    samples = vibration.samples(SECONDS * 1000, seed=5)
    (tmp_path / "samples.i16").write_bytes(samples.tobytes())
    plan = Plan(samples, rate_hz=1000, n=N, t=T, summary_s=1)
    with (
        Mosquitto(tmp_path) as broker,
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


def wait_until_through(path):
    deadline = time.monotonic() + DRAIN_S
    while not is_through(path):
        assert time.monotonic() < deadline, f"{len(read(path).records)} records after {DRAIN_S} s"
        time.sleep(0.2)


def wait_for_news(witness):
    # Killed, Mosquitto forgets what it confirmed and had not saved, unless its subscriber was there.
    known = len(witness.read())
    deadline = time.monotonic() + DRAIN_S
    while len(witness.read()) < known + 3:
        assert time.monotonic() < deadline, "nothing arrives at the witness"
        time.sleep(0.05)


def journal_end(board):
    board.interrupt()
    return [int(word) for word in board.exec(_NEXT_SEQ.format(path=str(board.flash_path))).split()]


def wait_until_drained(board, path):
    wait_until_through(path)
    next_seq, evicted, damaged = journal_end(board)
    assert (evicted, damaged) == (0, 0)
    ledger = read(path)
    assert ledger.missing() == 0
    assert ledger.altered == 0
    journals = {journal for journal, _ in ledger.records}
    assert len(journals) == 1
    assert max(seq for _, seq in ledger.records) == next_seq - 1
    return ledger


def assert_alerts_are_the_references(ledger, samples):
    expected = [(a.index, a.sum, a.sum_sq) for a in zscore.alerts(samples, N, T)]
    assert len(expected) >= 20
    boots = {}
    for _, body in sorted(ledger.alerts()):
        boots.setdefault(body["boot"], []).append((body["index"], body["s"], body["q"]))
    assert boots[max(boots)] == expected
    for seen in boots.values():
        assert seen == expected[: len(seen)]
    return boots


@pytest.mark.timeout(180)
def test_board_killed_during_a_run_loses_nothing_committed(run):
    samples, _, witness, board, _, config = run
    for _ in range(KILLS):
        board.run_node(config)
        time.sleep(1.7)
        board.cut_power()
    board.run_node(config)
    ledger = wait_until_drained(board, witness.path)
    boots = assert_alerts_are_the_references(ledger, samples)
    assert len(boots) == KILLS + 1


@pytest.mark.timeout(180)
def test_bridge_killed_during_a_run_loses_nothing(run):
    samples, _, witness, board, bridge, config = run
    board.run_node(config)
    for _ in range(KILLS):
        time.sleep(1.3)
        bridge.kill()
        time.sleep(0.4)
        bridge.start()
    ledger = wait_until_drained(board, witness.path)
    assert_alerts_are_the_references(ledger, samples)


@pytest.mark.timeout(180)
def test_broker_killed_during_a_run_loses_nothing(run):
    samples, broker, witness, board, _, config = run
    board.run_node(config)
    for _ in range(KILLS):
        wait_for_news(witness)
        broker.kill()
        time.sleep(0.4)
        broker.start()
    ledger = wait_until_drained(board, witness.path)
    assert_alerts_are_the_references(ledger, samples)


@pytest.mark.timeout(180)
def test_bridge_frozen_and_thawed_goes_on(run):
    samples, _, witness, board, bridge, config = run
    board.run_node(config)
    time.sleep(1.0)
    bridge.freeze()
    time.sleep(2.0)
    bridge.thaw()
    ledger = wait_until_drained(board, witness.path)
    assert_alerts_are_the_references(ledger, samples)
