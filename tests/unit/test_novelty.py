"""The novelty detector's settings and behaviour, on CPython with the plain kernel."""

from array import array

import pytest

from kittiwake_node import kernels
from kittiwake_node.detect.novelty import Novelty
from kittiwake_node.errors import ConfigError

PLAIN = kernels.load("plain")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"sensitivity": 24}, "sensitivity"),
        ({"sensitivity": 401}, "sensitivity"),
        ({"patience": -1}, "patience"),
        ({"patience": 401}, "patience"),
    ],
)
def test_novelty_with_settings_out_of_range_names_the_setting(settings, code):
    with pytest.raises(ConfigError) as caught:
        Novelty(PLAIN, **settings)
    assert caught.value.code == code


def test_novelty_of_a_familiar_square_wave_is_silent_and_of_a_new_level_is_not():
    detector = Novelty(PLAIN)
    familiar = array("h", [500 + 400 * (i // 50 % 2) for i in range(4000)])
    fed = familiar.buffer_info()[1]
    alarms = []
    at = 0
    while (at := detector.find(familiar, at, fed)) < fed:
        alarms.append(at)
        at += 1
    assert all(index < 400 for index in alarms)
    assert any(detector.push(2500) for _ in range(40))


def test_novelty_reset_forgets_levels_and_keeps_settings():
    detector = Novelty(PLAIN, sensitivity=200)
    fresh = bytes(detector._state)
    for i in range(500):
        detector.push(i * 37 % 1000)
    assert bytes(detector._state) != fresh
    detector.reset()
    assert bytes(detector._state) == fresh


def test_novelty_of_both_extremes_finds_room():
    detector = Novelty(PLAIN)
    for x in (0, 32767, -32768, 0, -32768, 32767):
        detector.push(x)
    assert detector._state[7] <= 14


def test_novelty_with_indexes_outside_the_buffer_raises():
    with pytest.raises(IndexError):
        Novelty(PLAIN).find(array("h", [1]), 0, 2)


def test_novelty_state_is_within_its_budget():
    assert len(bytes(Novelty(PLAIN)._state)) <= 128
