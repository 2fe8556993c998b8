"""Counting what stands at the ends of its range, on CPython with the plain kernel."""

from array import array

import pytest

from kittiwake_node import kernels
from kittiwake_node.detect.clip import Clip

PLAIN = kernels.load("plain")


@pytest.mark.parametrize(("x", "is_clipped"), [(-101, 1), (-100, 1), (-99, 0), (0, 0), (99, 0), (100, 1), (101, 1)])
def test_clip_takes_an_end_and_what_is_beyond(x, is_clipped):
    clip = Clip(PLAIN, -100, 100)
    assert clip.count(array("h", [0, x, 0]), 0, 3) == is_clipped
    assert clip.has(x) == bool(is_clipped)


def test_clip_of_the_whole_type_takes_its_extremes_alone():
    clip = Clip(PLAIN, -32768, 32767)
    assert clip.count(array("h", [-32768, -32767, 32766, 32767]), 0, 4) == 2


def test_clip_of_more_than_the_type_takes_nothing_beyond_it():
    assert Clip(PLAIN, -40000, 100).count(array("h", [-32767, 99]), 0, 2) == 0


def test_clip_with_indexes_outside_the_buffer_raises():
    with pytest.raises(IndexError):
        Clip(PLAIN, 0, 1).count(array("h", [1]), 0, 2)
