"""Suite `states`: blocks of samples to int8 by each kernel, outputs to changes of state, against rational arithmetic.

Knows how to make samples and outputs; whole networks are the suite `model`'s and `kittiwake model check`'s.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from kittiwake.reference import states
from kittiwake.verify.suites.registry import Suite, Vector, register


def _samples(rng: random.Random, count: int) -> list[int]:
    """Noise on a level, or what is worst: the ends of the range."""
    if rng.random() < 0.2:
        return [rng.choice((-32768, 32767)) for _ in range(count)]
    level, spread = rng.randint(-32768, 32767), rng.choice((0, 1, 40, 9000))
    return [max(-32768, min(32767, level + rng.randint(-spread, spread))) for _ in range(count)]


def _outputs(rng: random.Random, count: int, kinds: int) -> list[list[int]]:
    """One state for a while, then another; ties and near ones among them."""
    rows: list[list[int]] = []
    while len(rows) < count:
        levels = [rng.choice((-128, -100, 0, 90, 127)) for _ in range(kinds)]
        for _ in range(rng.randint(1, 7)):
            rows.append([max(-128, min(127, level + rng.choice((0, 0, -9, 9)))) for level in levels])
    return rows[:count]


def vectors(rng: random.Random, count: int) -> Iterator[Vector]:
    """Some blocks of samples each, by each kernel in turn."""
    for number in range(count):
        kernel = ("plain", "viper", "assembler")[number % 3]
        size, blocks, margin = rng.randint(2, 24), rng.randint(1, 4), rng.choice((0, 1, 26, 120, 255))
        multiplier, shift, zero = rng.randrange(1, 8192), rng.randint(1, 22), rng.choice((-128, -1, 0, 5, 127))
        rows = _outputs(rng, rng.randint(4, 24), rng.randint(2, 5))
        samples = [x for _ in rows for x in _samples(rng, size)]
        pieces: list[int] = []
        while sum(pieces) < len(samples):
            pieces.append(min(len(samples) - sum(pieces), rng.randint(1, 3 * size)))
        factor = Fraction(multiplier, 1 << shift)
        inputs = [states.quantised(samples[i : i + size], factor, zero) for i in range(0, len(samples), size)]
        told, before = [], 0
        for place, state, score, held in states.changes(rows, blocks, margin):
            index = size * (place + 1)
            previous, lasted = ("", 0) if held is None else (f"s{held}", index - before)
            told.append(f"{previous}>s{state} {score} {index} {lasted}")
            before = index
        given = [bytes(v & 255 for v in row) for row in rows]
        argument = (kernel, size, multiplier, shift, zero, blocks, margin, pieces, samples, given)
        expected = f"{bytes(v & 255 for row in inputs for v in row).hex()} {'; '.join(told)}"
        about = f"{kernel}, {len(rows)} blocks of {size}, x {multiplier}/2^{shift}, {blocks} in a row by {margin}"
        yield Vector(repr(argument), expected, f"states {number}: {about}")


SUITE = register(Suite("states", "verify/states", "states", vectors, 60))
