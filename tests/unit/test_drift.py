"""The drift detector's settings and behaviour, on CPython with the plain kernel."""

from array import array

import pytest

from kittiwake_node import kernels
from kittiwake_node.detect.drift import Drift
from kittiwake_node.errors import ConfigError

PLAIN = kernels.load("plain")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"fast": 0}, "fast"),
        ({"fast": 9}, "fast"),
        ({"slow": 3}, "slow"),
        ({"slow": 15}, "slow"),
        ({"p": 0}, "threshold"),
        ({"q": 256}, "threshold"),
        ({"warmup": -1}, "warmup"),
        ({"holdoff": 65536}, "holdoff"),
        ({"floor": 4096}, "floor"),
    ],
)
def test_drift_with_settings_out_of_range_names_the_setting(settings, code):
    with pytest.raises(ConfigError) as caught:
        Drift(PLAIN, **settings)
    assert caught.value.code == code


def test_drift_of_a_step_is_found_once_in_the_hold_off():
    detector = Drift(PLAIN)
    buf = array("h", [1000 + (i * 7919) % 5 for i in range(400)] + [1200 + (i * 7919) % 5 for i in range(100)])
    first = detector.find(buf, 0, len(buf))
    assert 400 <= first < 405
    assert detector.find(buf, first + 1, len(buf)) == len(buf)


def test_drift_in_the_warm_up_is_silent():
    detector = Drift(PLAIN)
    assert not any(detector.push(x) for x in [0] * 32 + [30000] * 32)


def test_drift_of_a_constant_is_silent_and_has_its_level_as_mean():
    detector = Drift(PLAIN)
    assert not any(detector.push(-700) for _ in range(500))
    assert detector.figures() == (-700 << 16, -700 << 16, 0)
    detector.reset()
    assert detector.figures()[2] == 0


def test_drift_with_indexes_outside_the_buffer_raises():
    with pytest.raises(IndexError):
        Drift(PLAIN).find(array("h", [1]), 0, 2)


def test_drift_state_is_within_its_budget():
    detector = Drift(PLAIN)
    assert len(bytes(detector._state)) + len(bytes(detector._one)) <= 64
