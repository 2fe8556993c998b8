"""What a demo runs: samples, detector, channel and topics, and the node's configuration that follows from them."""

from __future__ import annotations

import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from kittiwake.demo import speech
from kittiwake.publish import publisher
from kittiwake.signals import vibration

DEVICE = "kw-demo"


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
        word: the plan of the wake word that the board listens for; None for no microphone.
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
    word: bytes | None = None


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


def node_config(plan: Plan, samples_path: Path, word_path: Path | None = None) -> dict:
    """The node's configuration for a plan, `word_path` where it has a word; link and storage are the target's."""
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
                "detectors": [{"kind": "zscore", "n": plan.n, "t": f"{plan.t.numerator}/{plan.t.denominator}"}],
            },
            *([speech.channel(word_path)] if plan.word else []),
        ],
    }
