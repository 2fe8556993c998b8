"""The ring buffer beside Python's own deque, which knows nothing of it."""

import random
from collections import deque

import pytest

pytestmark = pytest.mark.board(needs=["viper"])


def model(size, steps):
    items, results = deque(), []
    for value in steps:
        if value < 0:
            results.append(items.popleft() if items else -1)
        elif len(items) == size:
            results.append(False)
        else:
            items.append(value)
            results.append(True)
    return results, len(items)


@pytest.mark.parametrize("seed", range(3))
def test_ring_does_what_a_deque_does(ready, seed):
    dice = random.Random(seed)
    steps = [dice.choice([-1, dice.randrange(65536)]) for _ in range(120)]
    ready.exec(f"from ring import Ring\nring = Ring(8)\nsteps = {steps}")
    done = ready.eval("[ring.pop() if value < 0 else ring.push(value) for value in steps], len(ring)")
    assert done == model(8, steps)


def test_ring_leaves_no_memory_behind(ready):
    ready.exec("from ring import Ring\nring = Ring(64)\ndef turn():\n    ring.push(1)\n    ring.pop()\nturn()")
    with ready.steady_heap():
        ready.exec("for _ in range(500): turn()")


def test_ring_of_another_size_is_refused(ready):
    with pytest.raises(Exception, match="power of two"):
        ready.exec("from ring import Ring\nRing(12)")


@pytest.mark.board(needs=["instructions"])
def test_ring_costs(ready, figures):
    ready.exec("from ring import Ring\nring = Ring(64)")
    figures["push"] = ready.instructions("ring.push(1)")
    figures["pop"] = ready.instructions("ring.pop()")
    assert figures["push"] == ready.instructions("ring.push(1)")
