"""Suites `baseline` and `summary`: features of blocks and sums of stretches, from the kernels that the board runs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from kittiwake.reference import baseline, summary
from kittiwake.verify.suites import signals
from kittiwake.verify.suites.registry import Suite, Vector, register

_BLOCK = 32
_LEARN = 8
_SAMPLES = {16: 800, 24: 300}
_FEATURES = (("variance",), ("peak", "range"), ("variance", "peak", "range", "crossings"), ("crossings",))
_THRESHOLDS = (Fraction(5), Fraction(7, 2))


def _machine(rng: random.Random, size: int) -> list[int]:
    """Vibration that grows by half, or more, some time after the baseline was learned."""
    level, width = rng.randint(-9000, 9000), rng.choice((3, 60, 2000))
    onset, more = rng.randint(size // 3, size), rng.choice((1, 1.5, 4))
    noise = (rng.gauss(level, width * (more if i >= onset else 1)) for i in range(size))
    return [max(-32768, min(32767, round(x))) for x in noise]


def _baselines(rng: random.Random, count: int) -> Iterator[Vector]:
    for number in range(count):
        kernel = signals.KERNELS[number % len(signals.KERNELS)]
        features = _FEATURES[number // len(signals.KERNELS) % len(_FEATURES)]
        t = rng.choice(_THRESHOLDS)
        size = _SAMPLES[16]
        samples = _machine(rng, size) if rng.random() < 0.7 else signals.signal(rng, size)
        anomalies = baseline.anomalies(samples, _BLOCK, _LEARN, t, features)
        expected = signals.answer((f"{index}:{name} " for index, name in anomalies), size) + f"{_LEARN}"
        piece = signals.piece(rng, size)
        argument = (
            kernel,
            _BLOCK,
            _LEARN,
            features,
            t.numerator,
            t.denominator,
            piece,
            signals.SHOWN,
            signals.text(samples),
        )
        yield Vector(repr(argument), expected, f"baseline {number}: {kernel}, {', '.join(features)}, t {t}")


def _summaries(rng: random.Random, count: int) -> Iterator[Vector]:
    kinds = [(kernel, bits) for bits in (16, 24) for kernel in signals.KERNELS]
    for number in range(count):
        kernel, bits = kinds[number % len(kinds)]
        samples = signals.signal(rng, _SAMPLES[bits], bits)
        expected = " ".join(str(value) for value in vars(summary.summary(samples)).values())
        argument = (kernel, bits, signals.piece(rng, len(samples)), signals.text(samples, bits))
        yield Vector(repr(argument), expected, f"summary {number}: {kernel}, {bits} bits")


BASELINE = register(Suite("baseline", "verify/signals", "baseline", _baselines, 72))
SUMMARY = register(Suite("summary", "verify/signals", "summary", _summaries, 70))
