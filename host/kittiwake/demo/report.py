"""What a demo has seen so far, and the figures of a finished one; from the ledger and the samples alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from kittiwake.demo import audit, speech
from kittiwake.demo.scenario import Plan

REFERENCE_ALERTS_LEAST = 20


@dataclass
class Progress:
    """What the view shows while the demo runs.

    Attributes:
        state: one phrase: what the board or the bridge is doing.
        samples: samples the board has worked through, as far as its records tell.
        elapsed_s: since the board started.
        ledger: everything that arrived.
        newest: the newest alerts, oldest first, at most ten.
        alerts: alerts that have arrived.
        keywords: the keyword messages that have arrived, one a record.
        summary: the newest summary.
        ended: the board says that its samples are through.
        interrupted: the user ended the run before that.
        acked: records acknowledged to the board.
    """

    state: str = "starting"
    samples: int = 0
    elapsed_s: float = 0.0
    ledger: audit.Ledger = field(default_factory=audit.Ledger)
    newest: list[dict] = field(default_factory=list)
    alerts: int = 0
    keywords: list[dict] = field(default_factory=list)
    summary: dict = field(default_factory=dict)
    ended: bool = False
    interrupted: bool = False
    acked: int = 0


def report(plan: Plan, progress: Progress) -> dict:
    """The figures of a finished run, from the ledger alone, the samples and the journal's sequence numbers."""
    ledger = progress.ledger
    scale = Fraction(plan.channel.get("scale", "1"))
    offset = Fraction(plan.channel.get("offset", "0"))
    alerts, expected, mismatches = audit.compare_alerts(
        ledger, plan.samples[: progress.samples], plan.n, plan.t, scale, offset
    )
    # A copy of a message is no second word.
    keywords = [body for body in ledger.records.values() if "keyword" in body]
    if plan.word and not progress.interrupted:
        mismatches += speech.compare(keywords)
    spans = audit.latencies_ms(ledger)
    rate_hz = audit.rate_hz(ledger)
    raw_json = audit.guide_json_bytes(plan.samples[: progress.samples], scale, offset)
    raw = progress.samples * plan.samples.itemsize
    return {
        "samples": progress.samples,
        "rate_hz": None if rate_hz is None else round(rate_hz, 2),
        "raw_bytes": raw,
        "raw_json_bytes": raw_json,
        "upstream_bytes": ledger.packet_bytes,
        "reduction": round(1 - ledger.packet_bytes / raw_json, 5) if raw_json else None,
        "reduction_packed": round(1 - ledger.packet_bytes / raw, 5) if raw else None,
        "alerts": alerts,
        "reference_alerts": expected,
        "keywords": len(keywords),
        "reference_keywords": int(plan.word is not None),
        "mismatches": mismatches,
        "published": len(ledger.records),
        "acked": progress.acked,
        "lost": ledger.missing(),
        "duplicates": ledger.duplicates,
        "altered": ledger.altered,
        "latency_ms": {
            "p50": _rounded(audit.percentile(spans, 0.5)),
            "p99": _rounded(audit.percentile(spans, 0.99)),
        },
        "interrupted": progress.interrupted,
        "action_max_us": max((b.get("action_max_us", 0) for b in ledger.records.values()), default=0),
    }


def problems(result: dict) -> list[str]:
    """What in a report makes the run a failure, in words; empty when it holds."""
    found = []
    if result["reference_alerts"] < REFERENCE_ALERTS_LEAST and not result["interrupted"]:
        found.append(f"{result['reference_alerts']} reference alerts, fewer than {REFERENCE_ALERTS_LEAST}: run longer")
    for name in ("mismatches", "lost", "altered"):
        if result[name]:
            found.append(f"{result[name]} {name}")
    if result["published"] != result["acked"]:
        found.append(f"{result['published']} published, {result['acked']} acknowledged")
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
