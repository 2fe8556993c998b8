"""The z-score's settings, edges and window figures, on CPython with the plain kernel."""

from array import array
from math import sqrt

import pytest

from kittiwake_node import kernels
from kittiwake_node.detect.zscore import ZScore, default_threshold
from kittiwake_node.errors import ConfigError

PLAIN = kernels.load("plain")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"n": 1}, "n"),
        ({"n": 1025}, "n"),
        ({"p": 0}, "threshold"),
        ({"p": 256}, "threshold"),
        ({"q": 0}, "threshold"),
        ({"q": 256}, "threshold"),
        ({"bits": 7}, "bits"),
        ({"bits": 25}, "bits"),
        ({"n": 257, "bits": 24}, "products"),
        ({"n": 20, "p": 43, "q": 10}, "unreachable"),  # (20 - 1)/sqrt(20) = 4.248
        ({"n": 8, "p": 5, "q": 2}, "unreachable"),
        ({"n": 4, "p": 3, "q": 2}, "unreachable"),  # exactly 3/2, which is never exceeded
    ],
)
def test_zscore_with_impossible_settings_names_the_reason(settings, code):
    with pytest.raises(ConfigError) as caught:
        ZScore(PLAIN, **settings)
    assert caught.value.code == code
    assert caught.value.detail


@pytest.mark.parametrize("settings", [{"n": 20, "p": 42, "q": 10}, {"n": 9, "p": 5, "q": 2}, {"n": 2, "p": 1, "q": 2}])
def test_zscore_just_within_reach_is_reached(settings):
    z = ZScore(PLAIN, **settings)
    n = settings["n"]
    assert settings["p"] / settings["q"] < (n - 1) / sqrt(n)
    assert not any(z.push(0) for _ in range(n - 1))
    assert z.push(1)


@pytest.mark.parametrize(("n", "threshold"), [(2, (5, 2)), (20, (5, 2)), (21, (11, 2)), (256, (11, 2))])
def test_default_threshold_follows_the_window(n, threshold):
    assert default_threshold(n) == threshold


def test_zscore_before_the_window_is_full_flags_nothing_and_counts():
    z = ZScore(PLAIN, n=20, p=5, q=2)
    assert (z.count, z.x, z.sum, z.sum_sq, z.window_min(), z.window_max()) == (0, 0, 0, 0, 0, 0)
    for i in range(19):
        assert not z.push(1000 if i == 18 else -3)
    assert (z.count, z.x, z.sum) == (19, 1000, 1000 - 54)
    assert z.sum_sq == 18 * 9 + 1_000_000
    assert (z.window_min(), z.window_max()) == (-3, 1000)


def test_zscore_of_the_guides_example_flags_the_outlier_once():
    z = ZScore(PLAIN, n=20, p=5, q=2)
    buf = array("h", [420, 421, 419] * 10 + [900] + [420, 421, 419] * 3)
    assert z.find(buf, 0, len(buf)) == 30
    assert (z.x, z.window_max()) == (900, 900)
    assert z.find(buf, 31, len(buf)) == len(buf)


def test_zscore_with_indexes_outside_the_buffer_raises():
    z = ZScore(PLAIN)
    buf = array("h", [0] * 4)
    for start, stop in ((-1, 2), (0, 5), (3, 2)):
        with pytest.raises(IndexError):
            z.find(buf, start, stop)
    assert z.count == 0


def test_zscore_reset_forgets():
    z = ZScore(PLAIN, n=20, p=5, q=2)
    for x in range(30):
        z.push(x)
    z.reset()
    assert (z.count, z.sum, z.sum_sq) == (0, 0, 0)


def test_zscore_state_is_within_its_budget():
    z = ZScore(PLAIN, n=256)
    size = len(bytes(z._state)) + len(bytes(z._ring)) + len(bytes(z._one))
    assert size <= 2 * 256 + 64


def test_kernels_with_an_unknown_or_impossible_name_refuse():
    for name in ("fast", "viper", "thumb2", "rv32", "xtensa"):  # CPython has no native emitter
        with pytest.raises(ConfigError) as caught:
            kernels.load(name)
        assert caught.value.code == "kernel"
        assert repr(name) in caught.value.detail
    with pytest.raises(ConfigError):
        PLAIN.part("nothing")
