"""Suites `zscore`, `lagged` and `wide`: indexes and exact sums of alerts, from the kernels that the board runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from kittiwake.reference import zscore
from kittiwake.verify.suites import signals
from kittiwake.verify.suites.registry import Suite, Vector, register

# Window, threshold (t), and for the lagged form the floor of the variance.
Setting = tuple[int, Fraction, int | None]
_INCLUSIVE: tuple[Setting, ...] = (
    (20, Fraction(5, 2), None),
    (256, Fraction(11, 2), None),
    (64, Fraction(3), None),
    (9, Fraction(5, 2), None),
    (3, Fraction(1), None),
)
_LAGGED: tuple[Setting, ...] = (
    (20, Fraction(5, 2), 1),
    (64, Fraction(10), 4095),
    (2, Fraction(1, 2), 0),
    (100, Fraction(255, 2), 0),
)
_SAMPLES = {16: 600, 24: 300}


def vectors_for(
    kernels: tuple[str, ...], settings: Sequence[Setting] = _INCLUSIVE, bits: int = 16
) -> Callable[[random.Random, int], Iterator[Vector]]:
    """Make vectors of a suite for the named kernels, each vector for one of them in turn.

    Args:
        kernels: names, see signals.KERNELS.
        settings: (n, t, floor or None for the inclusive form).
        bits: of a sample, 16 or 24.

    Returns:
        What makes them, from a source of randomness and their number.
    """

    def vectors(rng: random.Random, count: int) -> Iterator[Vector]:
        for number in range(count):
            kernel = kernels[number % len(kernels)]
            n, t, floor = settings[number // len(kernels) % len(settings)]
            size = _SAMPLES[bits]
            samples = signals.signal(rng, size, bits)
            if floor is None:
                alerts = zscore.alerts(samples, n, t)
            else:
                alerts = zscore.lagged_alerts(samples, n, t, Fraction(floor))
            window = samples[-n:]
            sums = f"{len(window)} {sum(window)} {sum(x * x for x in window)}"
            expected = signals.answer((f"{a.index}:{a.sum}:{a.sum_sq} " for a in alerts), size) + sums
            piece = signals.piece(rng, size)
            argument = (
                kernel,
                n,
                t.numerator,
                t.denominator,
                bits,
                floor,
                piece,
                signals.SHOWN,
                signals.text(samples, bits),
            )
            yield Vector(repr(argument), expected, f"{bits} bits, {number}: {kernel}, n {n}, t {t}, floor {floor}")

    return vectors


SUITE = register(Suite("zscore", "verify/signals", "zscore", vectors_for(signals.KERNELS), 120))
LAGGED = register(Suite("lagged", "verify/signals", "zscore", vectors_for(signals.KERNELS, _LAGGED), 72))
WIDE = register(Suite("wide", "verify/signals", "zscore", vectors_for(signals.KERNELS, _INCLUSIVE + _LAGGED, 24), 72))
