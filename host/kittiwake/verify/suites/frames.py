"""Suite `frames`: frames as the board forms them, and streams of frames, text and garbage as it takes them apart."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kittiwake.reference import wire
from kittiwake.verify.suites.registry import Suite, Vector, register


def _vectors(rng: random.Random, count: int) -> Iterator[Vector]:
    special = b"\xc0\xdb\x03\xdc\xdd\xde\x00\xff"
    for number in range(count):
        kind = rng.randint(0, 255)
        size = rng.choice((1, 2, 64, rng.randint(1, 300)))
        alphabet = special if number % 3 == 0 else bytes(range(256))
        payload = bytes(rng.choice(alphabet) for _ in range(size))
        garbage = rng.choice((b"", b"boot: text\r\n", b"\xc0\xc0", rng.randbytes(rng.randint(1, 50))))
        whole = rng.randbytes(rng.randint(1, 40))
        data = wire.frame(kind, payload)
        # A whole frame, garbage, and half of another stand before the frame in question.
        before = wire.frame(7, whole) + garbage + data[: len(data) // 2]
        expected = [f"7:{len(whole)}:{wire.crc32(whole):08x}", f"{kind}:{size}:{wire.crc32(payload):08x}"]
        argument = repr((kind, payload, before, rng.choice((1, 7, 64))))
        yield Vector(argument, f"{data.hex()} {','.join(expected)}", f"frame {number}")


SUITE = register(Suite("frames", "verify/frames", "frames", _vectors, 300))
