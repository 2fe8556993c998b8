"""Does a target give TFLite Micro's bytes for this model? Inputs that try it, and the comparison.

Knows bytes and two places that turn inputs into outputs; neither how they do it nor how it is printed.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.model.read.ends import End, join
from kittiwake.model.read.graph import Graph

_LOW, _HIGH = 0x80, 0x7F


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    Attributes:
        invokes: how many were compared.
        mismatches: how many gave other bytes.
        first: of the first of them: invoke, byte, expected, got; None when there is none.
    """

    invokes: int
    mismatches: int
    first: dict[str, int | str] | None


def inputs(size: int, count: int, seed: int = 1) -> list[bytes]:
    """Make inputs: the extremes, uniform bytes, values at both ends, slow walks as features make them.

    Args:
        size: bytes of one.
        count: how many.
        seed: the same gives the same.

    Returns:
        Them, in the order to be run.
    """
    chance = random.Random(seed)
    rows = [bytes([_LOW]) * size, bytes([_HIGH]) * size, bytes(size)]
    walk = [chance.randint(-128, 127) for _ in range(size)]
    while len(rows) < count:
        shape = chance.randrange(5)
        if shape == 0:
            rows.append(bytes(chance.choice((_LOW, _HIGH)) for _ in range(size)))
        elif shape < 3:
            rows.append(chance.randbytes(size))
        else:
            walk = [max(-128, min(127, x + chance.randint(-9, 9))) for x in walk]
            rows.append(bytes(x & 0xFF for x in walk))
    return rows[:count]


def inputs_of(ends: Sequence[End], graph: Graph, count: int, seed: int = 1) -> list[bytes]:
    """Make inputs for all of a model's ends; those in floats lie about the steps that their QUANTIZE has.

    Args:
        ends: the model's inputs.
        graph: the model.
        count: how many.
        seed: the same gives the same.

    Returns:
        Them, each joined.
    """
    chance = random.Random(seed)
    rows = []
    for number, end in enumerate(ends):
        made = inputs(end.tensor.elements, count, seed + number)
        if end.tensor.type == "float32":
            scale, zero = _step(graph, end.tensor.index)
            made = [_floats(row, scale, zero, chance) for row in made]
        if end.tensor.type == "int16":
            made = [_halves(row, chance) for row in made]
        rows.append(made)
    return [join(parts, ends) for parts in zip(*rows, strict=True)]


def _halves(row: bytes, chance: random.Random) -> bytes:
    """Halfwords whose upper bytes are these, at both ends of their range where these are."""
    lower = {_LOW: 0, _HIGH: 0xFF}
    return bytes(byte for x in row for byte in (lower.get(x, chance.randrange(256)), x))


def _step(graph: Graph, index: int) -> tuple[float, int]:
    for op in graph.main.operators:
        if op.kind == "QUANTIZE" and op.inputs[0] == index:
            target = graph.main.tensors[op.outputs[0]]
            return target.scale, target.zero_point
    return 1.0, 0


def _floats(row: bytes, scale: float, zero: int, chance: random.Random) -> bytes:
    shares = [chance.choice((0, 0.5, -0.5, chance.uniform(-0.6, 0.6), chance.uniform(-90, 90))) for _ in row]
    values = [((x ^ 128) - 128 - zero + share) * scale for x, share in zip(row, shares, strict=True)]
    return struct.pack(f"<{len(values)}f", *values)


def compare(outputs: Sequence[bytes], expected: Sequence[bytes]) -> Comparison:
    """Compare outputs byte by byte; a run over nothing is a mismatch, not a pass.

    Args:
        outputs: outputs of the target.
        expected: those of the reference.

    Returns:
        The comparison.
    """
    first: dict[str, int | str] | None = None
    wrong = abs(len(outputs) - len(expected))
    for number, (a, b) in enumerate(zip(outputs, expected, strict=False)):
        if a == b:
            continue
        wrong += 1
        if first is None:
            at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            first = {"invoke": number, "byte": at, "expected": b[at : at + 8].hex(), "got": a[at : at + 8].hex()}
    if not expected:
        wrong, first = 1, {"invoke": 0, "byte": 0, "expected": "an output", "got": "none"}
    return Comparison(len(expected), wrong, first)
