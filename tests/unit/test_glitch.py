"""One full-scale glitch on every detector: that it is found, and what it leaves behind (docs/explanation/detection.md).

Noise of 10 LSB about 1000, one sample of 32767. By the plain kernels on CPython, which all others equal.
"""

import math
import random
from array import array

import pytest

from kittiwake_node import kernels
from kittiwake_node.detect.baseline import Baseline
from kittiwake_node.detect.drift import Drift
from kittiwake_node.detect.novelty import Novelty
from kittiwake_node.detect.summary import Summary
from kittiwake_node.detect.zscore import ZScore

PLAIN = kernels.load("plain")
SIGMA = 10
HIGHEST = 32767
_SCALE = 7  # state half of the novelty detector: log2 of a bin's width


def noise(count, seed=1):
    chance = random.Random(seed)
    return [1000 + round(chance.gauss(0, SIGMA)) for _ in range(count)]


def flags(detector, samples):
    return [i for i, x in enumerate(samples) if detector.push(x)]


def deviation(detector):
    return math.sqrt(detector.figures()[2] / 65536)


@pytest.mark.parametrize("lagged", [False, True])
@pytest.mark.parametrize(("n", "p", "q"), [(20, 5, 2), (256, 11, 2)])
def test_zscore_after_a_glitch_is_as_if_it_had_not_been_once_it_left_the_window(lagged, n, p, q):
    made = [ZScore(PLAIN, n=n, p=p, q=q, lagged=lagged) for _ in range(2)]
    samples = noise(2000)
    for i, x in enumerate(samples):
        found = made[0].push(HIGHEST if i == 1000 else x)
        made[1].push(x)
        if i == 1000:
            assert found
        if i >= 1000:
            assert ((made[0].sum, made[0].sum_sq) == (made[1].sum, made[1].sum_sq)) == (i >= 1000 + n)


def test_zscore_within_a_window_of_a_glitch_is_blind():
    samples = noise(100)
    samples[50] = HIGHEST
    samples[60] += 100 * SIGMA
    assert flags(ZScore(PLAIN, n=20, p=5, q=2), samples)[-1] == 50
    samples[71] += 100 * SIGMA
    assert flags(ZScore(PLAIN, n=20, p=5, q=2), samples)[-1] == 71


def test_drift_after_a_glitch_needs_ten_times_its_slow_span_to_see_as_before():
    detector = Drift(PLAIN)
    samples = noise(66_000)
    samples[20_000] = HIGHEST
    found, back = [], None
    for i, x in enumerate(samples):
        if detector.push(x):
            found.append(i)
        if i == 20_000:
            assert deviation(detector) > 45 * SIGMA
        if i > 20_000 and back is None and deviation(detector) < 1.1 * SIGMA:
            back = i - 20_000
    assert found == [20_000]
    assert 9 * 4096 < back < 10 * 4096


def test_drift_reset_after_a_glitch_sees_as_before():
    detector = Drift(PLAIN)
    samples = noise(2000)
    flags(detector, [*samples, HIGHEST])
    step = [x + 5 * SIGMA for x in noise(200, 2)]
    assert not flags(detector, samples + step)
    detector.reset()
    assert flags(detector, samples + step)


def test_novelty_after_a_glitch_has_coarse_bins_until_it_is_reset():
    detector = Novelty(PLAIN)
    samples = noise(3000)
    flags(detector, samples)
    before = detector._state[_SCALE]
    assert 16 << before < 200  # sixteen bins over the noise
    assert detector.push(HIGHEST)
    flags(detector, noise(60_000, 2))
    assert 16 << detector._state[_SCALE] > 32767 - 1000  # over all of what came
    assert deviation(detector) < 1.1 * SIGMA
    detector.reset()
    flags(detector, samples)
    assert detector._state[_SCALE] == before


FEATURES = ["variance", "peak", "range"]


@pytest.mark.parametrize("feature", FEATURES)
def test_baseline_flags_a_glitchs_block_alone(feature):
    samples = noise(64 * 80)
    samples[64 * 60 + 5] = HIGHEST
    found = flags(Baseline(PLAIN, block=64, learn=40, features=(feature,), p=6, q=1), samples)
    assert found == [64 * 61 - 1]


def test_baseline_of_crossings_flags_the_block_after_a_glitch():
    """Crossings are of the mean of the block before, which the glitch moved."""
    samples = noise(64 * 80)
    samples[64 * 60 + 5] = HIGHEST
    found = flags(Baseline(PLAIN, block=64, learn=40, features=("crossings",), p=4, q=1), samples)
    assert found == [64 * 62 - 1]


@pytest.mark.parametrize("feature", FEATURES)
def test_baseline_that_learned_a_glitch_is_blind_until_it_learns_anew(feature):
    samples = noise(64 * 60)
    fault = [1000 + 5 * (x - 1000) for x in noise(64 * 5, 2)]
    detector = Baseline(PLAIN, block=64, learn=40, features=(feature,), p=5, q=1)
    poisoned = [*samples]
    poisoned[64 * 10 + 5] = HIGHEST
    assert not flags(detector, poisoned + fault)
    detector.clear()
    assert len(flags(detector, samples + fault)) == 5


def test_summary_after_a_glitch_and_a_reset_knows_nothing_of_it():
    summary = Summary(PLAIN)
    summary.feed(array("h", [5, HIGHEST]), 0, 2)
    assert (summary.max, summary.sum_sq) == (HIGHEST, 25 + HIGHEST * HIGHEST)
    summary.reset()
    summary.feed(array("h", [5]), 0, 1)
    assert (summary.max, summary.sum_sq) == (5, 25)
