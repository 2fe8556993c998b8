"""What all lowerings share: the views at an operator's ends, padding around them, tables over them.

Knows views and descriptors of tables, fills and copies; no operator.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from kittiwake.model.lower import fixed, tables
from kittiwake.model.lower.steps import SCRATCH, Buffer, Data, Step, View, ref
from kittiwake.model.read.graph import Operator, Tensor


def ends(work, op: Operator) -> tuple[Tensor, View, Tensor, View]:
    """The first input and the output of an operator: (tensor, view, tensor, view)."""
    source, target = work.tensor(op.inputs[0]), work.tensor(op.outputs[0])
    return source, work.read(source.index), target, work.home(target.index)


def pixels(work, view: View, name: str) -> View:
    """The view with the channels of a pixel side by side, by a copy where a slice has pulled them apart."""
    if view.shape[-1] == 1 or view.strides[-1] == 1:
        return view
    packed = View.whole(Buffer(view.elements), view.shape)
    work.copy(view, packed, name)
    return packed


def pack_words(values: Sequence[int]) -> Data:
    """32-bit integers as constant bytes."""
    return Data(struct.pack(f"<{len(values)}i", *values))


def signed(data: bytes) -> list[int]:
    """The int8 values of bytes."""
    return list(struct.unpack(f"<{len(data)}b", data))


def clamp(work, op: Operator, target: Tensor, view: View, name: str) -> None:
    """Narrow the output to its fused activation's range, in place, where that is not all of int8."""
    low, high = fixed.activation_range(op.options.get("activation", "none"), target.scale, target.zero_point)
    if (low, high) != (-128, 127):
        map_bytes(work, view, view, tables.clamp(low, high), f"{name} activation")


def map_bytes(work, source: View, target: View, table: bytes, name: str) -> None:
    """Map every byte by a table of 256, in place where the views allow.

    Args:
        work: the Lowering.
        source, target: views of one shape.
        table: what each byte becomes, by the unsigned byte.
        name: what to call the step.
    """
    folded = source.folded(2, target)
    if folded is None or folded[1][1] not in (0, 1) or folded[2][1] not in (0, 1):
        packed = View.whole(Buffer(source.elements), source.shape)
        work.copy(source, packed, name)
        map_bytes(work, packed, packed, table, name)
        work.copy(packed, target, name)
        return
    (rows, count), (step, _), (to_step, _) = folded
    words = [ref(source), ref(target), Data(table), rows, count, step, to_step]
    made = Step("table", words, [source.buffer], [target.buffer], name, outputs=source.elements)
    made.joins = joint(source, target)
    work.steps.append(made)


def joint(source: View, target: View) -> tuple[Buffer, Buffer] | None:
    """The buffers that may be one, when a step reads and writes the whole of both; else None."""
    a, b = source.buffer, target.buffer
    whole = source.elements == a.size == b.size == target.elements and source.offset == target.offset == 0
    free = a is not b and a.kind == b.kind == SCRATCH and source.is_contiguous and target.is_contiguous
    return (a, b) if whole and free else None


def surrounded(work, view: View, pads, value: int, name: str, target: View | None = None) -> View:
    """A view with elements around it.

    Args:
        work: the Lowering.
        view: what goes inside.
        pads: (before, after) of each dimension.
        value: of the elements around.
        name: what to call the steps.
        target: where it is wanted; used when contiguous.

    Returns:
        The larger view.
    """
    shape = tuple(n + before + after for n, (before, after) in zip(view.shape, pads, strict=True))
    whole = target if target is not None and target.is_contiguous else View.whole(Buffer(math.prod(shape)), shape)
    words = [ref(whole), whole.elements, value & 0xFF]
    work.steps.append(Step("fill", words, [], [whole.buffer], f"{name} padding", outputs=whole.elements))
    inner = whole
    for axis, (before, _) in enumerate(pads):
        inner = inner.slice(axis, before, view.shape[axis])
    work.copy(view, inner, f"{name} padding")
    return whole
