"""Summaries against sums by hand and against the reference."""

import random
from array import array

import pytest

from kittiwake.reference.summary import summary as reference
from kittiwake_node import kernels
from kittiwake_node.detect.summary import Summary

PLAIN = kernels.load("plain")


def test_summary_of_nothing_has_no_extremes():
    s = Summary(PLAIN)
    assert (s.count, s.min, s.max, s.sum, s.sum_sq) == (0, None, None, 0, 0)


def test_summary_of_four_samples_is_what_a_hand_adds_up():
    s = Summary(PLAIN)
    s.feed(array("h", [99, -32768, 3, 32767, 5, 99]), 1, 5)
    assert (s.count, s.min, s.max, s.sum) == (4, -32768, 32767, 7)
    assert s.sum_sq == 1073741824 + 9 + 1073676289 + 25


@pytest.mark.parametrize("length", [1, 255, 16384, 16385, 50_000])
def test_summary_of_random_samples_equals_reference(length):
    chance = random.Random(length)
    buf = array("h", [chance.randint(-32768, 32767) for _ in range(length)])
    s = Summary(PLAIN)
    s.feed(buf, 0, length)
    assert (s.count, s.min, s.max, s.sum, s.sum_sq) == tuple(vars(reference(buf)).values())
    s.reset()
    assert (s.count, s.min, s.sum, s.sum_sq) == (0, None, 0, 0)


def test_summary_with_indexes_outside_the_buffer_raises():
    with pytest.raises(IndexError):
        Summary(PLAIN).feed(array("h", [1]), 0, 2)
