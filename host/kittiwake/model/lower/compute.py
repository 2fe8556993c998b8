"""Steps that compute without weights, and the way to each operator's lowering: from tensors to a kernel's descriptor.

Knows the descriptors (docs/spec/model-plan.md); where buffers lie and how a stream is laid out is not known here.
"""

from __future__ import annotations

import math

from kittiwake.model.lower import convolve, fixed, staging, tables
from kittiwake.model.lower.steps import Buffer, Data, Step, View, ref
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator

_SUM_OFFSET = 1 << 29


def lower(work, op: Operator, name: str) -> None:
    """Add the steps of one operator.

    Args:
        work: the Lowering.
        op: an operator on bytes.
        name: what to call its steps.
    """
    _LOWERINGS[op.kind](work, op, name)


def _pool(work, op: Operator, name: str) -> None:
    source, given, target, view = staging.ends(work, op)
    filter_, stride = op.options["filter"], op.options["stride"]
    sides = [shapes.window(given.shape[1 + i], filter_[i], stride[i], 1, op.options["padding"]) for i in (0, 1)]
    pixels = staging.pixels(work, given, name)
    kind = "average" if op.kind == "AVERAGE_POOL_2D" else "largest"
    for n in range(given.shape[0]):
        a, b = pixels.slice(0, n, 1), view.slice(0, n, 1)
        words = [
            ref(a), ref(b), a.shape[3], b.shape[1], b.shape[2], a.shape[1], a.shape[2], *filter_, *stride,
            sides[0].before, sides[1].before, a.strides[1], a.strides[2], b.strides[1], b.strides[2],
        ]  # fmt: skip
        macs = b.elements * filter_[0] * filter_[1]
        work.steps.append(Step(kind, words, [a.buffer], [b.buffer], name, macs=macs, outputs=b.elements))
    staging.clamp(work, op, target, view, name)


def _mean(work, op: Operator, name: str) -> None:
    source, given, target, view = staging.ends(work, op)
    axes = shapes.mean_axes(work.graph.main, op)
    kept = [i for i in range(len(given.shape)) if i not in axes]
    parts = []
    for chosen in (kept, axes):
        part = View(given.buffer, 0, tuple(given.shape[i] for i in chosen), tuple(given.strides[i] for i in chosen))
        parts.append(part.folded(3))
    if None in parts:
        work.problems.append(f"{op}: joins axes too scattered")
        return
    count = math.prod(given.shape[i] for i in axes)
    m, shift = fixed.quantize_multiplier(source.scale / target.scale)
    spread = min(count.bit_length() - 1, 32, 31 + shift)
    m, shift = (m << spread) // count, shift - spread
    bias = -source.zero_point * count
    if 255 * count << max(shift, 0) >= 1 << 30:
        work.problems.append(f"{op}: its sums reach 2^30")
        return
    packed = view if view.is_contiguous else View.whole(Buffer(view.elements), view.shape)
    words = [
        ref(given), ref(packed), *parts[0][0], *parts[0][1], *parts[1][0], *parts[1][1],
        m, max(-shift, 0), max(shift, 0), target.zero_point + 128, bias + _SUM_OFFSET,
    ]  # fmt: skip
    work.steps.append(
        Step("mean", words, [given.buffer], [packed.buffer], name, macs=view.elements * count, outputs=view.elements)
    )
    work.copy(packed, view, name)


def _spread_over(view: View, shape: tuple[int, ...]) -> View:
    """A view under a larger shape: what is repeated has the stride 0."""
    ranks = len(shape) - len(view.shape)
    sizes = (1,) * ranks + view.shape
    strides = (0,) * ranks + view.strides
    spread = tuple(0 if n == 1 else s for n, s in zip(sizes, strides, strict=True))
    return View(view.buffer, view.offset, shape, spread)


def _binary(work, op: Operator, name: str) -> None:
    first, second, target = work.tensor(op.inputs[0]), work.tensor(op.inputs[1]), work.tensor(op.outputs[0])
    view = work.home(target.index)
    packed = view if view.is_contiguous else View.whole(Buffer(view.elements), view.shape)
    a, b = (_spread_over(work.read(t.index), target.shape) for t in (first, second))
    folded = a.folded(4, b)
    if folded is None:
        work.problems.append(f"{op}: broadcasts over more dimensions than four")
        return
    sizes, a_strides, b_strides = folded
    if op.kind == "ADD":
        twice = 2 * max(first.scale, second.scale)
        factors = [fixed.quantize_multiplier(t.scale / twice) for t in (first, second)]
        terms = [Data(tables.scaled_terms(t.zero_point, *f)) for t, f in zip((first, second), factors, strict=True)]
        m, shift = fixed.quantize_multiplier(twice / ((1 << 20) * target.scale))
        rest = [*terms, m, -shift, 0]
    else:
        m, shift = fixed.quantize_multiplier(first.scale * second.scale / target.scale)
        rest = [first.zero_point + 128, second.zero_point + 128, m, max(-shift, 0), max(shift, 0)]
    words = [ref(a), ref(b), ref(packed), *sizes, *a_strides, *b_strides, *rest, target.zero_point + 128]
    step = Step(op.kind.lower(), words, [a.buffer, b.buffer], [packed.buffer], name, outputs=view.elements)
    step.joins = staging.joint(a, packed) or staging.joint(b, packed) if a.shape == b.shape == packed.shape else None
    work.steps.append(step)
    work.copy(packed, view, name)
    staging.clamp(work, op, target, view, name)


def _unary(work, op: Operator, name: str) -> None:
    source, given, target, view = staging.ends(work, op)
    if op.kind == "LOGISTIC":
        table = tables.logistic(source.scale, source.zero_point)
    elif op.kind == "TANH":
        table = tables.tanh(source.scale, source.zero_point)
    elif op.kind == "RELU":
        low = max(-128, target.zero_point)
        table = tables.requantize(source.scale, source.zero_point, target.scale, target.zero_point, low, 127)
    elif op.kind == "RELU6":
        low, high = fixed.activation_range("relu6", source.scale, source.zero_point)
        table = tables.clamp(low, high)
    else:
        low, high = (0, 255) if target.type == "uint8" else (-128, 127)
        table = tables.requantize(
            source.scale, source.zero_point, target.scale, target.zero_point, low, high,
            256 if source.type == "uint8" else 0,
        )  # fmt: skip
    staging.map_bytes(work, given, view, table, name)


def _dequantize(work, op: Operator, name: str) -> None:
    source, given, target, view = staging.ends(work, op)
    flat = work.contiguous(given, name)
    table = tables.dequantize(source.scale, source.zero_point, source.type == "uint8")
    words = [ref(flat), ref(view), Data(table), source.elements]
    work.steps.append(Step("widen", words, [flat.buffer], [view.buffer], name, outputs=source.elements))


def _softmax(work, op: Operator, name: str) -> None:
    source, given, target, view = staging.ends(work, op)
    flat = work.contiguous(given, name)
    packed = view if view.is_contiguous else View.whole(Buffer(view.elements), view.shape)
    depth = source.shape[-1]
    table = Data(tables.softmax_exponentials(op.options["beta"], source.scale))
    words = [ref(flat), ref(packed), source.elements // depth, depth, table]
    work.steps.append(Step("softmax", words, [flat.buffer], [packed.buffer], name, outputs=source.elements))
    work.copy(packed, view, name)


def _pad(work, op: Operator, name: str) -> None:
    source, given, target, view = staging.ends(work, op)
    flat = shapes.ints(work.tensor(op.inputs[1]))
    value = target.zero_point
    if op.kind == "PADV2":
        value = staging.signed(work.tensor(op.inputs[2]).data)[0]
    pads = list(zip(flat[::2], flat[1::2], strict=True))
    whole = staging.surrounded(work, given, pads, value, name, view)
    work.copy(whole, view, name)


_LOWERINGS = {
    "CONV_2D": convolve.convolution,
    "DEPTHWISE_CONV_2D": convolve.depthwise,
    "FULLY_CONNECTED": convolve.fully_connected,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "ADD": _binary,
    "MUL": _binary,
    "PAD": _pad,
    "PADV2": _pad,
    "RELU": _unary,
    "RELU6": _unary,
    "LOGISTIC": _unary,
    "TANH": _unary,
    "QUANTIZE": _unary,
    "DEQUANTIZE": _dequantize,
    "SOFTMAX": _softmax,
}
