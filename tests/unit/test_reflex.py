"""The reflex on CPython: what it flags, when the action ends, what it does without a sensor, and its counts."""

import random
from array import array
from fractions import Fraction

import pytest

from kittiwake.reference import zscore
from kittiwake_node import kernels
from kittiwake_node.detect.reflex import Reflex
from kittiwake_node.detect.zscore import ZScore
from kittiwake_node.io.action import VirtualPin

LOW, HIGH = -2048, 2047


class Sensor:
    """Readings from a list; None is a reading that fails, and so is all after its end."""

    low, high = LOW, HIGH

    def __init__(self, readings):
        self.readings, self.at = readings, 0

    def read(self):
        x = self.readings[self.at] if self.at < len(self.readings) else None
        self.at += 1
        if x is None:
            raise OSError(5)
        return x


def reflex(readings, pulse=3, room=64, patience=2, safe=0, push=None):
    pin = VirtualPin(safe)
    pin.set(0)
    detector = ZScore(kernels.load("plain"), n=20, p=5, q=2)
    return Reflex(Sensor(readings), push or detector.push, pin, pulse, room, patience), pin


def test_reflex_acts_on_the_references_samples():
    chance = random.Random(2)
    samples = [chance.randint(-50, 50) + (1500 if i % 83 == 82 else 0) for i in range(2000)]
    made, pin = reflex(samples, pulse=1)
    levels = []
    for _ in samples:
        made.tick()
        levels.append(pin.level)
    wanted = [a.index for a in zscore.alerts(samples, 20, Fraction(5, 2))]
    assert [i for i, level in enumerate(levels) if level] == wanted
    assert made.anomalies == len(wanted) > 20


def test_reflex_pulse_lasts_from_the_newest_anomaly():
    flags = [0, 1, 0, 1, 0, 0, 0, 0]
    made, pin = reflex(flags, pulse=3, push=bool)
    levels = []
    for _ in flags:
        made.tick()
        levels.append(pin.level)
    assert levels == [0, 1, 1, 1, 1, 1, 0, 0]
    assert pin.rises == 1


@pytest.mark.parametrize("safe", [0, 1])
def test_reflex_without_a_sensor_takes_the_fail_safe_state_until_it_is_back(safe):
    made, pin = reflex([1, 0, None, None, None, 0, 0], pulse=9, patience=2, safe=safe, push=bool)
    levels = []
    for _ in range(7):
        made.tick()
        levels.append(pin.level)
    # One failure may pass; the second does not, and what was under way ends with it.
    assert levels == [1, 1, 1, safe, safe, 0, 0]
    assert (made.failures, made.anomalies, made.overruns) == (3, 1, 0)


def test_reflex_takes_what_is_out_of_range_for_its_end_and_counts_it():
    made, _ = reflex([LOW - 1, LOW, LOW + 1, HIGH - 1, HIGH, 40000], push=lambda x: False)
    for _ in range(6):
        made.tick()
    buf = array("h", [0] * 8)
    assert list(buf[: made.read_into(buf)]) == [LOW, LOW, LOW + 1, HIGH - 1, HIGH, HIGH]
    assert made.clipped == 4


def test_reflex_judges_what_finds_no_room_and_counts_it():
    seen = []
    made, _ = reflex(list(range(12)), room=8, push=lambda x: seen.append(x))
    for _ in range(12):
        made.tick()
    buf = array("h", [0] * 5)
    assert (made.read_into(buf), list(buf)) == (5, [0, 1, 2, 3, 4])
    assert (made.read_into(buf), list(buf[:3])) == (3, [5, 6, 7])
    assert (made.read_into(buf), made.overruns, seen) == (0, 4, list(range(12)))


def test_reflex_counts_wrap_where_small_integers_end():
    made, _ = reflex([HIGH] * 6, room=4, push=bool)
    made._head = made._tail = made.anomalies = made.clipped = made.overruns = (1 << 30) - 2
    for _ in range(6):
        made.tick()
    assert (made.anomalies, made.clipped, made.overruns) == (4, 4, 0)
    buf = array("h", [0] * 8)
    assert made.read_into(buf) == 4
    assert made._head == made._tail == 2
