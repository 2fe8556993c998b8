"""Margins: a tensor that is padded is made right in the middle of its padding, so that no copy puts it there.

It takes a copy less, and memory for one image instead of two while that is made; but more while the tensor is made,
which may be when most is wanted. Knows which operators pad and by what; how a tensor is computed is not known here.
"""

from __future__ import annotations

import math
from collections import Counter

from kittiwake.model.lower import staging
from kittiwake.model.lower.context import Lowering, Margin, padded_shape
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator


def find(work: Lowering) -> None:
    """Decide it, from the last operator to the first.

    Args:
        work: `margins` is filled in; homes are found.
    """
    main = work.graph.main
    makers = {index: op for op in main.operators for index in op.outputs}
    reads = Counter(index for op in main.operators for index in op.inputs) + Counter(main.outputs)
    most = max((_before(work, op) + _after(work, op) for op in main.operators if op.kind in shapes.FILTERS), default=0)
    for op in reversed(main.operators):
        margin = around(work, op)
        if margin is None:
            continue
        tensor = shapes.data_input(main, op)
        # The result of a PAD is the whole: it must not have a place elsewhere.
        wholes = (op.outputs[0],) if op.kind not in shapes.FILTERS else ()
        is_free = not any(_is_placed(work, index) for index in (tensor.index, *wholes))
        if not is_free or tensor.index not in makers or reads[tensor.index] > 1 or tensor.type != "int8":
            continue
        maker = makers[tensor.index]
        plain, padded = tensor.elements, _padded(work, op)
        given, made = _before(work, maker), 0 if wholes else _after(work, op)
        if padded + max(given, made) <= max(given + plain, padded + max(plain, made), most):
            work.margins[tensor.index] = Margin(margin.pads, margin.value, f"{maker.label} padding")


def around(work: Lowering, op: Operator) -> Margin | None:
    """Say what an operator puts around what it works on; None where that is nothing.

    Args:
        work: the Lowering.
        op: any operator.
    """
    main = work.graph.main
    name = f"{op.label} padding"
    if op.kind in shapes.FILTERS:
        source, weights = shapes.data_input(main, op), work.tensor(op.inputs[1])
        sides = shapes.sides(op, source.shape, weights.shape[1:3])
        if not any(side.before or side.after for side in sides):
            return None
        pads = ((0, 0), *((side.before, side.after) for side in sides), (0, 0))
        return Margin(pads, source.zero_point, name)
    if op.kind in ("PAD", "PADV2"):
        flat = shapes.ints(work.tensor(op.inputs[1]))
        value = work.tensor(op.outputs[0]).zero_point
        if op.kind == "PADV2":
            value = staging.signed(work.tensor(op.inputs[2]).content)[0]
        return Margin(tuple(zip(flat[::2], flat[1::2], strict=True)), value, name)
    return None


def _padded(work: Lowering, op: Operator) -> int:
    """Elements of an operator's input with what it puts around it."""
    tensor, margin = shapes.data_input(work.graph.main, op), around(work, op)
    if margin is None:
        return tensor.elements
    return math.prod(padded_shape(tensor.shape, margin.pads))


def _before(work: Lowering, op: Operator) -> int:
    """Elements that an operator reads, with what it puts around them."""
    if not op.inputs or not op.outputs:
        return 0
    if op.kind in shapes.FILTERS:
        return _padded(work, op)
    tensors = [work.tensor(index) for index in op.inputs if index >= 0]
    return sum(tensor.elements for tensor in tensors if tensor.data is None)


def _after(work: Lowering, op: Operator) -> int:
    return sum(work.tensor(index).elements for index in op.outputs)


def _is_placed(work: Lowering, index: int) -> bool:
    places = (work.inside, work.alias, work.streams, work.margins)
    return index in work.graph.main.outputs or any(index in place for place in places)
