"""Suites `drift` and `novelty`: detections, means and variance, from the kernels that the board runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from kittiwake.reference import drift, novelty
from kittiwake.verify.suites import signals
from kittiwake.verify.suites.registry import Suite, Vector, register

_SAMPLES = 700
Settings = dict[str, int]
_DRIFT: tuple[Settings, ...] = (
    {},
    {"p": 1, "q": 1, "holdoff": 3},
    {"fast": 1, "slow": 14, "p": 1, "q": 200, "warmup": 0, "holdoff": 0, "floor": 0},
    {"fast": 8, "slow": 9, "p": 255, "q": 250, "warmup": 10, "holdoff": 1, "floor": 4095},
)
# Settings by their names for the user, and the constants that they stand for.
_NOVELTY: tuple[tuple[Settings, Settings], ...] = (
    ({}, {}),
    ({"sensitivity": 400, "patience": 0}, {"base": 128, "least": 32, "hold": 0, "step": 0}),
    ({"sensitivity": 150, "patience": 40}, {"base": 341, "least": 85, "hold": 26, "step": 38}),
)


def _vectors(
    name: str, settings: list[tuple[Settings, Callable[[], drift.Drift | novelty.Novelty]]]
) -> Callable[[random.Random, int], Iterator[Vector]]:
    def vectors(rng: random.Random, count: int) -> Iterator[Vector]:
        for number in range(count):
            kernel = signals.KERNELS[number % len(signals.KERNELS)]
            drift_settings, make = settings[number // len(signals.KERNELS) % len(settings)]
            samples = signals.steps(rng, _SAMPLES) if rng.random() < 0.6 else signals.signal(rng, _SAMPLES)
            detector = make()
            detections = [f"{index} " for index, x in enumerate(samples) if detector.push(x)]
            figures = f"{detector.fast} {detector.slow} {detector.variance}"
            expected = signals.answer(detections, _SAMPLES) + figures
            argument = (kernel, drift_settings, signals.piece(rng, _SAMPLES), signals.SHOWN, signals.text(samples))
            yield Vector(repr(argument), expected, f"{name} {number}: {kernel}, {drift_settings or 'defaults'}")

    return vectors


def _drift(settings: Settings) -> Callable[[], drift.Drift]:
    return lambda: drift.Drift(drift.Settings(**settings))


def _novelty(constants: Settings) -> Callable[[], novelty.Novelty]:
    return lambda: novelty.Novelty(novelty.Settings(**constants))


DRIFT = register(
    Suite(
        "drift",
        "verify/signals",
        "drift",
        _vectors("drift", [(settings, _drift(settings)) for settings in _DRIFT]),
        72,
    )
)
NOVELTY = register(
    Suite(
        "novelty",
        "verify/signals",
        "novelty",
        _vectors("novelty", [(settings, _novelty(constants)) for settings, constants in _NOVELTY]),
        72,
    )
)
