"""Rules of each operator: what of its options and tensors keeps it from being compiled.

Knows the operators' definitions as TFLite's schema gives them; no kernel and no plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from kittiwake.model.read import halfword_rules, layer_rules, recurrent_rules, shapes
from kittiwake.model.read.graph import Operator, Subgraph, Tensor
from kittiwake.model.read.quantisation import problems_of

# Exponentials whose sum reaches 512 make TFLite Micro's SOFTMAX shift by more than 31 bits: it aborts. A sum of 4096
# leaves the 32 bits of either.
_CLASSES = {"SOFTMAX": 511, "LOG_SOFTMAX": 4095}
# A network whose channels all are dead gets steps of 2^-27. Below these, TFLite Micro shifts by a negative number, and
# its SOFTMAX aborts.
_LEAST_SCALE_OF_CURVES, _LEAST_SCALE_OF_SOFTMAX = 2**-28, 2**-26
_FUSED = ("none", "relu", "relu6", "relu_n1_to_1")


def problems(main: Subgraph, op: Operator) -> Iterator[str]:
    """Say what is wrong with an operator whose tensors are bytes of known shape.

    Args:
        main: its subgraph.
        op: the operator.

    Yields:
        A reason each.

    Raises:
        ValueError: constants or options that mean nothing (also IndexError, ZeroDivisionError).
    """
    yield from _fused(op)
    source = shapes.data_input(main, op)
    target = main.tensors[op.outputs[0]]
    check = _CHECKS.get(op.kind)
    if check is not None:
        yield from check(main, op, source, target)


def _fused(op: Operator) -> Iterator[str]:
    activation = op.options.get("activation", "none")
    if activation not in _FUSED:
        yield f"the fused activation {activation} is not supported"


def _pool(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    if len(source.shape) != 4:
        yield "its input does not have four dimensions"
        return
    yield from layer_rules.windowed(op, source, target, op.options["filter"], source.shape[3])
    yield from _equal_scales(source, target)


def _equal_scales(source: Tensor, target: Tensor) -> Iterator[str]:
    if (source.scale, source.zero_point) != (target.scale, target.zero_point):
        yield "its output has another scale or zero point than its input"


def _broadcast(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    other = main.tensors[op.inputs[1]]
    ranks = max(len(source.shape), len(other.shape))
    a, b = ((1,) * (ranks - len(t.shape)) + t.shape for t in (source, other))
    if any(x != y and 1 not in (x, y) for x, y in zip(a, b, strict=True)):
        yield f"shapes {list(source.shape)} and {list(other.shape)} do not go together"
        return
    yield from layer_rules.same(tuple(max(x, y) for x, y in zip(a, b, strict=True)), target)
    if op.kind in ("MAXIMUM", "MINIMUM"):
        yield from _equal_scales(source, target)
        yield from _equal_scales(other, target)
    elif op.kind in ("ADD", "SUB"):
        twice = 2 * max(source.scale, other.scale)
        if not twice / (target.scale * (1 << (20 if target.is_bytes else 15))) < 1:
            yield "its output's scale is too small for its inputs'"
    elif source.scale * other.scale / target.scale >= (1 << 13 if target.is_bytes else 1):
        yield "its output's scale is too small for its inputs'"


def _tile(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    times = shapes.ints(main.tensors[op.inputs[1]])
    if len(times) != len(source.shape):
        raise ValueError
    yield from layer_rules.same(tuple(n * more for n, more in zip(source.shape, times, strict=True)), target)
    yield from _equal_scales(source, target)


def _sloped(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    slopes = main.tensors[op.inputs[1]]
    yield from layer_rules.same(source.shape, target)
    if slopes.type != "int8":
        yield f"its slopes are {slopes.type}, not int8"
        return
    bad = list(problems_of(slopes))
    if bad:
        yield from bad
        return
    sizes = (1,) * (len(source.shape) - len(slopes.shape)) + slopes.shape
    if len(sizes) != len(source.shape) or any(n not in (1, m) for n, m in zip(sizes, source.shape, strict=True)):
        yield f"its slopes {list(slopes.shape)} do not go together with {list(source.shape)}"
    if max(source.scale, source.scale * slopes.scale) / target.scale >= 1 << 13:
        yield "its output's scale is too small for its inputs'"


def _pack(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    axis = shapes.normal_axis(op.options["axis"], len(source.shape) + 1)
    yield from layer_rules.same((*source.shape[:axis], len(op.inputs), *source.shape[axis:]), target)
    for tensor in (main.tensors[index] for index in op.inputs):
        yield from layer_rules.same(source.shape, tensor)
        yield from _equal_scales(tensor, target)


def _unpack(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    axis = shapes.normal_axis(op.options["axis"], len(source.shape))
    if source.shape[axis] != len(op.outputs):
        raise ValueError
    for tensor in (main.tensors[index] for index in op.outputs):
        yield from layer_rules.same(source.shape[:axis] + source.shape[axis + 1 :], tensor)
        yield from _equal_scales(source, tensor)


def _part(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    yield from layer_rules.same(tuple(count for _, count in shapes.part(main, op)), target)
    yield from _equal_scales(source, target)


def _product(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    other = main.tensors[op.inputs[1]]
    if min(len(source.shape), len(other.shape)) < 2:
        raise ValueError
    rows, cols, _ = shapes.sides_of_product(main, op)
    ranks = max(len(source.shape), len(other.shape))
    a, b = ((1,) * (ranks - len(t.shape)) + t.shape[:-2] for t in (source, other))
    if any(x != y and 1 not in (x, y) for x, y in zip(a, b, strict=True)):
        yield f"batches {list(source.shape)} and {list(other.shape)} do not go together"
        return
    yield from layer_rules.same((*(max(x, y) for x, y in zip(a, b, strict=True)), rows, cols), target)


def _concatenation(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    inputs = [main.tensors[index] for index in op.inputs]
    axis = shapes.normal_axis(op.options["axis"], len(target.shape))
    if op.options["activation"] != "none":
        yield "a fused activation is not supported"
    if any(len(t.shape) != len(target.shape) for t in inputs):
        yield "its inputs have another number of dimensions than its output"
        return
    expected = list(source.shape)
    expected[axis] = sum(t.shape[axis] for t in inputs)
    for t in inputs:
        if t.shape[:axis] + t.shape[axis + 1 :] != source.shape[:axis] + source.shape[axis + 1 :]:
            raise ValueError
        yield from _equal_scales(t, target)
    yield from layer_rules.same(tuple(expected), target)


def _slice(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    yield from layer_rules.same(shapes.bounds(main, op)[1], target)


def _split(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    axis, sizes = shapes.sizes_of_split(main, op)
    for index, size in zip(op.outputs, sizes, strict=True):
        yield from layer_rules.same(source.shape[:axis] + (size,) + source.shape[axis + 1 :], main.tensors[index])


def _reshape(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    if source.elements != target.elements or source.type != target.type:
        yield f"turns {source.type}{list(source.shape)} into {target.type}{list(target.shape)}"


def _pad(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    pads = shapes.ints(main.tensors[op.inputs[1]])
    if len(pads) != 2 * len(source.shape) or min(pads) < 0:
        raise ValueError
    yield from layer_rules.same(tuple(n + pads[2 * i] + pads[2 * i + 1] for i, n in enumerate(source.shape)), target)
    yield from _equal_scales(source, target)
    if op.kind == "PADV2" and (main.tensors[op.inputs[2]].type != "int8" or main.tensors[op.inputs[2]].elements != 1):
        yield "its value is not one int8"


def _reduction(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    axes = shapes.joined_axes(main, op)
    keeps = op.options["keep_dims"]
    kept = tuple(1 if i in axes else n for i, n in enumerate(source.shape) if keeps or i not in axes)
    yield from layer_rules.same(kept, target)
    if math.prod(source.shape[axis] for axis in axes) > 1 << 20:
        yield "it joins more than 2^20 elements"
    if op.kind == "REDUCE_MAX":
        yield from _equal_scales(source, target)


def _transpose(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    yield from layer_rules.same(tuple(source.shape[axis] for axis in shapes.permutation(main, op)), target)
    yield from _equal_scales(source, target)


def _resize(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    if len(source.shape) != 4:
        yield "its input does not have four dimensions"
        return
    down, across = shapes.factors_of_resize(main, op)
    images, height, width, channels = source.shape
    yield from layer_rules.same((images, height * down, width * across, channels), target)
    yield from _equal_scales(source, target)


def _blocks(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    sizes, margins = shapes.blocks(main, op)
    yield from _equal_scales(source, target)
    sides = list(zip(source.shape[1:], sizes, margins, strict=False))
    times = math.prod(sizes)
    if op.kind == "SPACE_TO_BATCH_ND":
        if any((n + before + after) % size for n, size, (before, after) in sides):
            raise ValueError
        batch, new = source.shape[0] * times, [(n + before + after) // size for n, size, (before, after) in sides]
    else:
        if source.shape[0] % times:
            raise ValueError
        batch, new = source.shape[0] // times, [n * size - before - after for n, size, (before, after) in sides]
    yield from layer_rules.same((batch, *new, source.shape[-1]), target)


def _elementwise(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    yield from layer_rules.same(source.shape, target)
    if source.type == "float32" and target.type not in ("int8", "int16"):  # a QUANTIZE
        yield f"turns floats into {target.type}, not into int8"
    halves = target.type == "int16"
    quantisation = (halfword_rules.QUANTISATIONS if halves else _QUANTISATIONS).get(op.kind)
    if quantisation and (target.scale, target.zero_point) != quantisation:
        yield f"its output has the scale {target.scale:g} and the zero point {target.zero_point}, not {quantisation}"
    if op.kind == "LEAKY_RELU" and not 0 <= op.options["alpha"] < 1 << 20:
        yield f"its slope {op.options['alpha']:g} is negative or beyond 2^20"
    if not halves and op.kind in ("LOGISTIC", "TANH") and source.scale < _LEAST_SCALE_OF_CURVES:
        yield f"its input's scale {source.scale:g} is out of range"
    if not halves and op.kind in _CLASSES:
        scale = op.options.get("beta", 1.0) * source.scale
        if not _LEAST_SCALE_OF_SOFTMAX < scale < 2**30:
            yield f"beta times its input's scale, {scale:g}, is out of range"
        if not source.shape or source.shape[-1] > _CLASSES[op.kind]:
            yield f"its last dimension is no count of classes up to {_CLASSES[op.kind]}"


# What TFLite fixes an output's scale and zero point to.
_QUANTISATIONS = {
    "LOGISTIC": (1 / 256, -128),
    "SOFTMAX": (1 / 256, -128),
    "TANH": (1 / 128, 0),
    "LOG_SOFTMAX": (1 / 16, 127),
}

_CHECKS = {
    "CONV_2D": layer_rules.convolution,
    "DEPTHWISE_CONV_2D": layer_rules.convolution,
    "FULLY_CONNECTED": layer_rules.fully_connected,
    "TRANSPOSE_CONV": layer_rules.transposed,
    "PRELU": _sloped,
    "PACK": _pack,
    "UNPACK": _unpack,
    "SLICE": _part,
    "BATCH_MATMUL": _product,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent_rules.lstm,
    "SVDF": recurrent_rules.svdf,
    "TILE": _tile,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "ADD": _broadcast,
    "MUL": _broadcast,
    "CONCATENATION": _concatenation,
    "STRIDED_SLICE": _slice,
    "SPLIT": _split,
    "SPLIT_V": _split,
    "RESHAPE": _reshape,
    "PAD": _pad,
    "PADV2": _pad,
    "MEAN": _reduction,
    "REDUCE_MAX": _reduction,
    "TRANSPOSE": _transpose,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SPACE_TO_BATCH_ND": _blocks,
    "BATCH_TO_SPACE_ND": _blocks,
    "SUB": _broadcast,
    "MAXIMUM": _broadcast,
    "MINIMUM": _broadcast,
    "LEAKY_RELU": _elementwise,
    "ELU": _elementwise,
    "POINTWISE": _elementwise,
    "RELU": _elementwise,
    "RELU6": _elementwise,
    "LOGISTIC": _elementwise,
    "TANH": _elementwise,
    "SOFTMAX": _elementwise,
    "LOG_SOFTMAX": _elementwise,
    "QUANTIZE": _elementwise,
    "DEQUANTIZE": _elementwise,
}
