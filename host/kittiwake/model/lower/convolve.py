"""Layers with weights: convolutions, depthwise ones and dense layers, as descriptors of two kernels.

Every public function adds the steps of one operator: work is the Lowering, op the operator, name what to call its
steps. In which order weights stand is known to weights.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.model.lower import descriptors, halfwords, layers, margins, staging
from kittiwake.model.lower import weights as weight_streams
from kittiwake.model.lower.context import Channels, Ends, Lowering
from kittiwake.model.lower.steps import Buffer, Ref, Step, View, ref
from kittiwake.model.read.graph import Operator, Tensor

# Pairs keep a line as halfwords and as bytes.
_LINE_BYTES = {weight_streams.ROWS: 1, weight_streams.QUADS: 2, weight_streams.PAIRS: 5}


@dataclass(frozen=True)
class Filter:
    """How a layer's filter lies and walks: (down, across) each."""

    size: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)


def convolution(work: Lowering, op: Operator, name: str) -> None:
    """Lower a CONV_2D."""
    ends = work.ends(op)
    weights = work.tensor(op.inputs[1])
    height, width, depth = weights.shape[1:]
    channels = layers.packed(work, op, lambda: _runs(weights, height * width * depth))
    if channels is not None:
        filter_ = _filter(op, height, width)
        _images(work, op, ends, channels, _padded(work, op, ends, name), filter_, name)


def depthwise(work: Lowering, op: Operator, name: str) -> None:
    """Lower a DEPTHWISE_CONV_2D."""
    ends = work.ends(op)
    weights = work.tensor(op.inputs[1])
    height, width, outputs = weights.shape[1:]
    channels = layers.packed(work, op, lambda: [staging.signed(weights.content[c::outputs]) for c in range(outputs)])
    if channels is None:
        return
    filter_ = _filter(op, height, width)
    padded = _padded(work, op, ends, name)
    if padded.shape[3] == 1:  # every output sees the same channel: a dense filter
        _images(work, op, ends, channels, padded, filter_, name)
        return
    if outputs != padded.shape[3]:
        padded = _repeated(work, padded, outputs // padded.shape[3], name)
    for n in range(padded.shape[0]):
        a, b = padded.slice(0, n, 1), ends.output.slice(0, n, 1)
        planes(work, channels, a, b, filter_, ends.result.zero_point, name)
    staging.clamp(work, op, ends.result, ends.output, name)


def fully_connected(work: Lowering, op: Operator, name: str) -> None:
    """Lower a FULLY_CONNECTED: a convolution over a row of pixels, one an input of the batch."""
    ends = work.ends(op)
    weights = work.tensor(op.inputs[1])
    outputs, inputs = weights.shape
    channels = layers.packed(work, op, lambda: _runs(weights, inputs))
    if channels is None:
        return
    batch = ends.source.elements // inputs
    flat = work.contiguous(ends.input, name).reshape((1, 1, batch, inputs))
    if flat is None:
        raise ValueError(f"{op}: side by side, and no row of pixels")
    row = ends.output.reshape((1, 1, batch, outputs))
    packed = row or View.fresh((1, 1, batch, outputs), ends.output.width)
    dense(work, channels, flat, packed, Filter(), ends.result.zero_point, name)
    if row is None:
        work.copy(View.whole(packed.buffer, ends.output.shape, ends.output.width), ends.output, name)
    staging.clamp(work, op, ends.result, ends.output, name)


def _runs(weights: Tensor, inputs: int) -> list[list[int]]:
    content = weights.content
    return [staging.signed(content[at : at + inputs]) for at in range(0, len(content), inputs)]


def _filter(op: Operator, height: int, width: int) -> Filter:
    # How far apart the taps are means nothing where there is one.
    down, across = op.options["dilation"]
    return Filter((height, width), op.options["stride"], (down if height > 1 else 1, across if width > 1 else 1))


def _padded(work: Lowering, op: Operator, ends: Ends, name: str) -> View:
    """The input with its padding around it, filled with its zero point; the input itself where there is none."""
    if ends.source.index in work.padded:
        return work.padded[ends.source.index]
    pixels, margin = staging.pixels(work, ends.input, name), margins.around(work, op)
    return pixels if margin is None else staging.surrounded(work, pixels, margin.pads, margin.value, name)


def _images(
    work: Lowering,
    op: Operator,
    ends: Ends,
    channels: Channels,
    padded: View,
    filter_: Filter,
    name: str,
) -> None:
    """Every image of a batch through a dense filter."""
    for n in range(padded.shape[0]):
        a, b = padded.slice(0, n, 1), ends.output.slice(0, n, 1)
        dense(work, channels, a, b, filter_, ends.result.zero_point, name)
    staging.clamp(work, op, ends.result, ends.output, name)


def dense(
    work: Lowering,
    channels: Channels,
    source: View,
    output: View,
    filter_: Filter,
    zero_point: int,
    name: str,
) -> None:
    """Add the step that takes one image through a dense filter.

    Args:
        work: the Lowering.
        channels: as of `layers.channels_of`.
        source: [1, H, W, C], padded, the channels of a pixel side by side.
        output: [1, H, W, C]; its pixels may lie apart.
        filter_: of the weights.
        zero_point: of the output, where that is bytes.
        name: what to call the step.
    """
    height, width = filter_.size
    depth, rows, cols, outputs = source.shape[3], output.shape[1], output.shape[2], output.shape[3]
    inputs = height * width * depth
    layout = weight_streams.ROWS if isinstance(channels, halfwords.Layer) else work.weight_layout
    filled = weight_streams.filled(inputs, layout, False)
    row, col = source.strides[1], source.strides[2]
    down, across = filter_.dilation[0] * row, filter_.dilation[1] * col
    # Bytes that lie side by side are taken at once: a pixel, a row of the filter, or several rows of an image that is
    # one pixel wide.
    size, offsets = depth * source.width, [y * down + x * across for y in range(height) for x in range(width)]
    while len(offsets) > 1 and offsets[1] - offsets[0] == size and len(offsets) % _run(offsets, size) == 0:
        run = _run(offsets, size)
        size, offsets = size * run, offsets[::run]
    in_row, in_col = filter_.stride[0] * row, filter_.stride[1] * col
    out_row, out_col = output.strides[1], output.strides[2]
    if cols == 1 or (in_row == in_col * cols and out_row == out_col * cols):
        if cols == 1:
            in_col, out_col = in_row, out_row
        rows, cols = 1, rows * cols
    temps = []
    if layout != weight_streams.QUADS or len(offsets) > 1:
        temps.append(Buffer(_LINE_BYTES[layout] * filled * source.width + 4))
    kind, arithmetic = layers.arithmetic(work, channels, zero_point)
    words = descriptors.words(
        kind,
        input=ref(source),
        output=ref(output),
        outputs=outputs,
        inputs=inputs,
        filled=filled,
        rows=rows,
        cols=cols,
        in_row=in_row,
        in_col=in_col,
        out_row=out_row,
        out_col=out_col,
        segments=len(offsets),
        segment_bytes=size,
        segment_offsets=staging.pack_words(offsets),
        line=Ref(temps[0]) if temps else 0,
        **arithmetic,
    )
    pixels = rows * cols
    macs = pixels * outputs * inputs
    work.steps.append(Step(kind, words, [source.buffer], [output.buffer], name, temps, macs, pixels * outputs))


def _run(offsets: Sequence[int], size: int) -> int:
    """How many segments at the start follow each other without a gap."""
    run = 1
    while run < len(offsets) and offsets[run] - offsets[run - 1] == size:
        run += 1
    same = all(offsets[i + 1] - offsets[i] == size for i in range(len(offsets) - 1) if (i + 1) % run)
    return run if same and len(offsets) % run == 0 else len(offsets) + 1


def _repeated(work: Lowering, view: View, times: int, name: str) -> View:
    """Each channel as often as it has outputs, so that outputs and inputs go one to one."""
    spread = view.turned((*view.shape, times), (*view.strides, 0))
    copied = View.fresh((*view.shape[:3], view.shape[3] * times), view.width)
    work.copy(spread, View.whole(copied.buffer, spread.shape, view.width), f"{name} channels")
    return copied


def planes(
    work: Lowering,
    channels: Channels,
    source: View,
    output: View,
    filter_: Filter,
    zero_point: int,
    name: str,
) -> None:
    """Add the step that takes one image through filters of one channel each; arguments as of `dense`."""
    height, width = filter_.size
    row, col = source.strides[1], source.strides[2]
    down, across = filter_.dilation[0] * row, filter_.dilation[1] * col
    offsets = [y * down + x * across for y in range(height) for x in range(width)]
    if width == 1:  # the kernels run along x
        height, width, down, across = 1, height, 0, down
    elif height == 1:
        down = 0
    rows, cols, outputs = output.shape[1], output.shape[2], output.shape[3]
    kind, arithmetic = layers.arithmetic(work, channels, zero_point, depthwise=True)
    if kind == "depthwise":  # the assemblers' way over the taps
        arithmetic["tap_offsets"] = staging.pack_words(offsets)
    words = descriptors.words(
        kind,
        input=ref(source),
        output=ref(output),
        channels=outputs,
        filter_height=height,
        filter_width=width,
        rows=rows,
        cols=cols,
        in_row=filter_.stride[0] * row,
        in_col=filter_.stride[1] * col,
        out_row=output.strides[1],
        out_col=output.strides[2],
        tap_down=down,
        tap_across=across,
        **arithmetic,
    )
    written = rows * cols * outputs
    work.steps.append(Step(kind, words, [source.buffer], [output.buffer], name, [], written * len(offsets), written))
