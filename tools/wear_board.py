"""The journal's wear under a load: `micropython wear_board.py FIRMWARE SETTINGS`, one JSON object on stdout.

Settings (JSON): days, summary_s, alert_s (seconds between two, 0 for none), health_s, commit_ms, listens (whether a
gateway acknowledges what is committed), blocks. Time is simulated; every program and erase is counted at the device.
tools/bench_wear.py runs it.
"""

import json
import sys
from array import array

if False:  # for mypy alone
    from typing import Any

sys.path.insert(0, sys.argv[1])

from kittiwake_node.io import storage
from kittiwake_node.link import anomaly, payload
from kittiwake_node.link import record as rec
from kittiwake_node.store.journal import TAIL_BYTES, Journal

BLOCK_BYTES = 4096


class CountingFlash:
    """NOR flash in memory that counts the erases of each block."""

    def __init__(self, blocks: int) -> None:
        self._image = bytearray(b"\xff" * (blocks * BLOCK_BYTES))
        self._view = memoryview(self._image)
        self.erases = array("I", [0] * blocks)
        self.programmed_bytes = 0

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        """Read, as the file system asks."""
        at = block * BLOCK_BYTES + offset
        buf[:] = self._view[at : at + len(buf)]

    def writeblocks(self, block: int, buf: bytes, offset: int = 0) -> None:
        """Program, and count the bytes."""
        at = block * BLOCK_BYTES + offset
        self._view[at : at + len(buf)] = buf
        self.programmed_bytes += len(buf)

    def ioctl(self, op: int, arg: int) -> int:
        """Tell the geometry, and count an erase."""
        if op == 4:
            return len(self.erases)
        if op == 5:
            return BLOCK_BYTES
        if op == 6:
            self.erases[arg] += 1
        return 0


def run(settings: "dict[str, Any]") -> "dict[str, int]":
    """Run the load in simulated time; returns the figures that are printed."""
    device = CountingFlash(settings["blocks"])
    file_system = storage.open_file_system(device)  # type: ignore[no-untyped-call]  # io/ is not pure and has no types
    journal = Journal(file_system, lambda: 1, tail_bytes=TAIL_BYTES)
    summary = payload.pack_summary(60000, -300, 300, 0, 123456, 1 << 40, 1 << 33, 0)
    alert = anomaly.pack_anomaly(anomaly.ZSCORE, 0, 256, 9000, -300, 300, 123456, 1 << 40, 1 << 33, 11, 2)
    health = payload.pack_health({})
    # (milliseconds between two, next one at, type, class, payload)
    kinds = [
        [round(1000 * settings[name]), 0, kind, cls, body]
        for name, kind, cls, body in (
            ("summary_s", rec.SUMMARY, rec.TELEMETRY, summary),
            ("alert_s", rec.ANOMALY, rec.ALERT, alert),
            ("health_s", rec.HEALTH, rec.TELEMETRY, health),
        )
        if settings[name]
    ]
    for place, kind in enumerate(kinds):
        kind[1] = kind[0] + kind[0] * place // 3  # not all in one commit
    end_ms = round(settings["days"] * 86400000)
    commit_at = None
    records = payload_bytes = 0
    while True:
        kind = min(kinds, key=lambda k: k[1])
        now_ms = kind[1]
        if commit_at is not None and commit_at <= now_ms:
            journal.commit_all()
            commit_at = None
        if now_ms > end_ms:
            break
        kind[1] += kind[0]
        cls, body = kind[3], kind[4]
        journal.append(cls, rec.draft(kind[2], 0, cls, 1, now_ms & 0xFFFFFFFF, 1 << 40, 1, body))
        records += 1
        payload_bytes += len(body)
        if cls == rec.ALERT:
            journal.commit(cls)
        elif commit_at is None:
            commit_at = now_ms + settings["commit_ms"]
        if settings["listens"]:
            journal.ack(journal.next_seq)
        journal.tidy()
    return {
        "records": records,
        "payload_bytes": payload_bytes,
        "commits": journal.commits,
        "evicted": sum(journal.evicted),
        "failed": journal.failed,
        "programmed_bytes": device.programmed_bytes,
        "erased_blocks": sum(device.erases),
        "most_erased": max(device.erases),
        "least_erased": min(device.erases),
    }


print(json.dumps(run(json.loads(sys.argv[2]))))
