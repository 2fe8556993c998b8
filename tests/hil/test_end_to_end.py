"""The main job on each target: samples injected over the link, records in its flash, alerts at a real Mosquitto.

The samples go by `kittiwake inject`'s way, through broker and bridge process; a ledger process is the witness; its
account is held against the independent reference, and against the journal that the board has at the end.
"""

from array import array
from fractions import Fraction

import pytest

from kittiwake.clients import inject
from kittiwake.demo import audit
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.pipeline import follow
from kittiwake.signals import vibration
from tests.mosquitto import Mosquitto
from tests.support.hil import SOAK, blank_journal
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

SAMPLES = 20_000 if SOAK else 4_000
N, T = 20, Fraction(5, 2)
SCALE = Fraction(1, 100)
DEVICE = "kw-e2e"
DRAIN_S = 60
CONFIG = {
    "device": DEVICE,
    "health_s": 1,
    "commit_ms": 200,
    "block": 128,
    "channels": [
        {
            "name": "vibration",
            "sensor_id": "vib-001",
            "unit": "mm/s",
            "scale": "1/100",
            "summary_samples": 500,
            "source": {"kind": "link", "room": 512},
            "detectors": [{"kind": "zscore", "n": N, "t": "5/2"}],
        }
    ],
}
_JOURNAL = """
from kittiwake_node.io import parts
from kittiwake_node.store.journal import Journal
_j = Journal(parts.make_storage({storage!r})[0], lambda: 0)
print(_j.next_seq, sum(_j.evicted), _j.damaged)
"""


def read(path):
    ledger = audit.Ledger()
    for arrival in follow(path):
        ledger.take(arrival)
    return ledger


def wait(board, condition, what):
    until(lambda: board.check_running() or condition(), what, DRAIN_S, 0.1)


@pytest.mark.needs("mosquitto")
@pytest.mark.timeout(600 if SOAK else 240)
def test_end_to_end_every_alert_of_the_reference_arrives_and_nothing_is_lost(board, tmp_path):
    samples = vibration.samples(SAMPLES, seed=7)
    board.interrupt()
    blank_journal(board)
    # The bridge comes after the node and goes before it: on a board with one port, both need that port.
    with (
        Mosquitto(tmp_path) as broker,
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as witness,
    ):
        board.run_node(CONFIG)
        with BridgeProcess(board.link_port, broker.url), inject.CommandClient(broker.url, DEVICE) as client:
            inject.send_all(client, inject.StimulusSender(samples))
            summaries = SAMPLES // CONFIG["channels"][0]["summary_samples"]

            def is_through():
                bodies = read(witness.path).records.values()
                seen = sum("index" in body and not body.get("anomaly") for body in bodies)
                return seen >= summaries and any("heap_free" in body and "loop_max_us" in body for body in bodies)

            wait(board, is_through, f"{summaries} summaries and a health record")
        board.interrupt()
        next_seq, evicted, damaged = map(
            int, board.exec(_JOURNAL.format(storage=board.node_overrides()["storage"])).split()
        )
        # Started once more, it hands over what it had committed last.
        board.run_node(CONFIG)
        with BridgeProcess(board.link_port, broker.url):
            wanted = set(range(next_seq + 1))  # and the new boot's first
            wait(board, lambda: {seq for _, seq in read(witness.path).records} >= wanted, "all records")
        board.interrupt()
    ledger = read(witness.path)
    alerts, expected, mismatches = audit.compare_alerts(ledger, samples, N, T, SCALE, Fraction(0))
    assert expected >= 20
    assert (alerts, mismatches) == (expected, 0)
    assert (evicted, damaged, ledger.missing(), ledger.altered) == (0, 0, 0, 0)
    health = [body for body in ledger.records.values() if "heap_free" in body and "loop_max_us" in body]
    assert health and min(body["heap_free"] for body in health) > 15_000


def test_injector_asks_for_what_the_node_wants_next():
    stimulus = inject.StimulusSender(array("h", range(600)), channel=2)
    first = stimulus.next_command()
    assert (first["op"], first["channel"], first["start"], first["samples"]) == ("stimulus", 2, 0, list(range(256)))
    stimulus.take({"status": "ok", "result": {"next": 256, "room": 100}})
    second = stimulus.next_command()
    assert (second["start"], second["samples"]) == (256, list(range(256, 356)))
    assert second["id"] != first["id"]
    stimulus.take({"status": "ok", "result": {"next": 356, "room": 0}})
    assert stimulus.is_full and len(stimulus.next_command()["samples"]) == 1
    stimulus.take({"status": "ok", "result": {"next": 0, "room": 512}})  # it was rebooted
    assert stimulus.next_command()["start"] == 0
    stimulus.take({"status": "ok", "result": {"next": 600, "room": 512}})
    assert stimulus.is_done


@pytest.mark.parametrize("answer", [{"status": "refused"}, {"status": "unreachable", "error": "x"}, {"status": "ok"}])
def test_injector_refused_says_so(answer):
    with pytest.raises(inject.TargetError, match="takes no samples"):
        inject.StimulusSender(array("h", [1])).take(answer)
