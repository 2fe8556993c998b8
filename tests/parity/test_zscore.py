"""Plain and viper kernels on CPython and the unix port against the exact reference: indexes, sums and states."""

import os
from fractions import Fraction
from functools import lru_cache

import pytest

from tests.parity import signals, zscore
from tests.parity.boards import ThisProcess
from tests.support import parity_tally

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
RANDOM_SAMPLES = 5_000_000 if SOAK else 250_000
SETTINGS = [
    (20, Fraction(5, 2)),
    (256, Fraction(11, 2)),
    (2, Fraction(1, 2)),
    (3, Fraction(1)),
    (16, Fraction(5, 4)),
    (64, Fraction(4)),
    (100, Fraction(1, 255)),
    (1000, Fraction(255, 9)),
    (1024, Fraction(5, 2)),
    (1024, Fraction(251, 254)),
]


@lru_cache(maxsize=32)
def judged(samples, n, t, bits, settings):
    """The reference's alerts and sums, and the plain kernel's states here; what two kernels are asked, once."""
    settings = dict(settings)
    plain = zscore.split(zscore.run(ThisProcess(), "plain", samples, n, t, bits, settings))
    return zscore.expected(samples, n, t, settings), zscore.sums(samples, n), plain[1]


def check(board, kernel, samples, n, t, bits=16, settings=None):
    """Compare one series; returns the number of alerts, so that the caller can tell an empty run from a full one."""
    assert samples
    alerts, states = zscore.split(zscore.run(board, kernel, samples, n, t, bits, settings))
    wanted, sums, plain_states = judged(tuple(samples), n, t, bits, tuple((settings or {}).items()))
    first = next((k for k, (a, b) in enumerate(zip(alerts, wanted, strict=False)) if a != b), None)
    assert first is None, f"alert {first} on {board.name}/{kernel}: {alerts[first]}; the reference: {wanted[first]}"
    assert len(alerts) == len(wanted)
    assert [line.split(" ", 3)[3] for line in states] == sums
    assert states == plain_states
    form = "-lagged" if settings and settings.get("lagged") else ""
    parity_tally.add(board.name, kernel, f"zscore-{bits}{form}", len(samples))
    return len(alerts)


@pytest.mark.parametrize("kernel", ["plain", "viper"])
@pytest.mark.parametrize(("n", "t"), SETTINGS)
def test_zscore_of_adversarial_signals_equals_reference(unix, kernel, n, t):
    found = 0
    together = []
    for name, samples in signals.adversarial(n, t).items():
        if samples:
            found += check(unix, kernel, samples, n, t)
            together += samples
        else:
            assert name == "ties"  # the only signal that may not exist for a setting
    if SOAK or n < 1000:
        found += check(unix, kernel, together, n, t)  # one state through all of them
    assert found > 20


@pytest.mark.parametrize("kernel", ["plain", "viper"])
@pytest.mark.parametrize(("n", "t"), [(20, Fraction(5, 2)), (256, Fraction(11, 2))])
def test_zscore_of_random_signals_equals_reference(unix, kernel, n, t):
    samples = signals.mixed(RANDOM_SAMPLES, seed=n)
    assert check(unix, kernel, samples, n, t) > 100


@pytest.mark.parametrize("kernel", ["plain", "viper"])
@pytest.mark.parametrize(
    ("n", "t", "floor"),
    [(20, "5/2", 1), (64, "10", 4095), (2, "1/2", 0), (100, "255", 0), (16, "5/4", 0), (5, "1/255", 3)],
)
@pytest.mark.parametrize("bits", [16, 24])
def test_zscore_lagged_equals_reference(unix, kernel, n, t, floor, bits):
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    samples = [x for values in signals.adversarial(n, Fraction(t), 1, low, high).values() for x in values]
    samples += signals.mixed(10_000, n, low, high)
    assert check(unix, kernel, samples, n, Fraction(t), bits, {"lagged": True, "floor": floor}) > 20


@pytest.mark.parametrize("kernel", ["plain", "viper"])
@pytest.mark.parametrize(("n", "t"), [(20, "5/2"), (256, "11/2"), (2, "1/2"), (16, "5/4"), (5, "1/255")])
def test_zscore_of_24_bit_samples_equals_reference(unix, kernel, n, t):
    low, high = -(1 << 23), (1 << 23) - 1
    samples = [x for values in signals.adversarial(n, Fraction(t), 1, low, high).values() for x in values]
    samples += signals.mixed(40_000, n, low, high)
    assert check(unix, kernel, samples, n, Fraction(t), bits=24) > 100


def test_zscore_plain_on_cpython_equals_reference():
    samples = signals.mixed(30_000, seed=5)
    assert check(ThisProcess(), "plain", samples, 20, Fraction(5, 2)) > 100


@pytest.mark.parametrize(("n", "t"), [(20, Fraction(5, 2)), (256, Fraction(11, 2)), (16, Fraction(5, 4))])
def test_zscore_signals_contain_exact_ties(n, t):
    window = signals.tie_window(n, t, 1)
    spread = n * sum(x * x for x in window) - sum(window) ** 2
    left = t.denominator**2 * (n - 1) * (n * window[-1] - sum(window)) ** 2
    assert left == t.numerator**2 * n * spread > 0


@pytest.mark.parametrize("wrong", [Fraction(249, 100), Fraction(251, 100)])
def test_zscore_parity_with_a_mutated_threshold_fails(unix, wrong):
    samples = signals.mixed(20_000, seed=3)
    alerts, _ = zscore.split(zscore.run(unix, "viper", samples, 20, wrong))
    assert alerts != zscore.expected(samples, 20, Fraction(5, 2))


def test_zscore_parity_with_a_mutated_kernel_constant_fails(unix):
    """A kappa that is one too small for its rounding bound lets the cheap rejection pass an anomaly."""
    n, t = 20, Fraction(5, 2)
    samples = signals.mixed(20_000, seed=3)
    unix.exec(zscore.PROGRAM)
    alerts = []
    for change in (0, -(1 << 7)):
        unix.exec(f"parity_start('viper', {n}, 5, 2, 16, {{}})\ndetector._state[10] += {change}")
        data = zscore.array("h", samples).tobytes()
        text = zscore.base64.b64encode(data).decode()
        alerts.append(zscore.split(unix.exec(f"parity_feed({text!r}, [256])").splitlines())[0])
    wanted = zscore.expected(samples, n, t)
    assert alerts[0] == wanted
    assert alerts[1] != wanted
