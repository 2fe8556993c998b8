"""Drift and novelty by every kernel of the unix port against their references: indexes, means, variance and states."""

import os
from fractions import Fraction

import pytest

from kittiwake.reference import drift, novelty
from tests.parity import sequential, signals
from tests.parity.boards import ThisProcess
from tests.support import parity_tally

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
RANDOM_SAMPLES = 10_000_000 if SOAK else 250_000
DRIFT = [
    {},
    {"fast": 1, "slow": 14, "p": 1, "q": 200, "warmup": 0, "holdoff": 0, "floor": 0},
    {"fast": 8, "slow": 9, "p": 255, "q": 250, "warmup": 10, "holdoff": 1, "floor": 4095},
    {"p": 1, "q": 1, "holdoff": 3},
]
NOVELTY = [
    ({}, {}),
    ({"sensitivity": 400, "patience": 0}, {"base": 128, "least": 32, "hold": 0, "step": 0}),
    ({"sensitivity": 150, "patience": 40}, {"base": 341, "least": 85, "hold": 26, "step": 38}),
]


def adversarial(seed: int) -> list[int]:
    """All adversarial signals in a row, levels and variances of every size after each other."""
    return [x for samples in signals.adversarial(64, Fraction(5, 2), seed).values() for x in samples]


def check(board, module, name, kernel, samples, settings, reference) -> int:
    """Compare one series; returns the number of detections."""
    assert samples
    found, states, figures = sequential.split(sequential.run(board, module, name, kernel, samples, settings))
    wanted, wanted_figures = sequential.expected(samples, reference)
    assert found == wanted, f"{board.name}/{kernel}: {len(found)} detections, the reference has {len(wanted)}"
    assert figures == wanted_figures
    plain = sequential.split(sequential.run(ThisProcess(), module, name, "plain", samples, settings))
    assert states == plain[1]
    parity_tally.add(board.name, kernel, module, len(samples))
    return len(found)


@pytest.mark.parametrize("kernel", ["plain", "viper"])
@pytest.mark.parametrize("settings", DRIFT)
def test_drift_of_adversarial_signals_equals_reference(unix, kernel, settings):
    detector = drift.Drift(drift.Settings(**settings))
    found = check(unix, "drift", "Drift", kernel, adversarial(1) + signals.mixed(40_000, 1), settings, detector)
    assert found > 0


@pytest.mark.parametrize("kernel", ["plain", "viper"])
def test_drift_of_random_signals_equals_reference(unix, kernel):
    samples = signals.mixed(RANDOM_SAMPLES, seed=11)
    assert check(unix, "drift", "Drift", kernel, samples, {}, drift.Drift()) > 50


@pytest.mark.parametrize("kernel", ["plain", "viper"])
@pytest.mark.parametrize(("settings", "constants"), NOVELTY)
def test_novelty_of_adversarial_signals_equals_reference(unix, kernel, settings, constants):
    found = 0
    for seed in range(1, 5):  # each on a detector that has seen nothing yet
        # Small levels first, so that the bins double step by step in both directions.
        series = signals.mixed(4000, seed, -60, 200) + adversarial(seed) + signals.mixed(20_000, seed)
        detector = novelty.Novelty(novelty.Settings(**constants))
        found += check(unix, "novelty", "Novelty", kernel, series, settings, detector)
    assert found > 20


@pytest.mark.parametrize("kernel", ["plain", "viper"])
def test_novelty_of_random_signals_equals_reference(unix, kernel):
    samples = signals.mixed(RANDOM_SAMPLES, seed=12)
    assert check(unix, "novelty", "Novelty", kernel, samples, {}, novelty.Novelty()) > 20


def test_drift_parity_with_a_mutated_threshold_fails(unix):
    samples = signals.mixed(20_000, seed=3)
    found, _, _ = sequential.split(sequential.run(unix, "drift", "Drift", "viper", samples, {"p": 14, "q": 9}))
    assert found != sequential.expected(samples, drift.Drift())[0]


def test_novelty_parity_with_a_mutated_constant_fails(unix):
    samples = signals.mixed(20_000, seed=3)
    found, _, _ = sequential.split(sequential.run(unix, "novelty", "Novelty", "viper", samples, {"sensitivity": 103}))
    assert found != sequential.expected(samples, novelty.Novelty())[0]
