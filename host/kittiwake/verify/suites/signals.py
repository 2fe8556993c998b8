"""What suites of detectors share: signals that hurt, and answers summed up as board_code's verify/signals does.

A board prints its first detections and the CRC-32 of them all: a console is slow, and strings kept until the end would
leave a small heap in splinters.
"""

from __future__ import annotations

import random
from array import array
from base64 import b64encode
from collections.abc import Iterable

from kittiwake.reference import wire

SHOWN = 4  # detections that are printed one by one
# "assembler" is the board's own kernel: thumb2, rv32, xtensa, or viper where there is none.
KERNELS = ("plain", "viper", "assembler")


def answer(texts: Iterable[str], count: int) -> str:
    """What `_feed` prints for detections told so, in a series of `count` samples; a blank is at its end."""
    lines = list(texts)
    return f"{''.join(lines[:SHOWN])}{len(lines)} of {count} {wire.crc32(''.join(lines).encode()):08x} "


def text(samples: list[int], bits: int = 16) -> str:
    """Write samples as the board's `_samples` reads them: a third of what a literal would take on the console."""
    return b64encode(array("h" if bits <= 16 else "i", samples).tobytes()).decode()


def piece(rng: random.Random, size: int) -> int:
    """Samples a call: one, a few, or all."""
    return rng.choice((1, 17, size))


def signal(rng: random.Random, size: int, bits: int = 16) -> list[int]:
    """Form one signal of a random shape, in the whole range of the type.

    Args:
        rng: source of chance.
        size: samples.
        bits: of a sample.
    """
    high = (1 << (bits - 1)) - 1
    low = -1 - high
    shape = rng.randrange(6)
    if shape == 0:
        return [rng.randint(low, high) for _ in range(size)]
    if shape == 1:
        period = rng.randint(2, 60)
        return [low if i // period % 2 else high for i in range(size)]
    if shape == 2:
        level = rng.choice((low, 0, high - 1))
        return [level + (rng.random() < 0.02) for _ in range(size)]
    if shape == 3:
        # Nineteen alike and one apart: |z| = (n - 1)/sqrt(n) exactly, again and again.
        return [rng.choice((0, 1)) * 1000 if i % 20 == 19 else 7 for i in range(size)]
    centre, width = rng.randint(low * 5 // 8, high * 5 // 8), rng.choice((1, 3, 300))
    noise = [round(rng.gauss(centre, width)) for _ in range(size)]
    for i in range(0, size, rng.randint(40, 200)):
        noise[i] = rng.choice((low, high, centre + 9 * width))
    return [max(low, min(high, x)) for x in noise]


def steps(rng: random.Random, size: int) -> list[int]:
    """Form a signal that stays at a level for a while, then at another: what drift and novelty are for."""
    width = rng.choice((0.4, 5, 200))
    span = rng.choice((30, 900, 32767))
    level = out_of = 0
    out = []
    for _ in range(size):
        if out_of == 0:
            out_of = rng.randint(20, 200)
            level = rng.randint(-span, span)
        out_of -= 1
        out.append(max(-32768, min(32767, round(rng.gauss(level, width)))))
    return out
