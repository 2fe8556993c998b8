"""Messages and bytes of a sensor: every sample as the guide's JSON, or summaries, alerts, what surrounds these. Pure.

Each message is formed by the publisher, so that its bytes are what a broker gets; TCP and below are not counted.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from kittiwake.demo.audit import guide_json_bytes
from kittiwake.demo.ledger import publish_packet_bytes
from kittiwake.publish import publisher
from kittiwake_node.link import anomaly, payload
from kittiwake_node.link import record as rec

SCALE, OFFSET = Fraction(1, 100), Fraction(0)
_LAYOUT = json.dumps([{"name": "vibration", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100"}]).encode()
_JOURNAL, _UTC_MS = 1 << 60, 1_767_225_600_000
_PART_SAMPLES = 120


@dataclass(frozen=True)
class Traffic:
    """What one sensor sends.

    Args:
        messages: to the broker.
        sent_bytes: of packets with topics.
        seconds: for which.
    """

    messages: int
    sent_bytes: int
    seconds: float


def everything(samples: Sequence[int], rate_hz: float) -> Traffic:
    """Every sample as the guide's JSON.

    Args:
        samples: hundredths of the unit.
        rate_hz: at which they were taken.
    """
    return Traffic(len(samples), guide_json_bytes(samples, SCALE, OFFSET), len(samples) / rate_hz)


def condensed(
    samples: Sequence[int], alerts: Sequence[int], rate_hz: float, summary_s: float, snapshot: int, window: int
) -> Traffic:
    """Summaries, alerts, and the samples around each alert.

    Args:
        samples: hundredths of the unit.
        alerts: indices of the samples that are alerts.
        rate_hz: at which they were taken.
        summary_s: seconds of a summary.
        snapshot: samples around an alert that are sent, too; 0 for none.
        window: samples of the detector.
    """
    messages = sent = 0
    step = max(1, round(summary_s * rate_hz))
    flagged = sorted(alerts)
    for begin in range(0, len(samples), step):
        part = samples[begin : begin + step]
        squares, count = sum(x * x for x in part), sum(begin <= index < begin + step for index in flagged)
        body = payload.pack_summary(len(part), min(part), max(part), count, sum(part), squares, begin, 0)
        messages, sent = messages + 1, sent + _size(rec.SUMMARY, body, messages)
    end = 0
    for index in flagged:
        part = samples[max(0, index + 1 - window) : index + 1]
        sums = sum(part), sum(x * x for x in part)
        body = anomaly.pack_anomaly(
            anomaly.ZSCORE, 0, len(part), samples[index], min(part), max(part), *sums, index, 5, 2
        )
        messages, sent = messages + 1, sent + _size(rec.ANOMALY, body, messages)
        if snapshot and index >= end:  # what surrounds one alert surrounds those that follow at once
            begin = max(0, index - snapshot // 2)
            end = min(len(samples), begin + snapshot)
            parts = -(-(end - begin) // _PART_SAMPLES)
            for number in range(parts):
                first = begin + number * _PART_SAMPLES
                raw = array("h", samples[first : min(end, first + _PART_SAMPLES)]).tobytes()
                body = payload.pack_snapshot(number, parts, first, raw)
                messages, sent = messages + 1, sent + _size(rec.SNAPSHOT, body, messages)
    return Traffic(messages, sent, len(samples) / rate_hz)


def _size(kind: int, body: bytes, seq: int) -> int:
    record = rec.Record(kind, rec.VERSION, 0, 0, 1, seq, 1, 1000 * seq, _UTC_MS, body)
    made = publisher.publication(publisher.Policy(), "press-7", _JOURNAL, record, _LAYOUT)
    return publish_packet_bytes(made.topic, len(made.payload), made.qos)
