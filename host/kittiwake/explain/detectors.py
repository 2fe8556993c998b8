"""Explain: what a node's configuration will do, in figures a user must be told before relying on it.

Statistics of Gaussian noise and arithmetic on the settings; whether the settings can be is asked of the firmware.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from kittiwake.runs.detect import default_threshold

Settings = dict[str, Any]
"""A table of a node's configuration that the firmware has checked."""

SECONDS_A_DAY = 86400
# Measured on Gaussian noise, alarms a sample: see docs/detectors/novelty.md.
_NOVELTY_FALSE_ALARMS = 4e-6
_STEPS = 4000  # of Simpson's rule; the tail of n = 1024 at t = 10 is right to six digits with a tenth of them


@dataclass
class Explanation:
    """What there is to say of one part of a channel: a detector, its source, what it hears.

    Attributes:
        channel: its name.
        detector: its kind; "source KIND", "hearing" or "word NAME" for other parts.
        settings: as the firmware will take them.
        facts: name -> figure.
        notes: sentences.
    """

    channel: str
    detector: str
    settings: dict[str, Any]
    facts: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def explain(channel: Settings, detector: Settings) -> Explanation:
    """Explain one detector.

    Args:
        channel: of a checked node configuration: name, rate_hz, bits, summary_samples.
        detector: one of its detectors, checked, with every setting given.
    """
    explanation = Explanation(channel["name"], detector["kind"], detector)
    rate_hz = channel["rate_hz"]
    if detector["kind"] == "zscore":
        _zscore(explanation, rate_hz, detector)
    elif detector["kind"] == "drift":
        _drift(explanation, rate_hz, detector)
    elif detector["kind"] == "novelty":
        _novelty(explanation, rate_hz, detector)
    elif detector["kind"] == "baseline":
        _baseline(explanation, rate_hz, detector)
    return explanation


def with_threshold(detectors: list[Settings]) -> list[Settings]:
    """Write a z-score's default threshold out: 5/2 for n up to 20, else 11/2.

    Args:
        detectors: of a channel, checked.

    Returns:
        The same with every threshold.
    """
    return [d | {"t": str(default_threshold(d["n"]))} if d.get("t") == "" else d for d in detectors]


def largest_z(n: int) -> float:
    """The largest |z| that a sample within its own window of n can have: (n - 1)/√n.

    Args:
        n: window, samples.
    """
    return (n - 1) / math.sqrt(n)


def false_alarm_share(n: int, t: float) -> float:
    """Share of Gaussian samples with |z| > t, the sample within its own window of n, deviation with n - 1.

    z²·n/(n - 1)² of such a sample has the Beta distribution with parameters 1/2 and (n - 2)/2. With x = sin²θ its tail
    is an integral of cos^(n - 3) θ, which is smooth, so Simpson's rule does it.

    Args:
        n: window, samples.
        t: threshold.

    Source: W. R. Thompson, "On a criterion for the rejection of observations", Ann. Math. Stat. 6 (1935).
    """
    if t >= largest_z(n):
        return 0.0
    if n == 2:
        return 1.0 if t < largest_z(2) else 0.0
    start = math.asin(t * math.sqrt(n) / (n - 1))
    width = (math.pi / 2 - start) / _STEPS
    total = 0.0
    for i in range(_STEPS + 1):
        weight = 1 if i in (0, _STEPS) else 4 if i % 2 else 2
        total += weight * math.cos(start + i * width) ** (n - 3)
    # The whole integral from 0 to π/2 is √π/2 · Γ((n - 2)/2) / Γ((n - 1)/2).
    whole = math.sqrt(math.pi) / 2 * math.exp(math.lgamma((n - 2) / 2) - math.lgamma((n - 1) / 2))
    return min(1.0, total * width / 3 / whole)


def lagged_false_alarm_share(n: int, t: float) -> float:
    """The same with the sample kept out of its window: z/√(1 + 1/n) has Student's t with n - 1 degrees of freedom.

    Args:
        n: window, samples.
        t: threshold.
    """
    freedom = n - 1
    u = t / math.sqrt(1 + 1 / n)
    # t² / (t² + ν) is sin²θ of a Beta with 1/2 and ν/2: the integral above, with cos^(ν - 1).
    start = math.atan(u / math.sqrt(freedom))
    width = (math.pi / 2 - start) / _STEPS
    total = 0.0
    for i in range(_STEPS + 1):
        weight = 1 if i in (0, _STEPS) else 4 if i % 2 else 2
        total += weight * math.cos(start + i * width) ** (freedom - 1)
    whole = math.sqrt(math.pi) / 2 * math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom + 1) / 2))
    return min(1.0, total * width / 3 / whole)


def masked_z(n: int, outliers: int) -> float:
    """The |z| that each of k equal, arbitrarily large outliers in one window of n reaches: they hide each other.

    Args:
        n: window, samples.
        outliers: k.
    """
    return math.sqrt((n - outliers) * (n - 1) / (n * outliers))


def _zscore(explanation: Explanation, rate_hz: int, detector: Settings) -> None:
    n, t = detector["n"], Fraction(detector["t"])
    lagged = detector.get("lagged", False)
    share = lagged_false_alarm_share(n, float(t)) if lagged else false_alarm_share(n, float(t))
    explanation.facts["false_alarms_per_1000_samples_of_noise"] = _short(share * 1000)
    if rate_hz:
        explanation.facts["false_alarms_a_day"] = _short(share * rate_hz * SECONDS_A_DAY)
        explanation.facts["window_s"] = _short(n / rate_hz)
        explanation.facts["blind_after_start_s"] = _short(n / rate_hz)
    explanation.notes.append("false alarms are those of Gaussian noise; heavier tails give more")
    if lagged:
        explanation.notes.append("lagged: a sample is tested against the window before it, so |z| has no upper end")
    else:
        explanation.facts["largest_z"] = _short(largest_z(n))
        hidden = next(k for k in range(1, n) if masked_z(n, k) <= t)
        explanation.facts["outliers_that_hide_each_other"] = hidden
        explanation.notes.append(
            f"{hidden} equal outliers within {n} samples mask each other: each stays at or below t"
        )
    explanation.notes.append("suits spikes; a persistent fault is absorbed by the window within its length")


def _drift(explanation: Explanation, rate_hz: int, detector: Settings) -> None:
    slow = 1 << detector["slow"]
    if rate_hz:
        explanation.facts["blind_after_start_s"] = _short(detector["warmup"] / rate_hz)
        explanation.facts["silent_after_detection_s"] = _short(detector["holdoff"] / rate_hz)
        explanation.facts["forgets_within_s"] = _short(slow / rate_hz)
    explanation.notes.append("suits level changes and drifts of slow signals; single spikes pass unseen")
    explanation.notes.append(f"after a full-scale glitch smaller changes hide, for up to ten times {slow} samples")


def _novelty(explanation: Explanation, rate_hz: int, detector: Settings) -> None:
    if rate_hz:
        share = _NOVELTY_FALSE_ALARMS
        explanation.facts["false_alarms_a_day"] = _short(share * rate_hz * SECONDS_A_DAY)
        explanation.facts["blind_after_start_s"] = _short(64 / rate_hz)
        explanation.facts["learns_before_novelty_counts_s"] = _short(192 / rate_hz)
        explanation.facts["silent_after_alarm_s"] = _short((64 * detector["patience"] + 50) // 100 / rate_hz)
    explanation.notes.append("suits slow, seasonal, level-like signals, a sample a minute or so; not vibration")
    explanation.notes.append("what was seen is never forgotten: reset it where the signal's nature changes")
    explanation.notes.append("one full-scale glitch coarsens its sixteen levels for good")
    if detector["sensitivity"] != 100 or detector["patience"] != 100:
        explanation.notes.append("false alarms were measured at sensitivity 100 and patience 100, and will differ")


def _baseline(explanation: Explanation, rate_hz: int, detector: Settings) -> None:
    share = lagged_false_alarm_share(detector["learn"], float(Fraction(detector["t"]))) * len(detector["features"])
    explanation.facts["false_alarms_per_1000_blocks"] = _short(share * 1000)
    if rate_hz:
        block_s = detector["block"] / rate_hz
        explanation.facts["block_s"] = _short(block_s)
        explanation.facts["learns_for_s"] = _short(block_s * detector["learn"])
        explanation.facts["false_alarms_a_day"] = _short(share / block_s * SECONDS_A_DAY)
    explanation.notes.append(
        "false alarms are those of features that are Gaussian over the blocks, which few machines quite have"
    )
    explanation.notes.append("suits vibration and faults that stay: it compares with what was learned")
    explanation.notes.append("what it learns from must be a machine that is well, at the speed it will be judged at")
    explanation.notes.append("a glitch in what it learns from hides faults for good: clear it and let it learn anew")


def _short(value: float) -> float:
    return float(f"{value:.4g}")
