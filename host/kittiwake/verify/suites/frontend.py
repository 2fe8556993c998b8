"""Suite `frontend`: audio features from the kernels that the board runs, against the reference in plain integers."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from kittiwake.reference import frontend, wire
from kittiwake.verify.suites import signals
from kittiwake.verify.suites.registry import Suite, Vector, register

_FRAMES = 6


def sound(rng: random.Random, size: int) -> list[int]:
    """Make audio of a random kind: noise, tones, speech-like bursts, clipping, steps, impulses, silence."""
    kind = rng.randrange(9)
    loud = rng.choice((3, 60, 1000, 12000, 32767))
    hz = rng.uniform(60, 7900)
    vectors = []
    for i in range(size):
        turn = 2 * math.pi * hz * i / frontend.RATE_HZ
        if kind == 0:
            x = rng.gauss(0, loud / 2)
        elif kind == 1:
            x = loud * math.sin(turn)
        elif kind == 2:
            x = loud * math.sin(turn * (1 + i / size)) * math.exp(-(i % 1600) / 600) + rng.gauss(0, 5)
        elif kind == 3:
            x = rng.choice((-32768, 32767))
        elif kind == 4:
            x = 32767 if math.sin(turn / 8) > 0 else -32768
        elif kind == 5:
            x = -32768 if i % 397 == 240 else rng.randint(-2, 2)
        elif kind == 6:
            x = -32768 if loud > 1000 else loud
        elif kind == 7:
            x = loud * (math.sin(turn) + math.sin(turn * 1.31) + rng.gauss(0, 0.1)) / 2 * (i % 3200 < 1600)
        else:
            x = 0
        vectors.append(max(-32768, min(32767, round(x))))
    return vectors


def _vectors(rng: random.Random, count: int) -> Iterator[Vector]:
    for number in range(count):
        kernel = signals.KERNELS[number % len(signals.KERNELS)]
        # The definition takes a hundred times as long.
        frames = 2 if kernel == "plain" else _FRAMES
        samples = sound(rng, frontend.WINDOW + frontend.STEP * (frames - 1) + rng.randrange(160))
        outputs = frontend.Frontend().feed(list(samples))
        crc = wire.crc32(b"".join(f.to_bytes(2, "little") for features in outputs for f in features))
        piece = rng.choice((1, 17, 160, 333, len(samples)))
        expected = f"{len(outputs)} {crc:08x} {outputs[-1][:8]}"
        yield Vector(repr((kernel, piece, signals.text(samples))), expected, f"frontend {number}: {kernel}")


SUITE = register(Suite("frontend", "verify/signals", "frontend", _vectors, 90))
