"""The demo: the whole way on one machine, from a file of samples to a subscriber's ledger, and the audit of it.

It joins a target, a broker, the bridge and a ledger process; how each works is
their own business, and the view is live.py's.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from kittiwake import audit, vibration
from kittiwake.bridge import publisher
from kittiwake.bridge.mqtt import parse_url
from kittiwake.bridge.service import Bridge
from kittiwake.broker import EmbeddedBroker
from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.ledger import LedgerProcess
from kittiwake.target import open_target

DEVICE = "kw-demo"
REFERENCE_ALERTS_LEAST = 20
_DRAIN_LIMIT_S = 15.0
_START_LIMIT_S = 20.0
_LEVEL_LIMIT_S = 5.0
_POLL_S = 0.1


@dataclass
class Plan:
    """What to run.

    Attributes:
        samples: int16 samples, in time.
        rate_hz: how fast the board replays them; 0 as fast as it can.
        n, t: the detector's window and threshold.
        channel: channel settings (name, sensor_id, unit, scale, offset) of the node's configuration.
        topics: kind -> topic, see bridge.publisher.Policy.
        target: where the firmware runs.
        summary_s: seconds a summary covers.
        broker_url: a broker of the caller's; None starts the embedded one.
    """

    samples: array.array
    rate_hz: int
    n: int
    t: Fraction
    channel: dict = field(default_factory=dict)
    topics: dict = field(default_factory=dict)
    target: str = "unix"
    summary_s: int = 5
    broker_url: str | None = None


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
    summary: dict = field(default_factory=dict)
    ended: bool = False
    interrupted: bool = False
    acked: int = 0


def vibration_plan(seconds: int, seed: int, guide: bool, rate_hz: int = 1000, readings: bool = False) -> Plan:
    """The synthetic vibration in hundredths of a mm/s; with `readings`, every sample is journalled and published."""
    return Plan(
        samples=vibration.samples(seconds * rate_hz, rate_hz=rate_hz, seed=seed),
        rate_hz=rate_hz,
        n=20 if guide else 256,
        t=Fraction(5, 2) if guide else Fraction(11, 2),
        channel={"name": "vibration", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100", "readings": readings},
        topics=publisher.GUIDE_TOPICS if guide else {},
    )


def run(plan: Plan, on_progress: Callable[[Progress], None], on_text: Callable[[str], None]) -> dict:
    """Run the demo to its end and audit it.

    Args:
        plan: what to run.
        on_progress: called ten times a second.
        on_text: called with lines the board or the bridge has to say.

    Returns:
        The report, JSON-ready.

    Raises:
        ConfigError: the node would refuse this configuration; its reason is the message.
        KittiwakeError: a part could not start, or the board died.
    """
    return asyncio.run(_run(plan, on_progress, on_text))


async def _run(plan: Plan, on_progress, on_text) -> dict:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kittiwake-demo-")))
        if plan.broker_url is not None:
            parse_url(plan.broker_url)
        (folder / "samples.i16").write_bytes(plan.samples.tobytes())
        board = stack.enter_context(open_target(plan.target))
        config = node_config(plan, folder / "samples.i16")
        reason = board.exec(f"from kittiwake_node import node; print(node.refusal({config!r}))").strip()
        if reason:
            raise ConfigError(reason)
        broker_url = plan.broker_url or stack.enter_context(EmbeddedBroker())
        ledger = stack.enter_context(LedgerProcess(broker_url, ["#"], folder / "ledger.jsonl"))
        policy = publisher.Policy(topics=plan.topics)
        bridge = Bridge([board.link_port], broker_url, policy, on_text=lambda url, line: on_text(line))
        work = asyncio.create_task(bridge.run())
        try:
            await _until(lambda: bridge.mqtt.is_connected, _START_LIMIT_S, "the bridge did not reach the broker")
            board.run_node(config)
            progress = Progress()
            arrivals = follow(ledger.path)
            started_s = time.monotonic()
            limit_s = _limit_s(plan)
            while not (progress.ended and _is_level(progress, bridge)):
                if work.done():
                    work.result()
                board.check_running()
                progress.elapsed_s = time.monotonic() - started_s
                if progress.elapsed_s > limit_s:
                    raise KittiwakeError(f"the run did not end within {limit_s:.0f} s: {progress.state}")
                _absorb(progress, arrivals)
                progress.state = _state(bridge)
                progress.acked = bridge.links[0].session.acked
                on_progress(progress)
                try:
                    await asyncio.sleep(_POLL_S)
                except asyncio.CancelledError:
                    # Ctrl-C: what there is so far is audited, up to a moment when nothing is on its way.
                    progress.ended = progress.interrupted = True
                    limit_s = progress.elapsed_s + _LEVEL_LIMIT_S
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
    return report(plan, progress)


def node_config(plan: Plan, samples_path: Path) -> dict:
    """The node's configuration for a plan; link and storage are the target's to add."""
    per_summary = plan.summary_s * (plan.rate_hz or 1000)
    return {
        "device": DEVICE,
        "health_s": 10,
        "channels": [
            {
                **plan.channel,
                "rate_hz": plan.rate_hz,
                "summary_samples": per_summary,
                "source": {"kind": "replay", "path": str(samples_path)},
                "detector": {"n": plan.n, "t": f"{plan.t.numerator}/{plan.t.denominator}"},
            }
        ],
    }


def report(plan: Plan, progress: Progress) -> dict:
    """The figures of a finished run, from the ledger alone, the samples and the journal's sequence numbers."""
    ledger = progress.ledger
    scale = Fraction(plan.channel.get("scale", "1"))
    offset = Fraction(plan.channel.get("offset", "0"))
    alerts, expected, mismatches = audit.compare_alerts(
        ledger, plan.samples[: progress.samples], plan.n, plan.t, scale, offset
    )
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


def _limit_s(plan: Plan) -> float:
    pace_hz = plan.rate_hz or 1000
    return len(plan.samples) / pace_hz + _DRAIN_LIMIT_S + _START_LIMIT_S


def _is_level(progress: Progress, bridge: Bridge) -> bool:
    session = bridge.links[0].session
    return len(progress.ledger.records) == session.received == session.acked == progress.acked


def _absorb(progress: Progress, arrivals: Iterator[audit.Arrival]) -> None:
    for arrival in arrivals:
        progress.ledger.take(arrival)
        body = arrival.body
        if body.get("anomaly"):
            progress.newest = [*progress.newest[-9:], body]
            progress.alerts += 1
            progress.samples = max(progress.samples, body["index"] + 1)
        elif body.get("device") == DEVICE and arrival.topic.split("/")[-2:-1] == ["summary"]:
            progress.summary = body
            progress.samples = max(progress.samples, body["index"])
        elif str(body.get("text", "")).startswith("source ended"):
            progress.ended = True


def _state(bridge: Bridge) -> str:
    link = bridge.links[0]
    if not bridge.mqtt.is_connected:
        return f"broker away: {bridge.mqtt.problem}"
    if not link.is_online:
        return f"waiting for the board: {link.problem or 'no answer yet'}"
    return f"{link.session.device} online, boot {link.session.boot}"


def follow(path: Path) -> Iterator[audit.Arrival]:
    """Iterate over the ledger's lines as they are written; each `for` over it ends where the file ends just now."""
    return _Follower(path)


class _Follower:
    def __init__(self, path: Path):
        self._file = path.open(encoding="utf-8")
        self._rest = ""

    def __iter__(self) -> Iterator[audit.Arrival]:
        for line in self._file:
            line = self._rest + line
            self._rest = "" if line.endswith("\n") else line
            if self._rest:
                return
            entry = json.loads(line)
            try:
                body = json.loads(entry.get("payload", ""))
            except ValueError:
                body = {}  # a status, or a message of somebody else's
            yield audit.Arrival(
                entry["wall_ns"], entry["topic"], body if isinstance(body, dict) else {}, entry["packet_bytes"]
            )


async def _until(condition: Callable[[], bool], limit_s: float, problem: str) -> None:
    end_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end_s:
            raise KittiwakeError(f"{problem} within {limit_s:.0f} s")
        await asyncio.sleep(0.01)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
