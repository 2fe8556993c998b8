"""Audit: what a subscriber received, against the samples that the board was given and the journal it kept.

Pure. It takes nobody's word: alerts come from the independent reference over the samples, losses from sequence numbers.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from kittiwake.demo.ledger import publish_packet_bytes
from kittiwake.publish import figures, publisher
from kittiwake.reference import zscore

_GUIDE_QOS = 1

Body = dict[str, Any]
"""A message's JSON, as docs/spec/mqtt.md has it; of any sender, so it is checked where it is used."""


@dataclass(frozen=True)
class Arrival:
    """One MQTT message as the subscriber saw it: when (UTC, ns), where, what, and its size as a PUBLISH packet."""

    wall_ns: int
    topic: str
    body: Body
    packet_bytes: int


@dataclass
class Ledger:
    """The arrivals, sorted out.

    Attributes:
        records: (journal, seq) -> body of the first copy.
        altered: copies that differ from the first.
        duplicates: copies after the first.
        packet_bytes: PUBLISH packets, topics included, every copy; without commands and their answers.
    """

    records: dict[tuple[str, int], Body] = field(default_factory=dict)
    first_wall_ns: dict[tuple[str, int], int] = field(default_factory=dict)
    altered: int = 0
    duplicates: int = 0
    packet_bytes: int = 0

    def take(self, arrival: Arrival) -> None:
        """Enter one arrival.

        Args:
            arrival: the next one.
        """
        # A page that somebody has open asks the gateway how it is: that is no part of what the board sends.
        if not arrival.topic.endswith(("/cmd", "/resp")):
            self.packet_bytes += arrival.packet_bytes
        if "seq" not in arrival.body:
            return
        key = (arrival.body["journal"], arrival.body["seq"])
        if key not in self.records:
            self.records[key] = arrival.body
            self.first_wall_ns[key] = arrival.wall_ns
        else:
            self.duplicates += 1
            self.altered += arrival.body != self.records[key]

    def alerts(self) -> Iterable[tuple[tuple[str, int], Body]]:
        """The alerts, with their keys, in the order of their first arrival."""
        return ((key, body) for key, body in self.records.items() if body.get("anomaly"))

    def missing(self) -> int:
        """Sequence numbers below the highest of each journal that never arrived and no eviction explains."""
        lost = 0
        for journal in {key[0] for key in self.records}:
            seqs = {seq for name, seq in self.records if name == journal}
            evicted = max((_evicted(b) for (name, _), b in self.records.items() if name == journal), default=0)
            lost += max(0, max(seqs) + 1 - len(seqs) - evicted)
        return lost


def compare_alerts(
    ledger: Ledger, samples: Sequence[int], n: int, t: Fraction, scale: Fraction, offset: Fraction
) -> tuple[int, int, int]:
    """Hold the alerts that arrived against the reference's.

    Args:
        ledger: of one run of one device, one channel, one boot.
        samples: what the board was given, LSB.
        n: the detector's window, samples.
        t: the detector's threshold, z-score.
        scale: of one LSB, in the channel's unit.
        offset: of zero, in the channel's unit.

    Returns:
        (alerts that arrived, alerts of the reference, mismatches: missing, too many, or any figure that differs).
    """
    arrived = {body["index"]: body for _, body in ledger.alerts()}
    expected = {}
    for alert in zscore.alerts(samples, n, t):
        window = [offset + scale * x for x in samples[alert.index - n + 1 : alert.index + 1]]
        expected[alert.index] = _guide_figures(window) | {
            "x": alert.x,
            "n": alert.n,
            "s": alert.sum,
            "q": alert.sum_sq,
        }
    mismatches = len(arrived.keys() ^ expected.keys())
    for index in arrived.keys() & expected.keys():
        mismatches += any(arrived[index][name] != want for name, want in expected[index].items())
    return sum(1 for _ in ledger.alerts()), len(expected), mismatches


def latencies_ms(ledger: Ledger) -> list[float]:
    """Milliseconds from each alert's sample to the subscriber, sorted; alerts without a time are left out.

    The sample's time has a resolution of 1 ms, rounded down, and the board's clock was set over the link: both make the
    figure larger than the truth, never smaller by more than the 1 ms.

    Args:
        ledger: of a run.
    """
    spans = []
    for key, body in ledger.alerts():
        if body["ts"] is not None:
            sent_ns = round(datetime.fromisoformat(body["ts"]).timestamp() * 1000) * 1_000_000
            spans.append((ledger.first_wall_ns[key] - sent_ns) / 1e6)
    return sorted(spans)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The value below which a share of the values lies, nearest rank.

    Args:
        ordered: values, sorted.
        share: 0 to 1.

    Returns:
        It; None of no values.
    """
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rate_hz(ledger: Ledger) -> float | None:
    """Samples a second by the subscriber's clock, between the first and the last alert.

    Args:
        ledger: of a run.

    Returns:
        Hertz; None with fewer than two alerts.
    """
    alerts: list[tuple[int, int]] = [(body["index"], ledger.first_wall_ns[key]) for key, body in ledger.alerts()]
    if len(alerts) < 2 or alerts[-1][1] == alerts[0][1]:
        return None
    return (alerts[-1][0] - alerts[0][0]) / (alerts[-1][1] - alerts[0][1]) * 1e9


def guide_json_bytes(samples: Sequence[int], scale: Fraction, offset: Fraction, first_seq: int = 0) -> int:
    """Bytes that publishing every sample as the guide's JSON message would have cost, packets and topic included.

    Args:
        samples: LSB.
        scale: of one LSB, in the channel's unit.
        offset: of zero, in the channel's unit.
        first_seq: number of the first sample.
    """
    empty = {"sensor_id": "vib-001", "value": 0, "unit": "mm/s", "ts": "2026-01-01T00:00:00.000000Z", "seq": 0}
    topic, fixed = publisher.GUIDE_TOPICS["reading"], len(json.dumps(empty)) - 2
    digits = {x: len(repr(round(figures.value(x, scale, offset), 2))) for x in set(samples)}
    # Counted by size, since the packet's own length takes a byte more from 128 bytes on.
    sizes = Counter(fixed + digits[x] + len(str(seq)) for seq, x in enumerate(samples, first_seq))
    return sum(count * publish_packet_bytes(topic, size, _GUIDE_QOS) for size, count in sizes.items())


def _guide_figures(window: Sequence[Fraction]) -> dict[str, float]:
    # The guide's own detector, on exact values of the window: a path that shares nothing with the gateway's.
    mean, stdev = statistics.mean(window), statistics.stdev(window)
    return {
        "value": float(window[-1]),
        "mean": round(float(mean), 2),
        "stdev": round(float(stdev), 2),
        "z_score": round(float(window[-1] - mean) / stdev, 2),
    }


def _evicted(body: Body) -> int:
    return sum(body.get(name, 0) for name in ("evicted_raw", "evicted_telemetry", "evicted_alert"))
