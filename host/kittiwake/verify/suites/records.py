"""Suite `records`: records as the board forms them and reads them back, against the reference's bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kittiwake.reference import wire
from kittiwake.verify.suites.registry import Suite, Vector, register

_TOP = {1: 0xFF, 2: 0xFFFF, 4: 0xFFFFFFFF, 6: 0xFFFFFFFFFFFF}


def _vectors(rng: random.Random, count: int) -> Iterator[Vector]:
    for number in range(count):

        def any_of(size: int) -> int:
            return rng.choice((0, 1, _TOP[size] >> 1, _TOP[size], rng.randint(0, _TOP[size])))

        seq = min(any_of(4), _TOP[4] - 1)  # the last number is never drawn
        fields = (any_of(1), any_of(1), rng.randint(0, 2), any_of(2), seq, any_of(4), any_of(6), any_of(6))
        payload = rng.randbytes(rng.choice((0, 1, 40, rng.randint(0, 300))))
        expected = wire.record(*fields, payload)
        yield Vector(repr((*fields, payload)), f"{expected.hex()} {len(expected)} True", f"record {number}")


SUITE = register(Suite("records", "verify/records", "records", _vectors, 400))
