"""What a demo runs: samples, detector, channel and topics, and the node's configuration that follows from them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from kittiwake.demo import speech
from kittiwake.publish import publisher
from kittiwake.signals import vibration

DEVICE = "kw-demo"


@dataclass
class Scenario:
    """What to run.

    Attributes:
        samples: int16 samples, in time.
        rate_hz: how fast the board replays them; 0 as fast as it can.
        n: the detector's window, samples.
        t: the detector's threshold.
        channel: channel settings (name, sensor_id, unit, scale, offset) of the node's configuration.
        topics: kind -> topic, see bridge.publisher.Policy.
        target: where the firmware runs.
        summary_s: seconds a summary covers.
        broker_url: a broker of the caller's; None starts the embedded one.
        history: file of the history; None for one of its own, which a day keeps.
        word: the plan of the wake word that the board listens for; None for no microphone.
        has_window: pages are served while it runs.
    """

    samples: array[int]
    rate_hz: int
    n: int
    t: Fraction
    channel: dict[str, Any] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    target: str = "unix"
    summary_s: int = 5
    broker_url: str | None = None
    history: Path | None = None
    word: bytes | None = None
    has_window: bool = False


def vibration_scenario(seconds: int, seed: int, guide: bool, rate_hz: int = 1000, readings: bool = False) -> Scenario:
    """The synthetic vibration in hundredths of a mm/s.

    Args:
        seconds: of it.
        seed: of the noise.
        guide: the guide's detector and topics.
        rate_hz: samples a second.
        readings: every sample is journalled and published.
    """
    return Scenario(
        samples=vibration.samples(seconds * rate_hz, rate_hz=rate_hz, seed=seed),
        rate_hz=rate_hz,
        n=20 if guide else 256,
        t=Fraction(5, 2) if guide else Fraction(11, 2),
        channel={"name": "vibration", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100", "readings": readings},
        topics=publisher.GUIDE_TOPICS if guide else {},
    )


def node_config(scenario: Scenario, samples_path: Path, word_path: Path | None = None) -> dict[str, Any]:
    """The node's configuration; link and storage are the target's.

    Args:
        scenario: what to run.
        samples_path: where its samples are.
        word_path: where its wake word's plan is; None for no microphone.
    """
    t = f"{scenario.t.numerator}/{scenario.t.denominator}"
    per_summary = scenario.summary_s * (scenario.rate_hz or 1000)
    return {
        "device": DEVICE,
        "health_s": 10,
        "channels": [
            {
                **scenario.channel,
                "rate_hz": scenario.rate_hz,
                "summary_samples": per_summary,
                "source": {"kind": "replay", "path": str(samples_path)},
                "detectors": [{"kind": "zscore", "n": scenario.n, "t": t}],
                "snapshot": {"before": 64, "after": 64, "bytes_per_hour": 2048},
            },
            *([speech.channel(word_path)] if scenario.word and word_path is not None else []),
        ],
    }
