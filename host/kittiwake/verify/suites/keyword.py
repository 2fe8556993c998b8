"""Suite `keyword`: features to int8 by each kernel, and outputs to decisions, against rational arithmetic.

Knows how to make features and outputs; whole networks are the suite `model`'s and `kittiwake model check`'s.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from fractions import Fraction

from kittiwake.reference import keyword
from kittiwake.verify.suites.registry import Suite, Vector, register


def _features(rng: random.Random, number: int) -> tuple[str, str, str]:
    kernel = ("plain", "viper")[number // 2 % 2]
    # The scale that microWakeWord's models have, powers of two (where ties are many), and any other.
    shape = rng.randrange(3)
    scale = 0.10196078568696976 if shape == 0 else 2.0 ** -rng.randint(1, 6) if shape == 1 else rng.uniform(0.01, 1.5)
    bits = struct.unpack("<I", struct.pack("<f", scale))[0]
    zero = -128 if shape == 0 else rng.randint(-128, 127)
    stride = rng.randint(1, 4)
    values = [rng.choice((0, 670, rng.randrange(671))) for _ in range(40 * stride)]
    expected = bytes(keyword.quantised(v, bits, zero) & 255 for v in values)
    about = f"{kernel}, scale {scale:.6g}, zero point {zero}, {stride} frames"
    return repr(("features", kernel, bits, zero, stride, values)), expected.hex(), about


def _decisions(rng: random.Random) -> tuple[str, str, str]:
    window, stride, flip = rng.choice((1, 2, 5, 10)), rng.choice((1, 2, 3)), rng.choice((0, 0x80))
    limit = rng.randrange(256 * window) if rng.random() < 0.3 else rng.randrange(150 * window, 240 * window)
    silent_ms = rng.choice((0, 30, 100, 500))
    outputs: list[int] = []
    while len(outputs) < 60:
        level = rng.choice((0, 255, rng.randrange(256)))
        outputs += [max(0, min(255, level + rng.randint(-9, 9))) for _ in range(rng.randint(1, 12))]
    decisions = keyword.decisions(outputs, window, Fraction(limit, 256 * window), -(-silent_ms // (10 * stride)))
    expected = " ".join(f"{mean * 256 * window}{'!' if heard else ''}" for mean, heard in decisions)
    argument = ("decide", window, limit, stride, flip, silent_ms, bytes(v ^ flip for v in outputs))
    return repr(argument), expected, f"window {window}, limit {limit}, silence {silent_ms} ms"


def vectors(rng: random.Random, count: int) -> Iterator[Vector]:
    """Features and outputs in turn."""
    for number in range(count):
        argument, expected, about = _features(rng, number) if number % 2 == 0 else _decisions(rng)
        yield Vector(argument, expected, f"keyword {number}: {about}")


SUITE = register(Suite("keyword", "verify/keyword", "keyword", vectors, 80))
