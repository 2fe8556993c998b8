"""A baseline learned on a board: it outlives a reboot, and begins anew by command, which reaches no other channel."""

import struct

import pytest

from kittiwake_node.link import anomaly, payload, record
from kittiwake_node.link import messages as m
from tests.support.hil import Gateway, blank_journal

BLOCK, LEARN = 16, 8
CHANNEL = {
    "source": {"kind": "link", "room": 256},
    "detectors": [{"kind": "baseline", "block": BLOCK, "learn": LEARN}, {"kind": "novelty"}, {"kind": "zscore"}],
}
CONFIG = {
    "device": "kw-learn",
    "health_s": 1,
    "commit_ms": 100,
    "channels": [CHANNEL, {"source": {"kind": "link"}, "detectors": [{"kind": "zscore"}]}],
}


def feed(gateway, samples, start):
    body = struct.pack(f"<BI{len(samples)}h", 0, start, *samples)
    status, answer = gateway.ask(m.OP_STIMULUS, body)
    assert (status, struct.unpack_from("<I", answer)[0]) == (m.OK, start + len(samples))


def quiet(blocks):
    return [(-1) ** i * (20 + (i * 13) % 7) for i in range(BLOCK * blocks)]


def learned(gateway, boot):
    told = [r for r in gateway.records if r.type == record.EVENT and r.boot == boot]
    texts = [payload.unpack_event(r.payload)["text"] for r in told]
    return sum("baseline of 0-0 learned" in text for text in texts)


def alerts(gateway):
    found = [anomaly.unpack_anomaly(r.payload) for r in gateway.records if r.type == record.ANOMALY]
    return [a for a in found if a["detector"] == anomaly.BASELINE]


@pytest.mark.board("unix", "qemu:*")
def test_baseline_outlives_a_reboot_and_begins_anew_by_command(board):
    board.interrupt()
    blank_journal(board)
    board.run_node(CONFIG)
    with Gateway(board.link_port, board) as gateway:
        gateway.open()
        feed(gateway, quiet(LEARN + 1), 0)
        gateway.until(lambda: learned(gateway, 1) == 1, "a learned baseline")
    board.interrupt()
    board.run_node(CONFIG)
    with Gateway(board.link_port, board) as gateway:
        gateway.open()
        # The first block after a start has none before it, and is judged by its variance all the same.
        feed(gateway, [9 * x for x in quiet(1)], 0)
        gateway.until(lambda: len(alerts(gateway)) == 1, "an alert by the baseline of before")
        assert alerts(gateway)[0]["blocks"] == LEARN
        assert learned(gateway, 2) == 0
        assert gateway.ask(m.OP_RELEARN, b"\x00") == (m.OK, b"\x02")  # baseline and novelty
        assert gateway.ask(m.OP_RELEARN, b"\x01")[0] == m.REFUSED
        assert gateway.ask(m.OP_RELEARN, b"\x02") == (m.REFUSED, b"no such channel")
        feed(gateway, quiet(LEARN + 1), BLOCK)
        gateway.until(lambda: learned(gateway, 2) == 1, "a baseline learned anew")
        assert len(alerts(gateway)) == 1
    board.interrupt()
