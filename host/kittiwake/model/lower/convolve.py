"""Steps of layers with weights: convolutions, depthwise ones and dense layers, as descriptors of two kernels.

Knows the descriptors of `conv` and `depthwise` (docs/spec/model-plan.md); how weights are laid out is known to
emit/weights.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from kittiwake.model.lower import fixed, staging
from kittiwake.model.lower import weights as weight_streams
from kittiwake.model.lower.steps import Buffer, Data, Ref, Step, View, ref
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator


def convolution(work, op: Operator, name: str) -> None:
    """Lower a CONV_2D; arguments as compute.lower."""
    source, given, target, view = staging.ends(work, op)
    weights = work.tensor(op.inputs[1])
    height, width, depth = weights.shape[1:]
    inputs = height * width * depth
    values = staging.signed(weights.data)
    rows = [values[i * inputs : (i + 1) * inputs] for i in range(weights.shape[0])]
    channels = _channels(work, op, rows)
    if channels is None:
        return
    padded = _padded(work, op, staging.pixels(work, given, name), source.zero_point, (height, width), name)
    for n in range(padded.shape[0]):
        a, b = padded.slice(0, n, 1), view.slice(0, n, 1)
        _dense(work, channels, a, b, target.zero_point, name, op.options, (height, width))
    staging.clamp(work, op, target, view, name)


def fully_connected(work, op: Operator, name: str) -> None:
    """Lower a FULLY_CONNECTED; arguments as compute.lower."""
    source, given, target, view = staging.ends(work, op)
    outputs, inputs = work.tensor(op.inputs[1]).shape
    values = staging.signed(work.tensor(op.inputs[1]).data)
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
    staging.clamp(work, op, target, view, name)


def depthwise(work, op: Operator, name: str) -> None:
    """Lower a DEPTHWISE_CONV_2D; arguments as compute.lower."""
    source, given, target, view = staging.ends(work, op)
    weights = work.tensor(op.inputs[1])
    height, width, outputs = weights.shape[1:]
    values = staging.signed(weights.data)
    rows = [values[c::outputs] for c in range(outputs)]
    channels = _channels(work, op, rows)
    if channels is None:
        return
    padded = _padded(work, op, staging.pixels(work, given, name), source.zero_point, (height, width), name)
    if padded.shape[3] == 1:  # every output sees the same channel: a dense filter
        for n in range(padded.shape[0]):
            a, b = padded.slice(0, n, 1), view.slice(0, n, 1)
            _dense(work, channels, a, b, target.zero_point, name, op.options, (height, width))
        staging.clamp(work, op, target, view, name)
        return
    if outputs != padded.shape[3]:
        padded = _repeated(work, padded, outputs // padded.shape[3], name)
    for n in range(padded.shape[0]):
        a, b = padded.slice(0, n, 1), view.slice(0, n, 1)
        _planes(work, op, channels, a, b, (height, width), target.zero_point, name)
    staging.clamp(work, op, target, view, name)


def _channels(work, op: Operator, rows: Sequence[Sequence[int]]) -> list[weight_streams.Channel] | None:
    source, weights, target = (work.tensor(i) for i in (op.inputs[0], op.inputs[1], op.outputs[0]))
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    biases = shapes.ints(work.tensor(op.inputs[2])) if has_bias else [0] * len(rows)
    if op.kind == "FULLY_CONNECTED" and len(weights.scales) == 1:
        scales = [fixed.float32(source.scale * weights.scale) / target.scale] * len(rows)
    else:
        each = weights.scales if len(weights.scales) > 1 else weights.scales * len(rows)
        scales = [source.scale * scale / target.scale for scale in each]
    made = [weight_streams.channel(w, b, source.zero_point, s) for w, b, s in zip(rows, biases, scales, strict=True)]
    problem = weight_streams.problem(made)
    if problem is None and work.layout == weight_streams.ROWS:
        try:
            for c in made:
                weight_streams.bias_of_rows(c, op.kind == "DEPTHWISE_CONV_2D")
        except ValueError as error:
            problem = str(error)
    if problem:
        work.problems.append(f"{op}: {problem}")
        return None
    return made


def _padded(work, op: Operator, view: View, zero_point: int, filter_: tuple[int, int], name: str) -> View:
    """The input with its SAME padding around it, filled with its zero point; the input itself where there is none."""
    sides = [
        shapes.window(view.shape[1 + i], filter_[i], op.options["stride"][i], op.options["dilation"][i], "same")
        for i in (0, 1)
    ]
    if op.options["padding"] == "valid" or not any(side.before or side.after for side in sides):
        return view
    pads = [(0, 0), *((side.before, side.after) for side in sides), (0, 0)]
    return staging.surrounded(work, view, pads, zero_point, name)


def _dense(work, channels, given: View, made: View, zero_point: int, name: str, options=None, filter_=(1, 1)):
    """One image [1, H, W, C] through a dense filter."""
    stride, dilation = (options["stride"], options["dilation"]) if options else ((1, 1), (1, 1))
    height, width = filter_
    depth, rows, cols, outputs = given.shape[3], made.shape[1], made.shape[2], made.shape[3]
    inputs = height * width * depth
    padded = weight_streams.filled(inputs, work.layout, False)
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
    if work.layout != weight_streams.QUADS or len(offsets) > 1:
        lines = {weight_streams.ROWS: 1, weight_streams.QUADS: 2, weight_streams.PAIRS: 5}[
            work.layout
        ]  # pairs: halfwords, bytes
        temps.append(Buffer(lines * padded + 4))
    words = [
        ref(given), ref(made), Data(weight_streams.stream(channels, work.layout)), outputs, inputs, padded,
        rows, cols, in_row, in_col, out_row, out_col, len(offsets), size, staging.pack_words(offsets),
        Ref(temps[0]) if temps else 0, zero_point + 128, int(weight_streams.is_wide(channels)),
        weight_streams.LAYOUTS.index(work.layout),
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
        ref(given), ref(made), Data(weight_streams.stream(channels, work.layout, True)), made.shape[3], height, width,
        rows, cols, in_row, in_col, made.strides[1], made.strides[2], down, across, zero_point + 128,
        int(weight_streams.is_wide(channels)), staging.pack_words(offsets), weight_streams.LAYOUTS.index(work.layout),
    ]  # fmt: skip
    outputs = rows * cols * made.shape[3]
    work.steps.append(
        Step("depthwise", words, [given.buffer], [made.buffer], name, [], outputs * len(offsets), outputs)
    )
