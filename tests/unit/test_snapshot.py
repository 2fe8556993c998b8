"""Snapshots: the samples before and after a moment, and the budget."""

from array import array

import pytest

from kittiwake_node import kernels
from kittiwake_node.detect.snapshot import Snapshots
from kittiwake_node.errors import ConfigError

PLAIN = kernels.load("plain")


def make(before=4, after=3, budget=1000, hour=100):
    return Snapshots(PLAIN, before, after, budget, hour)


def test_snapshot_holds_the_samples_around_the_moment():
    s = make()
    buf = array("h", range(100))
    assert s.feed(buf, 0, 20) == 20
    assert s.trigger()
    assert not s.ready
    assert s.feed(buf, 20, 40) == 23
    assert s.ready
    assert s.feed(buf, 23, 40) == 23
    out = array("h", [0] * s.length)
    assert s.take_into(out) == 7
    assert list(out) == [16, 17, 18, 19, 20, 21, 22]
    assert s.feed(buf, 23, 40) == 40
    assert (s.taken, s.refused) == (1, 0)


def test_snapshot_soon_after_the_start_is_shorter():
    s = make()
    buf = array("h", range(10))
    s.feed(buf, 0, 1)
    s.trigger()
    assert s.feed(buf, 1, 10) == 4
    out = array("h", [0] * s.length)
    assert list(out[: s.take_into(out)]) == [0, 1, 2, 3]


def test_snapshot_while_one_is_under_way_is_refused_and_counted():
    s = make()
    assert s.trigger()
    assert not s.trigger()
    assert s.refused == 1


def test_snapshot_beyond_the_hours_budget_is_refused_until_the_next_hour():
    s = make(budget=2 * 7 * 2)
    buf = array("h", [0] * 200)
    out = array("h", [0] * s.length)
    for _ in range(2):
        assert s.trigger()
        s.feed(buf, 0, 3)
        s.take_into(out)
    assert not s.trigger()
    s.feed(buf, 0, 94)
    assert s.trigger()


def test_snapshot_in_blocks_of_one_is_the_same():
    s = make()
    for x in range(30):
        if x == 12:
            s.trigger()
        assert s.feed(array("h", [x]), 0, 1) == (0 if s.ready and x > 14 else 1)
    out = array("h", [0] * s.length)
    s.take_into(out)
    assert list(out) == [8, 9, 10, 11, 12, 13, 14]


@pytest.mark.parametrize("settings", [{"after": 0}, {"before": -1}, {"before": 16384}, {"budget": 13}, {"hour": 0}])
def test_snapshot_with_impossible_settings_is_refused(settings):
    with pytest.raises(ConfigError) as caught:
        make(**settings)
    assert caught.value.code == "snapshot"


def test_snapshot_with_indexes_outside_the_buffer_raises():
    with pytest.raises(IndexError):
        make().feed(array("h", [1]), 0, 2)
