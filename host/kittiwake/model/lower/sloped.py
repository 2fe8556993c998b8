"""PRELU: a slope of its own for each element below zero, by the kernels of MUL, ADD and tables.

One part is what lies below zero, times the slopes; the other what lies above, scaled. Each gives the zero point where
the other has its say, so that their sum is the operator, byte for byte.
"""

from __future__ import annotations

import struct

from kittiwake.model.lower import fixed, pairwise, staging, tables
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import Data, View, Word
from kittiwake.model.read.graph import Operator

_HALF = 1 << 30  # as a multiplier: leaves the half


def prelu(work: Lowering, op: Operator, name: str) -> None:
    """Lower a PRELU.

    Args:
        work: the Lowering; gets the steps.
        op: the operator.
        name: what to call its steps.
    """
    ends = work.ends(op)
    slopes = work.tensor(op.inputs[1])
    zero, out_zero = ends.source.zero_point, ends.result.zero_point
    factor = fixed.quantize_multiplier(ends.source.scale * slopes.scale / ends.result.scale)
    above = tables.requantize(ends.source.scale, zero, ends.result.scale, out_zero, -128, 127)
    if len(set(slopes.content)) == 1:
        slope = staging.signed(slopes.content)[0] - slopes.zero_point

        def one(x: int) -> int:
            if x >= zero:
                return tables.signed(above[x & 0xFF])
            return fixed.clamp8(fixed.multiply((x - zero) * slope, *factor) + out_zero)

        staging.map_bytes(work, ends.input, ends.output, tables.of_bytes(one), name)
        return
    low, high, result = (View.fresh(ends.input.shape) for _ in range(3))
    staging.map_bytes(work, ends.input, low, tables.of_bytes(lambda x: min(x, zero)), name)
    m, shift = factor
    products: dict[str, Word] = {"m": m, "right": max(-shift, 0), "left": max(shift, 0), "zero": out_zero + 128}
    zeros = {"a_zero": zero + 128, "b_zero": slopes.zero_point + 128}
    spread = work.read(slopes.index).spread_over(ends.input.shape)
    pairwise.binary_step(work, op, "mul", (low, spread), high, {**zeros, **products}, name)
    positive = tables.of_bytes(lambda x: tables.signed(above[max(x, zero) & 0xFF]))
    staging.map_bytes(work, ends.input, low, positive, name)
    terms = Data(struct.pack("<256i", *(2 * (tables.signed(byte) - out_zero) for byte in range(256))))
    sums: dict[str, Word] = {
        "a_terms": terms,
        "b_terms": terms,
        "m": _HALF,
        "right": 0,
        "left": 0,
        "zero": out_zero + 128,
    }
    pairwise.binary_step(work, op, "add", (low, high), result, sums, name)
    work.copy(result, ends.output, name)
