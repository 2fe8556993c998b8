"""Suite `zscore`: indexes and exact sums of alerts, from the kernels that the board runs, against the reference."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from fractions import Fraction

from kittiwake.reference import wire, zscore
from kittiwake.suites import Suite, Vector, register

# The first alerts are printed, all of them summed up in a CRC-32: a console is slow, and strings kept until the end
# would leave a small heap in splinters.
_SHOWN = 4
_BOARD = (
    """
import binascii as _binascii, sys as _sys
from array import array as _array
from kittiwake_node import kernels as _kernels
from kittiwake_node.core.zscore import ZScore as _ZScore
_family = getattr(_sys.implementation, '_mpy', 0) >> 10 & 15
_assembler = 'thumb2' if 5 <= _family <= 8 else 'rv32' if _family == 11 else 'viper'
def answer(a):
    kernel, n, p, q, piece, raw = a
    z = _ZScore(_kernels.load(_assembler if kernel == 'assembler' else kernel), n=n, p=p, q=q)
    samples = _array('h', raw)
    at = count = crc = 0
    while at < len(samples):
        stop = min(at + piece, len(samples))
        while at < stop:
            at = z.find(samples, at, stop)
            if at < stop:
                text = '%d:%d:%d ' % (at, z.sum, z.sum_sq)
                if count < """
    + f"{_SHOWN}"
    + """:
                    print(text, end='')
                crc = _binascii.crc32(text.encode(), crc)
                count += 1
                at += 1
    print('%d of %d %08x' % (count, len(samples), crc))
"""
)

_SETTINGS = ((20, Fraction(5, 2)), (256, Fraction(11, 2)), (64, Fraction(3)), (9, Fraction(5, 2)), (3, Fraction(1)))
_LOW, _HIGH = -32768, 32767


def _signal(rng: random.Random, size: int) -> list[int]:
    shape = rng.randrange(6)
    if shape == 0:
        return [rng.randint(_LOW, _HIGH) for _ in range(size)]
    if shape == 1:
        period = rng.randint(2, 60)
        return [_LOW if i // period % 2 else _HIGH for i in range(size)]
    if shape == 2:
        level = rng.choice((_LOW, 0, _HIGH - 1))
        return [level + (rng.random() < 0.02) for _ in range(size)]
    if shape == 3:
        # Nineteen alike and one apart: |z| = (n - 1)/sqrt(n) exactly, again and again.
        return [rng.choice((0, 1)) * 1000 if i % 20 == 19 else 7 for i in range(size)]
    centre, width = rng.randint(-20000, 20000), rng.choice((1, 3, 300))
    noise = [round(rng.gauss(centre, width)) for _ in range(size)]
    for i in range(0, size, rng.randint(40, 200)):
        noise[i] = rng.choice((_LOW, _HIGH, centre + 9 * width))
    return [max(_LOW, min(_HIGH, x)) for x in noise]


def vectors_for(kernels: tuple[str, ...]):
    """Vectors of the suite for the named kernels, each vector for one of them in turn.

    "assembler" is the board's own: thumb2, rv32, or viper where there is none.
    """

    def vectors(rng: random.Random, count: int) -> Iterator[Vector]:
        for number in range(count):
            kernel = kernels[number % len(kernels)]
            n, t = _SETTINGS[number // len(kernels) % len(_SETTINGS)]
            samples = array("h", _signal(rng, 600))
            seen = [f"{a.index}:{a.sum}:{a.sum_sq} " for a in zscore.alerts(samples, n, t)]
            crc = wire.crc32("".join(seen).encode())
            expected = f"{''.join(seen[:_SHOWN])}{len(seen)} of {len(samples)} {crc:08x}"
            argument = (kernel, n, t.numerator, t.denominator, rng.choice((1, 17, 600)), samples.tobytes())
            yield Vector(repr(argument), expected, f"zscore {number}: {kernel}, n {n}, t {t}")

    return vectors


SUITE = register(Suite("zscore", _BOARD, vectors_for(("plain", "viper", "assembler")), 120))
