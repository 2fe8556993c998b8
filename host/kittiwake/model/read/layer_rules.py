"""Rules of layers with weights: filters that fit, one scale a channel, biases.

Knows the operators' definitions as TFLite's schema gives them; no kernel and no plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator, Subgraph, Tensor

ROW_LIMIT = 12000  # inputs of one output whose products with unsigned bytes stay within 2^30


def same(shape: tuple[int, ...], target: Tensor) -> Iterator[str]:
    """Say that an output is declared otherwise than it is.

    Args:
        shape: what the operator gives.
        target: its output.
    """
    if tuple(shape) != target.shape:
        yield f"gives {list(shape)}, its output is declared {list(target.shape)}"


def windowed(op: Operator, source: Tensor, target: Tensor, filter_: tuple[int, int], channels: int) -> Iterator[str]:
    """Say what is wrong with a filter that walks over an image, or with its output.

    Args:
        op: the operator.
        source: the image.
        target: its output.
        filter_: height and width.
        channels: of the output.

    Raises:
        ValueError: options that mean nothing.
    """
    stride = op.options["stride"]
    dilation = op.options.get("dilation", (1, 1))
    if op.options["padding"] not in ("same", "valid") or min(stride) < 1 or min(dilation) < 1 or min(filter_) < 1:
        raise ValueError
    padding = op.options["padding"]
    sides = [shapes.window(source.shape[1 + i], filter_[i], stride[i], dilation[i], padding) for i in (0, 1)]
    if min(side.outputs for side in sides) < 1:
        yield "its filter is larger than its input"
        return
    yield from same((source.shape[0], sides[0].outputs, sides[1].outputs, channels), target)


def convolution(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    """Rules of CONV_2D and DEPTHWISE_CONV_2D; arguments as of rules.problems."""
    weights = main.tensors[op.inputs[1]]
    if len(source.shape) != 4 or len(weights.shape) != 4:
        yield "its input and filter do not have four dimensions"
        return
    depthwise = op.kind == "DEPTHWISE_CONV_2D"
    channels = weights.shape[3 if depthwise else 0]
    if depthwise:
        if weights.shape[0] != 1 or channels % source.shape[3]:
            yield f"its filter {list(weights.shape)} does not fit {source.shape[3]} channels"
            return
    elif weights.shape[3] != source.shape[3]:
        yield f"its filter takes {weights.shape[3]} channels of {source.shape[3]}: groups are not supported"
        return
    yield from windowed(op, source, target, weights.shape[1:3], channels)
    inputs = math.prod(weights.shape[1:3]) if depthwise else math.prod(weights.shape[1:])
    yield from _weights(main, op, channels, 3 if depthwise else 0, inputs)


def transposed(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    """Rules of TRANSPOSE_CONV; arguments as of rules.problems."""
    weights = main.tensors[op.inputs[1]]
    if len(source.shape) != 4 or len(weights.shape) != 4 or weights.shape[3] != source.shape[3]:
        yield f"its filter {list(weights.shape)} does not fit an input {list(source.shape)}"
        return
    if op.options["padding"] not in ("same", "valid") or min(op.options["stride"]) < 1 or min(weights.shape) < 1:
        raise ValueError
    yield from same(tuple(shapes.ints(main.tensors[op.inputs[0]])), target)
    if len(target.shape) != 4 or (source.shape[0], weights.shape[0]) != (target.shape[0], target.shape[3]):
        yield f"makes {list(source.shape)} into {list(target.shape)} by {weights.shape[0]} filters"
    yield from _weights(main, op, weights.shape[0], 0, math.prod(weights.shape[1:]))


def fully_connected(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    """Rules of FULLY_CONNECTED; arguments as of rules.problems."""
    weights = main.tensors[op.inputs[1]]
    if op.options["weights_format"]:
        yield "its weights are shuffled"
        return
    if len(weights.shape) != 2 or source.elements % weights.shape[1]:
        yield f"its filter {list(weights.shape)} does not fit an input of {source.elements}"
        return
    if target.elements != source.elements // weights.shape[1] * weights.shape[0]:
        yield f"its output is declared {list(target.shape)}"
    yield from _weights(main, op, weights.shape[0], 0, weights.shape[1])


def _weights(main: Subgraph, op: Operator, channels: int, axis: int, inputs: int) -> Iterator[str]:
    weights = main.tensors[op.inputs[1]]
    if weights.type != "int8":
        yield f"its filter is {weights.type}, not int8"
        return
    if any(weights.zero_points):
        yield "its filter has a zero point"
    if len(weights.scales) not in (1, channels) or not all(math.isfinite(s) and s >= 0 for s in weights.scales):
        yield f"its filter has {len(weights.scales)} scales for {channels} channels"
    elif len(weights.scales) > 1 and weights.axis != axis:
        yield f"its filter has its scales along axis {weights.axis}, not {axis}"
    if inputs > ROW_LIMIT:
        yield f"{inputs} inputs an output are more than the {ROW_LIMIT} that the kernels add up"
    bias = shapes.bias_input(main, op)
    wanted = "int64" if shapes.data_input(main, op).type == "int16" else "int32"
    if bias is not None and (bias.type != wanted or bias.elements != channels):
        yield f"its bias is {bias.type}{list(bias.shape)}, not {wanted}[{channels}]"
