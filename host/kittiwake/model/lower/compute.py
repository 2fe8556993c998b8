"""Operators with arithmetic and without weights: from tensors to a kernel's descriptor.

Every function adds the steps of one operator: work is the Lowering, op an operator on bytes, name what to call its
steps. Where buffers lie and how a stream is laid out is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kittiwake.model.lower import descriptors, fixed, halfwords, margins, staging, tables
from kittiwake.model.lower.context import Ends, Lowering
from kittiwake.model.lower.steps import Data, Step, View, ref
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator

_SUM_OFFSET = 1 << 29
_BYTE = (-128, 127)


def pool(work: Lowering, op: Operator, name: str) -> None:
    """Lower an AVERAGE_POOL_2D or MAX_POOL_2D."""
    ends = work.ends(op)
    filter_, stride = op.options["filter"], op.options["stride"]
    sides = shapes.sides(op, ends.input.shape, filter_)
    pixels = staging.pixels(work, ends.input, name)
    kind, arithmetic = "average" if op.kind == "AVERAGE_POOL_2D" else "largest", {}
    if ends.result.type == "int16":
        low, high = staging.activation_range(op, ends.result)
        kind, arithmetic = "pool16", {"averages": int(kind == "average"), **halfwords.limits(low, high)}
    for n in range(ends.input.shape[0]):
        a, b = pixels.slice(0, n, 1), ends.output.slice(0, n, 1)
        words = descriptors.words(
            kind,
            input=ref(a),
            output=ref(b),
            channels=a.shape[3],
            rows=b.shape[1],
            cols=b.shape[2],
            height=a.shape[1],
            width=a.shape[2],
            filter_height=filter_[0],
            filter_width=filter_[1],
            stride_down=stride[0],
            stride_across=stride[1],
            pad_above=sides[0].before,
            pad_left=sides[1].before,
            in_row=a.strides[1],
            in_col=a.strides[2],
            out_row=b.strides[1],
            out_col=b.strides[2],
            **arithmetic,
        )
        macs = b.elements * filter_[0] * filter_[1]
        work.steps.append(Step(kind, words, [a.buffer], [b.buffer], name, macs=macs, outputs=b.elements))
    staging.clamp(work, op, ends.result, ends.output, name)


def mean(work: Lowering, op: Operator, name: str) -> None:
    """Lower a MEAN."""
    ends = work.ends(op)
    view = ends.input
    axes = shapes.joined_axes(work.graph.main, op)
    kept, joined = _folded(view, [i for i in range(len(view.shape)) if i not in axes]), _folded(view, axes)
    if kept is None or joined is None:
        work.refuse(op, "joins axes too scattered")
        return
    count = math.prod(view.shape[i] for i in axes)
    m, shift = fixed.quantize_multiplier(ends.source.scale / ends.result.scale)
    spread = min(count.bit_length() - 1, 32, 31 + shift)
    m, shift = (m << spread) // count, shift - spread
    bias = -ends.source.zero_point * count
    is_bytes = ends.source.is_bytes
    if (255 if is_bytes else halfwords.OFFSET) * count << max(shift, 0) >= 1 << 30:
        work.refuse(op, "its sums reach 2^30")
        return
    kind, zeros = "mean16", {}
    if is_bytes:
        kind, zeros = "mean", {"zero": ends.result.zero_point + 128, "bias": bias + _SUM_OFFSET}
    packed = work.contiguous_home(ends.output)
    words = descriptors.words(
        kind,
        input=ref(view),
        output=ref(packed),
        kept_sizes=kept[0],
        kept_strides=kept[1],
        joined_sizes=joined[0],
        joined_strides=joined[1],
        m=m,
        right=max(-shift, 0),
        left=max(shift, 0),
        **zeros,
    )
    outputs = ends.output.elements
    step = Step(kind, words, [view.buffer], [packed.buffer], name, macs=outputs * count, outputs=outputs)
    work.steps.append(step)
    work.copy(packed, ends.output, name)


def pad(work: Lowering, op: Operator, name: str) -> None:
    """Lower a PAD or PADV2."""
    ends = work.ends(op)
    margin = margins.around(work, op)
    if margin is None:
        raise ValueError(f"{op}: without paddings")
    whole = work.padded.get(ends.source.index)
    if whole is None:
        whole = staging.surrounded(work, ends.input, margin.pads, margin.value, name, ends.output)
        work.copy(whole, ends.output, name)
    else:
        work.views[ends.result.index] = whole


def relu(work: Lowering, op: Operator, name: str) -> None:
    """Lower a RELU."""
    ends = work.ends(op)
    _map(work, ends, _requantized(ends, max(-128, ends.result.zero_point), 127), name)


def relu6(work: Lowering, op: Operator, name: str) -> None:
    """Lower a RELU6."""
    ends = work.ends(op)
    low, high = fixed.activation_range("relu6", ends.source.scale, ends.source.zero_point)
    _map(work, ends, tables.clamp(low, high), name)


def logistic(work: Lowering, op: Operator, name: str) -> None:
    """Lower a LOGISTIC."""
    ends = work.ends(op)
    _map(work, ends, tables.logistic(ends.source.scale, ends.source.zero_point), name)


def tanh(work: Lowering, op: Operator, name: str) -> None:
    """Lower a TANH."""
    ends = work.ends(op)
    _map(work, ends, tables.tanh(ends.source.scale, ends.source.zero_point), name)


def leaky_relu(work: Lowering, op: Operator, name: str) -> None:
    """Lower a LEAKY_RELU."""
    ends = work.ends(op)
    source, result = ends.source, ends.result
    table = tables.leaky_relu(op.options["alpha"], source.scale, source.zero_point, result.scale, result.zero_point)
    _map(work, ends, table, name)


def elu(work: Lowering, op: Operator, name: str) -> None:
    """Lower an ELU."""
    ends = work.ends(op)
    source, result = ends.source, ends.result
    _map(work, ends, tables.elu(source.scale, source.zero_point, result.scale, result.zero_point), name)


def pointwise(work: Lowering, op: Operator, name: str) -> None:
    """Lower a DEQUANTIZE, functions of one number and a QUANTIZE."""
    ends = work.ends(op)
    source, result = ends.source, ends.result
    functions = [tables.FLOAT_FUNCTIONS[kind] for kind in op.options["functions"]]
    scales = source.scale, source.zero_point, result.scale, result.zero_point
    _map(work, ends, tables.through_floats(functions, *scales), name)


def quantize(work: Lowering, op: Operator, name: str) -> None:
    """Lower a QUANTIZE between bytes, or of floats."""
    ends = work.ends(op)
    if ends.source.type == "float32":
        _quantise_floats(work, ends, name)
        return
    low, high = (0, 255) if ends.result.type == "uint8" else _BYTE
    _map(work, ends, _requantized(ends, low, high, 256 if ends.source.type == "uint8" else 0), name)


def _quantise_floats(work: Lowering, ends: Ends, name: str) -> None:
    packed = work.contiguous_home(ends.output)
    count = ends.source.elements
    words = descriptors.words(
        "quantise",
        input=ref(ends.input),
        output=ref(packed),
        thresholds=Data(tables.float_thresholds(ends.result.scale)),
        count=count,
        zero=ends.result.zero_point + 128,
    )
    work.steps.append(Step("quantise", words, [ends.input.buffer], [packed.buffer], name, outputs=count))
    work.copy(packed, ends.output, name)


def dequantize(work: Lowering, op: Operator, name: str) -> None:
    """Lower a DEQUANTIZE to floats of single precision."""
    ends = work.ends(op)
    flat = work.contiguous(ends.input, name)
    source = ends.source
    table = Data(tables.dequantize(source.scale, source.zero_point, source.type == "uint8"))
    words = descriptors.words("widen", input=ref(flat), output=ref(ends.output), table=table, count=source.elements)
    work.steps.append(Step("widen", words, [flat.buffer], [ends.output.buffer], name, outputs=source.elements))


def softmax(work: Lowering, op: Operator, name: str) -> None:
    """Lower a SOFTMAX over the last dimension."""
    exponentials = tables.softmax_exponentials(op.options["beta"], work.ends(op).source.scale)
    _over_rows(work, op, name, "softmax", exponentials=Data(exponentials))


def log_softmax(work: Lowering, op: Operator, name: str) -> None:
    """Lower a LOG_SOFTMAX over the last dimension."""
    scale = work.ends(op).source.scale
    exponentials, differences = tables.softmax_exponentials(1.0, scale), tables.log_softmax_differences(scale)
    _over_rows(work, op, name, "log_softmax", exponentials=Data(exponentials), differences=Data(differences))


def _over_rows(work: Lowering, op: Operator, name: str, kind: str, **constants: Data) -> None:
    ends = work.ends(op)
    flat, packed = work.contiguous(ends.input, name), work.contiguous_home(ends.output)
    elements, classes = ends.source.elements, ends.source.shape[-1]
    sizes = {"rows": elements // classes, "classes": classes}
    words = descriptors.words(kind, input=ref(flat), output=ref(packed), **sizes, **constants)
    work.steps.append(Step(kind, words, [flat.buffer], [packed.buffer], name, outputs=elements))
    work.copy(packed, ends.output, name)


def _folded(view: View, axes: Sequence[int]) -> tuple[list[int], list[int], list[int]] | None:
    chosen = view.turned(tuple(view.shape[i] for i in axes), tuple(view.strides[i] for i in axes))
    return chosen.folded(3)


def _requantized(ends: Ends, low: int, high: int, from_: int = 0) -> bytes:
    source, result = ends.source, ends.result
    return tables.requantize(source.scale, source.zero_point, result.scale, result.zero_point, low, high, from_)


def _map(work: Lowering, ends: Ends, table: bytes, name: str) -> None:
    staging.map_bytes(work, ends.input, ends.output, table, name)
