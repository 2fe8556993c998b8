"""A rogue gateway on a running node: after each case a good one finds every record, and a node that judges samples."""

import random
import struct

import pytest

from kittiwake_node.link import anomaly, payload
from kittiwake_node.link import messages as m
from kittiwake_node.link import record as rec
from tests.hil.rogue_cases import CASES, Rogue
from tests.support.hil import LINKED_NODE, SOAK, Gateway

LOST = ("evicted_raw", "evicted_telemetry", "evicted_alert", "damaged")
WINDOW = LINKED_NODE["channels"][0]["summary_samples"]
# In CI the one with the least heap stands for the emulated ones.
BOARDS = ("unix", "qemu:*") if SOAK else ("unix", "qemu:netduino2")
# Eight replies of 1 KiB, settings of 8 KiB that were sent and not saved, and what stands between them.
HEAP_LOSS_LIMIT_BYTES = 24 * 1024


def keep(copies, gateway):
    """Every record that a gateway got, against those that others got under the same number."""
    for record in gateway.records:
        mark = record.boot, record.type, record.time_ms, record.payload
        assert copies.setdefault(record.seq, mark) == mark, f"record {record.seq} has changed"


def judged(node, start, chance, copies):
    """A good gateway has samples judged, and takes all records."""
    values = [round(chance.gauss(0, 50)) for _ in range(WINDOW - 1)] + [5000]
    with Gateway(node.link_port, node) as good:
        good.open()
        body = struct.pack(f"<BI{WINDOW}h", 0, start, *values)
        status, reply = good.ask(m.OP_STIMULUS, body)
        assert status == m.OK and struct.unpack_from("<I", reply)[0] == start + WINDOW

        def alerts():
            found = [anomaly.unpack_anomaly(r.payload) for r in good.records if r.type == rec.ANOMALY]
            return [alert for alert in found if alert["index"] == start + WINDOW - 1]

        good.until(alerts, "no alert")
        assert [alert["sum"] for alert in alerts()] == [sum(values[-20:])]

        def whole():  # alerts overtake what was made before them
            keep(copies, good)
            return sorted(copies) == list(range(len(copies)))

        good.until(whole, "records are missing")
        assert good.session.boot == 1, "the node has started anew"


def health_of(node, copies):
    """The counters of a health record made from now on."""
    with Gateway(node.link_port, node) as good:
        good.open()
        good.until(lambda: [r.type for r in good.records].count(rec.HEALTH) > 1, "no health record")
        keep(copies, good)
        return payload.unpack_health([r for r in good.records if r.type == rec.HEALTH][-1].payload)


@pytest.mark.timeout(600)
@pytest.mark.board(*BOARDS)
def test_rogue_gateway_costs_the_node_no_record_and_no_sample(node):
    chance, copies = random.Random(21), {}
    judged(node, 0, chance, copies)
    first = health_of(node, copies)
    for number, (name, case) in enumerate(CASES.items(), 1):
        try:
            with Rogue(node.link_port, node) as rogue:
                case(rogue)
                for _ in range(5):
                    rogue.turn()
                keep(copies, rogue)
            judged(node, number * WINDOW, chance, copies)
        except AssertionError as error:
            raise AssertionError(f"a gateway that {name}: {error}") from error
    assert len(CASES) >= 25
    health = health_of(node, copies)
    assert [health[field] for field in LOST] == [0, 0, 0, 0]
    assert health["heap_free"] > first["heap_free"] - HEAP_LOSS_LIMIT_BYTES
    assert health["storage_state"] == payload.STORAGE_STATES.index("ok") or health["storage_state"] == "ok"
