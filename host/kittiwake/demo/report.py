"""What a demo has seen so far, and the figures of a finished one; from the ledger and the samples alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypedDict

from kittiwake.demo import audit, speech
from kittiwake.demo.kept import Kept
from kittiwake.demo.scenario import Scenario

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
        window: address of the pages, "" for none.
    """

    state: str = "starting"
    samples: int = 0
    elapsed_s: float = 0.0
    ledger: audit.Ledger = field(default_factory=audit.Ledger)
    newest: list[audit.Body] = field(default_factory=list)
    alerts: int = 0
    keywords: list[audit.Body] = field(default_factory=list)
    summary: audit.Body = field(default_factory=dict)
    ended: bool = False
    interrupted: bool = False
    acked: int = 0
    window: str = ""


class Latency(TypedDict):
    """From sample to subscriber, milliseconds; None with no alert."""

    p50: float | None
    p99: float | None


class Report(TypedDict):
    """The figures of a run; None for what cannot be said."""

    samples: int
    rate_hz: float | None
    raw_bytes: int
    raw_json_bytes: int
    upstream_bytes: int
    reduction: float | None
    reduction_packed: float | None
    alerts: int
    reference_alerts: int
    keywords: int
    reference_keywords: int
    mismatches: int
    published: int
    acked: int
    lost: int
    duplicates: int
    altered: int
    latency_ms: Latency
    interrupted: bool
    action_max_us: int
    history: str
    history_rows: int
    history_missing: int


def report(scenario: Scenario, progress: Progress, path: Path, history: Kept) -> Report:
    """The figures of a finished run, from the ledger alone, the samples and the journal's sequence numbers.

    Args:
        scenario: what was run.
        progress: at its end.
        path: of the history.
        history: what it holds.
    """
    ledger = progress.ledger
    scale = Fraction(scenario.channel.get("scale", "1"))
    offset = Fraction(scenario.channel.get("offset", "0"))
    alerts, expected, mismatches = audit.compare_alerts(
        ledger, scenario.samples[: progress.samples], scenario.n, scenario.t, scale, offset
    )
    # A copy of a message is no second word.
    keywords = [body for body in ledger.records.values() if "keyword" in body]
    if scenario.word and not progress.interrupted:
        mismatches += speech.compare(keywords)
    spans = audit.latencies_ms(ledger)
    rate_hz = audit.rate_hz(ledger)
    raw_json = audit.guide_json_bytes(scenario.samples[: progress.samples], scale, offset)
    raw = progress.samples * scenario.samples.itemsize
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
        "reference_keywords": int(scenario.word is not None),
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
        "history": str(path),
        "history_rows": history.rows,
        "history_missing": history.missing,
    }


def problems(result: Report) -> list[str]:
    """What in a report makes the run a failure, in words; empty when it holds.

    Args:
        result: of a finished run.
    """
    failures = []
    if result["reference_alerts"] < REFERENCE_ALERTS_LEAST and not result["interrupted"]:
        failures.append(
            f"{result['reference_alerts']} reference alerts, fewer than {REFERENCE_ALERTS_LEAST}: run longer"
        )
    counts = {name: result[name] for name in ("mismatches", "lost", "altered")}
    failures += [f"{count} {name}" for name, count in counts.items() if count]
    if result["published"] != result["acked"]:
        failures.append(f"{result['published']} published, {result['acked']} acknowledged")
    if result["history_rows"] != result["published"] or result["history_missing"]:
        failures.append(
            f"{result['published']} published, {result['history_rows']} in the history,"
            f" {result['history_missing']} missing there"
        )
    return failures


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
