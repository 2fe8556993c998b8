"""A sensor read at a steady rate, by a clock of the test's: every period gives one sample or one overrun."""

from array import array

import pytest

from kittiwake_node.io.sampled import Sampled
from tests.support.fake_clock import FakeClock


class Sensor:
    low, high = -100, 100

    def __init__(self):
        self.values = []

    def read(self):
        value = self.values.pop(0) if self.values else 7
        if value is None:
            raise OSError(5)
        return value


@pytest.fixture
def parts():
    clock, sensor = FakeClock(500), Sensor()
    return clock, sensor, Sampled(sensor, 10, clock)


def read(source):
    buf = array("h", [0] * 8)
    return list(buf[: source.read_into(buf)])


def test_sampled_gives_one_sample_a_period(parts):
    clock, sensor, source = parts
    sensor.values = [1, 2, 3]
    got = []
    for _ in range(300):
        got += read(source)
        clock.pass_ms(1)
    assert got == [1, 2, 3]
    assert (source.count, source.overruns) == (3, 0)


def test_sampled_late_loop_counts_what_it_missed(parts):
    clock, _, source = parts
    assert len(read(source)) == 1
    clock.pass_ms(450)
    assert len(read(source)) == 1
    assert (source.count, source.overruns) == (2, 3)
    assert read(source) == []
    clock.pass_ms(50)
    assert len(read(source)) == 1
    assert source.overruns == 3


def test_sampled_sensor_that_does_not_answer_is_an_overrun(parts):
    clock, sensor, source = parts
    sensor.values = [None, 4]
    assert read(source) == []
    assert read(source) == []
    clock.pass_ms(100)
    assert read(source) == [4]
    assert (source.count, source.overruns) == (1, 1)


def test_sampled_says_where_its_sensors_range_ends(parts):
    assert (parts[2].low, parts[2].high) == (-100, 100)


def test_sampled_says_when_the_next_is_due_and_how_old_the_newest_is(parts):
    clock, _, source = parts
    assert source.next_due_ms() == 0
    read(source)
    assert source.next_due_ms() == 100
    clock.pass_ms(40)
    assert (source.next_due_ms(), source.age_us(0), source.time_ms(0)) == (60, 40000, 500)
    clock.pass_ms(100)
    assert source.next_due_ms() == 0
