"""Operators on int16 activations that look at one number, or one row, at a time: changes of scale, curves, SOFTMAX.

Every function adds the steps of one operator: work is the Lowering, op the operator, name what to call its steps. Where
a table of every input would do for bytes, kernels compute here.
"""

from __future__ import annotations

import struct

from kittiwake.model.lower import descriptors, fixed, halfword_tables, halfwords, recurrent, staging
from kittiwake.model.lower.context import Ends, Lowering
from kittiwake.model.lower.steps import Data, Step, Word, ref
from kittiwake.model.read.graph import Operator
from kittiwake.model.read.halfword_rules import EXPONENT_STEP

_SAME = (1 << 30, 1)  # multiplier and shift that leave a number as it is
_MANTISSA_BITS = 23  # of a float, without the first


def relu(work: Lowering, op: Operator, name: str) -> None:
    """Lower a RELU."""
    ends = work.ends(op)
    factor = fixed.quantize_multiplier(ends.source.scale / ends.result.scale)
    _rescale(work, ends, factor, factor, (0, halfwords.HIGH), name)


def relu6(work: Lowering, op: Operator, name: str) -> None:
    """Lower a RELU6, which leaves the input's scale as it is."""
    ends = work.ends(op)
    bounds = fixed.activation_range("relu6", ends.source.scale, 0, (halfwords.LOW, halfwords.HIGH))
    _rescale(work, ends, _SAME, _SAME, bounds, name)


def leaky_relu(work: Lowering, op: Operator, name: str) -> None:
    """Lower a LEAKY_RELU: one multiplier on either side of zero."""
    ends = work.ends(op)
    source, result = ends.source, ends.result
    above = fixed.quantize_multiplier(source.scale / result.scale)
    below = fixed.quantize_multiplier(source.scale * op.options["alpha"] / result.scale)
    _rescale(work, ends, above, below, (halfwords.LOW, halfwords.HIGH), name)


def quantize(work: Lowering, op: Operator, name: str) -> None:
    """Lower a QUANTIZE from or to int16."""
    ends = work.ends(op)
    if ends.source.type == "float32":
        _of_floats(work, ends, "quantise16", ends.result.scale, name)
        return
    factor = fixed.quantize_multiplier(ends.source.scale / ends.result.scale)
    bounds = (halfwords.LOW, halfwords.HIGH) if ends.result.type == "int16" else (-128, 127)
    _rescale(work, ends, factor, factor, bounds, name)


def dequantize(work: Lowering, op: Operator, name: str) -> None:
    """Lower a DEQUANTIZE of int16 to floats of single precision."""
    ends = work.ends(op)
    _of_floats(work, ends, "widen16", ends.source.scale, name)


def logistic(work: Lowering, op: Operator, name: str) -> None:
    """Lower a LOGISTIC."""
    _curve(work, op, name, is_tanh=False)


def tanh(work: Lowering, op: Operator, name: str) -> None:
    """Lower a TANH."""
    _curve(work, op, name, is_tanh=True)


def softmax(work: Lowering, op: Operator, name: str) -> None:
    """Lower a SOFTMAX over the last dimension."""
    ends = work.ends(op)
    flat, packed = work.contiguous(ends.input, name), work.contiguous_home(ends.output)
    elements, classes = ends.source.elements, ends.source.shape[-1]
    m, shift = fixed.quantize_multiplier(op.options["beta"] * ends.source.scale / EXPONENT_STEP)
    words = descriptors.words(
        "softmax16",
        input=ref(flat),
        output=ref(packed),
        rows=elements // classes,
        classes=classes,
        exponentials=Data(halfword_tables.exponentials()),
        reciprocals=Data(halfword_tables.reciprocals()),
        m=m,
        right=max(-shift, 0),
        left=max(shift, 0),
    )
    work.steps.append(Step("softmax16", words, [flat.buffer], [packed.buffer], name, outputs=elements))
    work.copy(packed, ends.output, name)


def _rescale(
    work: Lowering,
    ends: Ends,
    above: tuple[int, int],
    below: tuple[int, int],
    bounds: tuple[int, int],
    name: str,
) -> None:
    """Add the step that multiplies: (m, shift) of what is not below zero, and of what is."""
    flat, packed = work.contiguous(ends.input, name), work.contiguous_home(ends.output)
    words = descriptors.words(
        "rescale16",
        input=ref(flat),
        output=ref(packed),
        count=flat.elements,
        in_width=flat.width,
        out_width=packed.width,
        zero=ends.source.zero_point + halfwords.OFFSET,
        m=above[0],
        right=max(-above[1], 0),
        left=max(above[1], 0),
        below_m=below[0],
        below_right=max(-below[1], 0),
        below_left=max(below[1], 0),
        out_zero=ends.result.zero_point + halfwords.OFFSET,
        **halfwords.limits(*bounds),
    )
    step = Step("rescale16", words, [flat.buffer], [packed.buffer], name, outputs=flat.elements)
    if flat.width == packed.width:
        step.joins = staging.joint(flat, packed)
    work.steps.append(step)
    work.copy(packed, ends.output, name)


def _curve(work: Lowering, op: Operator, name: str, is_tanh: bool) -> None:
    ends = work.ends(op)
    flat, packed = work.contiguous(ends.input, name), work.contiguous_home(ends.output)
    m, right = halfword_tables.pace(ends.source.scale, is_tanh)
    words = descriptors.words(
        "curve16",
        input=ref(flat),
        output=ref(packed),
        count=flat.elements,
        curve=Data(recurrent.curve()),
        m=m,
        right=right,
        is_tanh=int(is_tanh),
    )
    step = Step("curve16", words, [flat.buffer], [packed.buffer], name, outputs=flat.elements)
    step.joins = staging.joint(flat, packed)
    work.steps.append(step)
    work.copy(packed, ends.output, name)


def _of_floats(work: Lowering, ends: Ends, kind: str, scale: float, name: str) -> None:
    """Add the step between floats and halfwords, by the bits of the scale's own float."""
    flat, packed = work.contiguous(ends.input, name), work.contiguous_home(ends.output)
    (bits,) = struct.unpack("<I", struct.pack("<f", scale))
    mantissa: Word = (bits & (1 << _MANTISSA_BITS) - 1) + (1 << _MANTISSA_BITS)
    exponent = bits >> _MANTISSA_BITS
    count = flat.elements
    words = descriptors.words(
        kind, input=ref(flat), output=ref(packed), count=count, mantissa=mantissa, exponent=exponent
    )
    work.steps.append(Step(kind, words, [flat.buffer], [packed.buffer], name, outputs=count))
    work.copy(packed, ends.output, name)
