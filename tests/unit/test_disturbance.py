"""Disturbances: grouping, hysteresis, rate limit, and that every flag is accounted for."""

import random

from kittiwake_node.detect.disturbance import CLOSED, NOTHING, OPENED, Disturbances


def take(disturbances, indexes, end):
    """Feed flags with score 1; returns what happened as (what, index)."""
    happened = []
    for index in range(end):
        if disturbances.passed(index) == CLOSED:
            happened.append(("closed", disturbances.start, disturbances.end, disturbances.count))
        if index in indexes and disturbances.flag(index, 1) == OPENED:
            happened.append(("opened", index))
    return happened


def test_events_of_one_disturbance_are_one():
    assert take(Disturbances(hold_off=5), {10, 11, 14, 19}, 40) == [("opened", 10), ("closed", 10, 19, 4)]


def test_events_apart_by_more_than_the_hold_off_are_two():
    assert take(Disturbances(hold_off=5), {10, 16}, 40) == [
        ("opened", 10),
        ("closed", 10, 10, 1),
        ("opened", 16),
        ("closed", 16, 16, 1),
    ]


def test_events_with_rise_open_at_the_flag_that_completes_it():
    disturbances = Disturbances(hold_off=5, rise=3)
    assert take(disturbances, {3, 10, 12, 15, 30}, 60) == [("opened", 15), ("closed", 10, 15, 3)]
    assert (disturbances.flags, disturbances.held_back) == (5, 2)


def test_events_keep_the_greatest_size_as_peak():
    disturbances = Disturbances(hold_off=5)
    for index, score in ((7, 3), (8, -9), (9, 4)):
        disturbances.passed(index)
        disturbances.flag(index, score)
    assert disturbances.open
    assert (disturbances.peak, disturbances.peak_index, disturbances.start, disturbances.end, disturbances.count) == (
        9,
        8,
        7,
        9,
        3,
    )


def test_events_beyond_the_limit_are_held_back_until_it_refills():
    disturbances = Disturbances(hold_off=1, burst=2, refill=100)
    happened = take(disturbances, {0, 10, 20, 21, 130}, 200)
    assert [what[1] for what in happened if what[0] == "opened"] == [0, 10, 130]
    assert (disturbances.opened, disturbances.held_back) == (3, 2)


def test_events_account_for_every_flag():
    chance = random.Random(1)
    for _ in range(50):
        disturbances = Disturbances(
            chance.randint(0, 9), chance.randint(1, 3), chance.randint(0, 3), chance.randint(1, 60)
        )
        flags = {index for index in range(500) if chance.random() < 0.1}
        told = sum(what[3] for what in take(disturbances, flags, 600) if what[0] == "closed")
        assert disturbances.passed(10_000) == NOTHING
        assert disturbances.flags == len(flags) == told + disturbances.held_back
