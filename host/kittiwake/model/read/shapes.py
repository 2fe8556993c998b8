"""Shapes of operators: windows, slices, splits and axes, as TFLite's schema defines them.

Knows the definitions; whether a file keeps to them is judged in rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from kittiwake.model.read.graph import Operator, Subgraph, Tensor

FILTERS = ("CONV_2D", "DEPTHWISE_CONV_2D")  # whose weights walk over an image
# Where an operator's data and bias stand among its inputs, if not first and third.
_DATA = {"SPLIT": 1, "TRANSPOSE_CONV": 2}
_BIAS = {"TRANSPOSE_CONV": 3}


@dataclass(frozen=True)
class Window:
    """How a filter walks over an image, one dimension.

    Attributes:
        outputs: positions.
        before: elements of padding in front.
        after: behind.
    """

    outputs: int
    before: int
    after: int


def window(size: int, filter_: int, stride: int, dilation: int, padding: str) -> Window:
    """Place a filter along one dimension, as TFLite pads."""
    reach = (filter_ - 1) * dilation + 1
    if padding == "valid":
        return Window(max(0, (size - reach + stride) // stride), 0, 0)
    outputs = -(-size // stride)
    total = max(0, (outputs - 1) * stride + reach - size)
    return Window(outputs, total // 2, total - total // 2)


def sides(op: Operator, shape: tuple[int, ...], filter_: tuple[int, ...]) -> tuple[Window, Window]:
    """Place an operator's filter over an image.

    Args:
        op: a convolution or a pooling; the option "pads", of a strip (strips.py), says (before, after) of each.
        shape: of the image.
        filter_: height and width.

    Returns:
        How it walks down, and across.
    """
    stride, dilation, padding = op.options["stride"], op.options.get("dilation", (1, 1)), op.options["padding"]
    if "pads" in op.options:
        pads = op.options["pads"]
        sizes = [shape[1 + i] + sum(pads[i]) for i in (0, 1)]
        outputs = [window(sizes[i], filter_[i], stride[i], dilation[i], "valid").outputs for i in (0, 1)]
        return Window(outputs[0], *pads[0]), Window(outputs[1], *pads[1])
    down, across = (window(shape[1 + i], filter_[i], stride[i], dilation[i], padding) for i in (0, 1))
    return down, across


def ints(tensor: Tensor) -> list[int]:
    """Content of a constant int32 tensor.

    Raises:
        ValueError: it is something else.
    """
    if tensor.type != "int32" or tensor.data is None or len(tensor.data) % 4:
        raise ValueError
    data = tensor.data
    return [int.from_bytes(data[i : i + 4], "little", signed=True) for i in range(0, len(data), 4)]


def biases(tensor: Tensor) -> list[int]:
    """Content of a constant int32 or int64 tensor."""
    width = 8 if tensor.type == "int64" else 4
    data = tensor.content
    return [int.from_bytes(data[i : i + width], "little", signed=True) for i in range(0, len(data), width)]


def bounds(main: Subgraph, op: Operator) -> tuple[list[tuple[int, int, int]], tuple[int, ...]]:
    """What a STRIDED_SLICE takes: (start, count, step) of each dimension of its input, and the output's shape.

    Raises:
        ValueError: masks or steps that are not supported.
    """
    shape = main.tensors[op.inputs[0]].shape
    begin, end, step = (ints(main.tensors[index]) for index in op.inputs[1:4])
    o = op.options
    if not len(begin) == len(end) == len(step) <= len(shape) or o["ellipsis_mask"] or o["new_axis_mask"] or o["offset"]:
        raise ValueError
    taken, kept = [], []
    for axis, size in enumerate(shape):
        if axis >= len(begin):
            taken.append((0, size, 1))
            kept.append(size)
            continue
        if step[axis] < 1:
            raise ValueError
        first = begin[axis] + size * (begin[axis] < 0)
        stop = end[axis] + size * (end[axis] < 0)
        first = 0 if o["begin_mask"] >> axis & 1 else max(0, min(size, first))
        stop = size if o["end_mask"] >> axis & 1 else max(0, min(size, stop))
        if o["shrink_axis_mask"] >> axis & 1:
            first = begin[axis] + size * (begin[axis] < 0)
            if not 0 <= first < size:
                raise ValueError
            taken.append((first, 1, 1))
            continue
        count = -(-(stop - first) // step[axis]) if stop > first else 0
        taken.append((first, count, step[axis]))
        kept.append(count)
    return taken, tuple(kept)


def sizes_of_split(main: Subgraph, op: Operator) -> tuple[int, list[int]]:
    """Axis and sizes of a SPLIT or SPLIT_V.

    Raises:
        ValueError: they do not add up.
    """
    if op.kind == "SPLIT":
        axis_tensor, data = main.tensors[op.inputs[0]], main.tensors[op.inputs[1]]
    else:
        data, axis_tensor = main.tensors[op.inputs[0]], main.tensors[op.inputs[2]]
    (axis,) = ints(axis_tensor)
    axis = normal_axis(axis, len(data.shape))
    whole = data.shape[axis]
    if op.kind == "SPLIT":
        if whole % len(op.outputs):
            raise ValueError
        return axis, [whole // len(op.outputs)] * len(op.outputs)
    sizes = ints(main.tensors[op.inputs[1]])
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = whole - sum(sizes) - 1
    if sum(sizes) != whole or min(sizes) < 1 or len(sizes) != len(op.outputs):
        raise ValueError
    return axis, sizes


def normal_axis(axis: int, ranks: int) -> int:
    """An axis counted from the front.

    Raises:
        ValueError: there is none such.
    """
    axis += ranks * (axis < 0)
    if not 0 <= axis < ranks:
        raise ValueError
    return axis


def permutation(main: Subgraph, op: Operator) -> list[int]:
    """Axes of a TRANSPOSE's input, in the output's order.

    Raises:
        ValueError: they are no permutation.
    """
    axes = ints(main.tensors[op.inputs[1]])
    if sorted(axes) != list(range(len(main.tensors[op.inputs[0]].shape))):
        raise ValueError
    return axes


def factors_of_resize(main: Subgraph, op: Operator) -> tuple[int, int]:
    """How often a RESIZE_NEAREST_NEIGHBOR repeats rows and columns.

    Raises:
        ValueError: the new size is no multiple of the old, or corners are aligned.
    """
    sides = main.tensors[op.inputs[0]].shape[1:3]
    sizes = ints(main.tensors[op.inputs[1]])
    if len(sizes) != 2 or op.options["align_corners"] or any(n < side for n, side in zip(sizes, sides, strict=True)):
        raise ValueError
    if any(n % side for n, side in zip(sizes, sides, strict=True)):
        raise ValueError
    return sizes[0] // sides[0], sizes[1] // sides[1]


def blocks(main: Subgraph, op: Operator) -> tuple[list[int], list[tuple[int, int]]]:
    """Block sizes, and paddings or crops, of a SPACE_TO_BATCH_ND or BATCH_TO_SPACE_ND, a spatial axis each.

    Raises:
        ValueError: they do not fit the input.
    """
    shape = main.tensors[op.inputs[0]].shape
    sizes, flat = (ints(main.tensors[index]) for index in op.inputs[1:3])
    if len(shape) not in (3, 4) or len(sizes) != len(shape) - 2 or len(flat) != 2 * len(sizes):
        raise ValueError
    if min(sizes) < 1 or min(flat) < 0:
        raise ValueError
    return sizes, list(zip(flat[::2], flat[1::2], strict=True))


def part(main: Subgraph, op: Operator) -> list[tuple[int, int]]:
    """What a SLICE takes: (start, count) of each dimension.

    Raises:
        ValueError: it is outside of its input.
    """
    shape = main.tensors[op.inputs[0]].shape
    starts, counts = (ints(main.tensors[index]) for index in op.inputs[1:3])
    ranges = [(a, n - a if count == -1 else count) for a, count, n in zip(starts, counts, shape, strict=True)]
    if any(a < 0 or count < 1 or a + count > n for (a, count), n in zip(ranges, shape, strict=True)):
        raise ValueError
    return ranges


def sides_of_product(main: Subgraph, op: Operator) -> tuple[int, int, int]:
    """Rows, columns and inner side of a BATCH_MATMUL.

    Raises:
        ValueError: the inner sides differ.
    """
    a, b = (main.tensors[index].shape[-2:] for index in op.inputs)
    rows, inner = a[::-1] if op.options["adj_x"] else a
    other, cols = b[::-1] if op.options["adj_y"] else b
    if inner != other:
        raise ValueError
    return rows, cols, inner


def joined_axes(main: Subgraph, op: Operator) -> list[int]:
    """Axes that a MEAN or REDUCE_MAX joins, in order."""
    ranks = len(main.tensors[op.inputs[0]].shape)
    return sorted({normal_axis(axis, ranks) for axis in ints(main.tensors[op.inputs[1]])})


def data_input(main: Subgraph, op: Operator) -> Tensor:
    """The tensor that an operator works on first."""
    return main.tensors[op.inputs[_DATA.get(op.kind, 0)]]


def bias_input(main: Subgraph, op: Operator) -> Tensor | None:
    """The bias of a layer with weights; None where it has none."""
    place = _BIAS.get(op.kind, 2)
    return main.tensors[op.inputs[place]] if len(op.inputs) > place and op.inputs[place] >= 0 else None
