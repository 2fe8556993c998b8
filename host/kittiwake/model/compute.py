"""Steps that compute: one function an operator, from tensors and views to a kernel's descriptor.

Knows the descriptors (SPEC.md, "Model plan"); where buffers lie and how a stream is laid out is not known here.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from kittiwake.model import fixed, layout, shapes, tables
from kittiwake.model.graph import Operator, Tensor
from kittiwake.model.steps import SCRATCH, Buffer, Data, Ref, Step, View, ref

_SUM_OFFSET = 1 << 29


def lower(work, op: Operator, name: str) -> None:
    """Add the steps of one operator.

    Args:
        work: the Lowering.
        op: an operator on bytes.
        name: what to call its steps.
    """
    _LOWERINGS[op.kind](work, op, name)


def _ends(work, op: Operator) -> tuple[Tensor, View, Tensor, View]:
    source, target = work.tensor(op.inputs[0]), work.tensor(op.outputs[0])
    return source, work.read(source.index), target, work.home(target.index)


def _pixels(work, view: View, name: str) -> View:
    """The view with the channels of a pixel side by side, by a copy where a slice has pulled them apart."""
    if view.shape[-1] == 1 or view.strides[-1] == 1:
        return view
    packed = View.whole(Buffer(view.elements), view.shape)
    work.copy(view, packed, name)
    return packed


def _words(values: Sequence[int]) -> Data:
    return Data(struct.pack(f"<{len(values)}i", *values))


def _clamp(work, op: Operator, target: Tensor, view: View, name: str) -> None:
    """Narrow the output to its fused activation's range, in place, where that is not all of int8."""
    low, high = fixed.activation_range(op.options.get("activation", "none"), target.scale, target.zero_point)
    if (low, high) != (-128, 127):
        _table(work, view, view, tables.clamp(low, high), f"{name} activation")


def _table(work, source: View, target: View, table: bytes, name: str) -> None:
    folded = source.folded(2, target)
    if folded is None or folded[1][1] not in (0, 1) or folded[2][1] not in (0, 1):
        packed = View.whole(Buffer(source.elements), source.shape)
        work.copy(source, packed, name)
        _table(work, packed, packed, table, name)
        work.copy(packed, target, name)
        return
    (rows, count), (step, _), (to_step, _) = folded
    words = [ref(source), ref(target), Data(table), rows, count, step, to_step]
    made = Step("table", words, [source.buffer], [target.buffer], name, outputs=source.elements)
    made.joins = _joint(source, target)
    work.steps.append(made)


def _joint(source: View, target: View) -> tuple[Buffer, Buffer] | None:
    a, b = source.buffer, target.buffer
    whole = source.elements == a.size == b.size == target.elements and source.offset == target.offset == 0
    free = a is not b and a.kind == b.kind == SCRATCH and source.is_contiguous and target.is_contiguous
    return (a, b) if whole and free else None


def _channels(work, op: Operator, rows: Sequence[Sequence[int]]) -> list[layout.Channel] | None:
    source, weights, target = (work.tensor(i) for i in (op.inputs[0], op.inputs[1], op.outputs[0]))
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    biases = shapes.ints(work.tensor(op.inputs[2])) if has_bias else [0] * len(rows)
    if op.kind == "FULLY_CONNECTED" and len(weights.scales) == 1:
        scales = [fixed.float32(source.scale * weights.scale) / target.scale] * len(rows)
    else:
        each = weights.scales if len(weights.scales) > 1 else weights.scales * len(rows)
        scales = [source.scale * scale / target.scale for scale in each]
    made = [layout.channel(w, b, source.zero_point, s) for w, b, s in zip(rows, biases, scales, strict=True)]
    problem = layout.problem(made)
    if problem is None and work.layout == layout.ROWS:
        try:
            for c in made:
                layout.bias_of_rows(c, op.kind == "DEPTHWISE_CONV_2D")
        except ValueError as error:
            problem = str(error)
    if problem:
        work.problems.append(f"{op}: {problem}")
        return None
    return made


def _signed(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data)}b", data))


def _padded(work, op: Operator, view: View, zero_point: int, filter_: tuple[int, int], name: str) -> View:
    """The input with its SAME padding around it, filled with its zero point; the input itself where there is none."""
    sides = [
        shapes.window(view.shape[1 + i], filter_[i], op.options["stride"][i], op.options["dilation"][i], "same")
        for i in (0, 1)
    ]
    if op.options["padding"] == "valid" or not any(side.before or side.after for side in sides):
        return view
    pads = [(0, 0), *((side.before, side.after) for side in sides), (0, 0)]
    return _surrounded(work, view, pads, zero_point, name)


def _surrounded(work, view: View, pads, value: int, name: str, target: View | None = None) -> View:
    shape = tuple(n + before + after for n, (before, after) in zip(view.shape, pads, strict=True))
    whole = target if target is not None and target.is_contiguous else View.whole(Buffer(math.prod(shape)), shape)
    words = [ref(whole), whole.elements, value & 0xFF]
    work.steps.append(Step("fill", words, [], [whole.buffer], f"{name} padding", outputs=whole.elements))
    inner = whole
    for axis, (before, _) in enumerate(pads):
        inner = inner.slice(axis, before, view.shape[axis])
    work.copy(view, inner, f"{name} padding")
    return whole


def _convolution(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
    weights = work.tensor(op.inputs[1])
    height, width, depth = weights.shape[1:]
    inputs = height * width * depth
    values = _signed(weights.data)
    rows = [values[i * inputs : (i + 1) * inputs] for i in range(weights.shape[0])]
    channels = _channels(work, op, rows)
    if channels is None:
        return
    padded = _padded(work, op, _pixels(work, given, name), source.zero_point, (height, width), name)
    for n in range(padded.shape[0]):
        a, b = padded.slice(0, n, 1), view.slice(0, n, 1)
        _dense(work, channels, a, b, target.zero_point, name, op.options, (height, width))
    _clamp(work, op, target, view, name)


def _fully_connected(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
    outputs, inputs = work.tensor(op.inputs[1]).shape
    values = _signed(work.tensor(op.inputs[1]).data)
    channels = _channels(work, op, [values[i * inputs : (i + 1) * inputs] for i in range(outputs)])
    if channels is None:
        return
    batch = source.elements // inputs
    flat = work.contiguous(given, name).reshape((1, 1, batch, inputs))
    made = view.reshape((1, 1, batch, outputs))
    if made is None:
        packed = View.whole(Buffer(target.elements), (1, 1, batch, outputs))
        _dense(work, channels, flat, packed, target.zero_point, name)
        work.copy(View.whole(packed.buffer, view.shape), view, name)
    else:
        _dense(work, channels, flat, made, target.zero_point, name)
    _clamp(work, op, target, view, name)


def _dense(work, channels, given: View, made: View, zero_point: int, name: str, options=None, filter_=(1, 1)):
    """One image [1, H, W, C] through a dense filter."""
    stride, dilation = (options["stride"], options["dilation"]) if options else ((1, 1), (1, 1))
    height, width = filter_
    depth, rows, cols, outputs = given.shape[3], made.shape[1], made.shape[2], made.shape[3]
    inputs = height * width * depth
    padded = layout.filled(inputs, work.layout, False)
    row, col = given.strides[1], given.strides[2]
    # Bytes that lie side by side are taken at once: a pixel, a row of the filter, or several rows of an image that is
    # one pixel wide.
    size, offsets = depth, [y * dilation[0] * row + x * dilation[1] * col for y in range(height) for x in range(width)]
    while len(offsets) > 1 and offsets[1] - offsets[0] == size and len(offsets) % _run(offsets, size) == 0:
        run = _run(offsets, size)
        size, offsets = size * run, offsets[::run]
    in_row, in_col = stride[0] * row, stride[1] * col
    out_row, out_col = made.strides[1], made.strides[2]
    if cols == 1 or (in_row == in_col * cols and out_row == out_col * cols):
        if cols == 1:
            in_col, out_col = in_row, out_row
        rows, cols = 1, rows * cols
    temps = []
    if work.layout != layout.QUADS or len(offsets) > 1:
        lines = {layout.ROWS: 1, layout.QUADS: 2, layout.PAIRS: 5}[work.layout]  # pairs: halfwords, bytes
        temps.append(Buffer(lines * padded + 4))
    words = [
        ref(given), ref(made), Data(layout.stream(channels, work.layout)), outputs, inputs, padded,
        rows, cols, in_row, in_col, out_row, out_col, len(offsets), size, _words(offsets),
        Ref(temps[0]) if temps else 0, zero_point + 128, int(layout.is_wide(channels)),
        layout.LAYOUTS.index(work.layout),
    ]  # fmt: skip
    pixels = rows * cols
    step = Step("conv", words, [given.buffer], [made.buffer], name, temps, pixels * outputs * inputs, pixels * outputs)
    work.steps.append(step)


def _run(offsets: Sequence[int], size: int) -> int:
    """How many segments at the start follow each other without a gap."""
    run = 1
    while run < len(offsets) and offsets[run] - offsets[run - 1] == size:
        run += 1
    same = all(offsets[i + 1] - offsets[i] == size for i in range(len(offsets) - 1) if (i + 1) % run)
    return run if same and len(offsets) % run == 0 else len(offsets) + 1


def _depthwise(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
    weights = work.tensor(op.inputs[1])
    height, width, outputs = weights.shape[1:]
    values = _signed(weights.data)
    rows = [values[c::outputs] for c in range(outputs)]
    channels = _channels(work, op, rows)
    if channels is None:
        return
    padded = _padded(work, op, _pixels(work, given, name), source.zero_point, (height, width), name)
    if padded.shape[3] == 1:  # every output sees the same channel: a dense filter
        for n in range(padded.shape[0]):
            a, b = padded.slice(0, n, 1), view.slice(0, n, 1)
            _dense(work, channels, a, b, target.zero_point, name, op.options, (height, width))
        _clamp(work, op, target, view, name)
        return
    if outputs != padded.shape[3]:
        padded = _repeated(work, padded, outputs // padded.shape[3], name)
    for n in range(padded.shape[0]):
        a, b = padded.slice(0, n, 1), view.slice(0, n, 1)
        _planes(work, op, channels, a, b, (height, width), target.zero_point, name)
    _clamp(work, op, target, view, name)


def _repeated(work, view: View, times: int, name: str) -> View:
    """Each channel as often as it has outputs, so that outputs and inputs go one to one."""
    spread = View(view.buffer, view.offset, (*view.shape, times), (*view.strides, 0))
    shape = (*view.shape[:3], view.shape[3] * times)
    copied = View.whole(Buffer(math.prod(shape)), shape)
    work.copy(spread, View.whole(copied.buffer, spread.shape), f"{name} channels")
    return copied


def _planes(work, op: Operator, channels, given: View, made: View, filter_, zero_point: int, name: str) -> None:
    height, width = filter_
    row, col = given.strides[1], given.strides[2]
    down, across = op.options["dilation"][0] * row, op.options["dilation"][1] * col
    offsets = [y * down + x * across for y in range(height) for x in range(width)]
    if width == 1:  # the kernels run along x
        height, width, down, across = 1, height, 0, down
    elif height == 1:
        down = 0
    rows, cols = made.shape[1], made.shape[2]
    in_row, in_col = op.options["stride"][0] * row, op.options["stride"][1] * col
    words = [
        ref(given), ref(made), Data(layout.stream(channels, work.layout, True)), made.shape[3], height, width,
        rows, cols, in_row, in_col, made.strides[1], made.strides[2], down, across, zero_point + 128,
        int(layout.is_wide(channels)), _words(offsets), layout.LAYOUTS.index(work.layout),
    ]  # fmt: skip
    outputs = rows * cols * made.shape[3]
    work.steps.append(
        Step("depthwise", words, [given.buffer], [made.buffer], name, [], outputs * len(offsets), outputs)
    )


def _pool(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
    filter_, stride = op.options["filter"], op.options["stride"]
    sides = [shapes.window(given.shape[1 + i], filter_[i], stride[i], 1, op.options["padding"]) for i in (0, 1)]
    pixels = _pixels(work, given, name)
    kind = "average" if op.kind == "AVERAGE_POOL_2D" else "largest"
    for n in range(given.shape[0]):
        a, b = pixels.slice(0, n, 1), view.slice(0, n, 1)
        words = [
            ref(a), ref(b), a.shape[3], b.shape[1], b.shape[2], a.shape[1], a.shape[2], *filter_, *stride,
            sides[0].before, sides[1].before, a.strides[1], a.strides[2], b.strides[1], b.strides[2],
        ]  # fmt: skip
        macs = b.elements * filter_[0] * filter_[1]
        work.steps.append(Step(kind, words, [a.buffer], [b.buffer], name, macs=macs, outputs=b.elements))
    _clamp(work, op, target, view, name)


def _mean(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
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
    step.joins = _joint(a, packed) or _joint(b, packed) if a.shape == b.shape == packed.shape else None
    work.steps.append(step)
    work.copy(packed, view, name)
    _clamp(work, op, target, view, name)


def _unary(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
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
    _table(work, given, view, table, name)


def _dequantize(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
    flat = work.contiguous(given, name)
    table = tables.dequantize(source.scale, source.zero_point, source.type == "uint8")
    words = [ref(flat), ref(view), Data(table), source.elements]
    work.steps.append(Step("widen", words, [flat.buffer], [view.buffer], name, outputs=source.elements))


def _softmax(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
    flat = work.contiguous(given, name)
    packed = view if view.is_contiguous else View.whole(Buffer(view.elements), view.shape)
    depth = source.shape[-1]
    table = Data(tables.softmax_exponentials(op.options["beta"], source.scale))
    words = [ref(flat), ref(packed), source.elements // depth, depth, table]
    work.steps.append(Step("softmax", words, [flat.buffer], [packed.buffer], name, outputs=source.elements))
    work.copy(packed, view, name)


def _pad(work, op: Operator, name: str) -> None:
    source, given, target, view = _ends(work, op)
    flat = shapes.ints(work.tensor(op.inputs[1]))
    value = target.zero_point
    if op.kind == "PADV2":
        value = _signed(work.tensor(op.inputs[2]).data)[0]
    pads = list(zip(flat[::2], flat[1::2], strict=True))
    whole = _surrounded(work, given, pads, value, name, view)
    work.copy(whole, view, name)


_LOWERINGS = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
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
