"""The kernels that keep samples, count crossings and clipped samples, on the unix port, against what a list does."""

import random
from array import array

import pytest

PROGRAM = """
from array import array
from kittiwake_node import kernels
from kittiwake_node.detect.clip import Clip

def run(kernel, length, level, samples, cuts):
    clip = Clip(kernels.load(kernel), *sorted((level, -level // 2 - 1)))
    clipped = 0
    keep = kernels.load(kernel).entry("ring", "keep")
    cross = kernels.load(kernel).entry("ring", "cross")
    ring = array("h", [0] * length)
    kept = array("i", [length, 0, 0, 0])
    crossed = array("i", [level + 32768, 0, 0, 0, 0])
    buf = array("h", samples)
    at = 0
    for cut in cuts + [len(buf)]:
        kept[2] = crossed[2] = at
        kept[3] = crossed[3] = cut
        keep(kept, ring, buf)
        cross(crossed, buf)
        clipped += clip.count(buf, at, cut)
        at = cut
    print(list(ring), kept[1], crossed[4], crossed[1], clipped)
"""


def check(board, kernel):
    """Compare on random stretches; returns how many."""
    chance = random.Random(3)
    board.exec(PROGRAM)
    for run in range(60):
        length = chance.choice((1, 2, 7, 64))
        level = chance.choice((-32768, 0, 5, 32767))
        near = run % 2
        samples = [
            chance.randint(-3, 9) if near else chance.choice((-32768, 32767, -1, 0, 4, 5, 6))
            for _ in range(chance.randint(0, 150))
        ]
        cuts = sorted(chance.randint(0, len(samples)) for _ in range(3))
        ring = [0] * length
        for i, x in enumerate(samples):
            ring[i % length] = x
        sides = [False] + [x >= level for x in samples]
        crossings = sum(a != b for a, b in zip(sides, sides[1:], strict=False))
        low, high = sorted((level, -level // 2 - 1))
        clipped = sum(x <= low or x >= high for x in samples)
        wanted = f"{ring} {len(samples) % length} {crossings} {int(sides[-1])} {clipped}"
        assert board.exec(f"run({kernel!r}, {length}, {level}, {samples}, {cuts})").strip() == wanted
    return 60


@pytest.mark.parametrize("kernel", ["plain", "viper"])
def test_ring_kernels_equal_a_list(unix, kernel):
    assert check(unix, kernel) > 0


def test_ring_parity_with_a_mutated_level_fails(unix):
    unix.exec(PROGRAM)
    answers = {unix.exec(f"run('viper', 4, {level}, [4, 5, 4, 5, 6], [])") for level in (5, 6)}
    assert len(answers) == 2


def test_array_of_samples_is_two_bytes_each():
    assert array("h").itemsize == 2  # what the budget of snapshots counts on
