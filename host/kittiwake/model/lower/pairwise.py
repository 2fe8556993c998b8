"""Operators on two arrays, broadcast over each other: sums, differences and products.

Every function but the last adds the steps of one operator: work is the Lowering, op an operator on bytes, name what to
call its steps.
"""

from __future__ import annotations

from collections.abc import Mapping

from kittiwake.model.lower import descriptors, fixed, halfwords, staging, tables
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import Data, Step, View, Word, ref
from kittiwake.model.read.graph import Operator, Tensor


def add(work: Lowering, op: Operator, name: str) -> None:
    """Lower an ADD: each input's share of the sum is looked up by its byte."""
    _sum(work, op, 1, name)


def subtract(work: Lowering, op: Operator, name: str) -> None:
    """Lower a SUB: an ADD whose second input has the other sign."""
    _sum(work, op, -1, name)


def multiply(work: Lowering, op: Operator, name: str) -> None:
    """Lower a MUL."""
    first, second, result = _operands(work, op)
    m, shift = fixed.quantize_multiplier(first.scale * second.scale / result.scale)
    if result.type == "int16":
        _binary(work, op, "mul16", name, {"m": m, "right": -shift})
        return
    zeros = {"a_zero": first.zero_point + 128, "b_zero": second.zero_point + 128}
    _binary(work, op, "mul", name, {**zeros, "m": m, "right": max(-shift, 0), "left": max(shift, 0)})


def _sum(work: Lowering, op: Operator, sign: int, name: str) -> None:
    first, second, result = _operands(work, op)
    twice = 2 * max(first.scale, second.scale)
    factors = [fixed.quantize_multiplier(t.scale / twice) for t in (first, second)]
    bits = 15 if result.type == "int16" else 20  # both inputs are shifted to the left by so many
    m, shift = fixed.quantize_multiplier(twice / ((1 << bits) * result.scale))
    if result.type == "int16":
        # The one of the larger scale, whose factor is a half, comes first.
        is_turned = first.scale < second.scale
        smaller = factors[0 if is_turned else 1]
        signs = (int(sign < 0 and is_turned), int(sign < 0 and not is_turned))
        arithmetic: dict[str, Word] = {"a_negative": signs[0], "b_negative": signs[1]}
        arithmetic |= {"b_m": smaller[0], "b_right": -smaller[1], "m": m, "right": -shift}
        _binary(work, op, "add16", name, arithmetic, is_turned)
        return
    terms = [
        Data(tables.scaled_terms(tensor.zero_point, *each, sign=way))
        for tensor, each, way in zip((first, second), factors, (1, sign), strict=True)
    ]
    _binary(work, op, "add", name, {"a_terms": terms[0], "b_terms": terms[1], "m": m, "right": -shift, "left": 0})


def _operands(work: Lowering, op: Operator) -> tuple[Tensor, Tensor, Tensor]:
    return work.tensor(op.inputs[0]), work.tensor(op.inputs[1]), work.tensor(op.outputs[0])


def _binary(
    work: Lowering, op: Operator, kind: str, name: str, arithmetic: Mapping[str, Word], is_turned: bool = False
) -> None:
    first, second, result = _operands(work, op)
    if is_turned:
        first, second = second, first
    view = work.home(result.index)
    packed = work.contiguous_home(view)
    spread = [work.read(t.index).spread_over(result.shape) for t in (first, second)]
    range_: dict[str, Word] = {"zero": result.zero_point + 128}
    if result.type == "int16":
        range_ = halfwords.limits(*staging.activation_range(op, result))
    binary_step(work, op, kind, (spread[0], spread[1]), packed, {**arithmetic, **range_}, name)
    work.copy(packed, view, name)
    staging.clamp(work, op, result, view, name)


def binary_step(
    work: Lowering,
    op: Operator,
    kind: str,
    operands: tuple[View, View],
    output: View,
    arithmetic: Mapping[str, Word],
    name: str,
) -> None:
    """Add the step of two arrays of one shape.

    Args:
        work: the Lowering; refuses the operator where they are too scattered.
        op: whose step it is.
        kind: "add", "mul", "add16" or "mul16".
        operands: both arrays; what is broadcast has strides of 0.
        output: of the same shape, side by side.
        arithmetic: the words of the kernel's kind.
        name: what to call the step.
    """
    a, b = operands
    folded = a.folded(4, b)
    if folded is None:
        work.refuse(op, "broadcasts over more dimensions than four")
        return
    words = descriptors.words(
        kind,
        a=ref(a),
        b=ref(b),
        output=ref(output),
        sizes=folded[0],
        a_strides=folded[1],
        b_strides=folded[2],
        **arithmetic,
    )
    step = Step(kind, words, [a.buffer, b.buffer], [output.buffer], name, outputs=output.elements)
    step.joins = staging.joint(a, output) or staging.joint(b, output)
    work.steps.append(step)
