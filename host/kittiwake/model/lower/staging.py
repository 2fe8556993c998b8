"""What lowerings share: pixels side by side, padding around a view, tables over its bytes.

Knows views and descriptors of tables, fills and copies; no operator.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from kittiwake.model.lower import descriptors, fixed, halfwords, tables, weights
from kittiwake.model.lower.context import Lowering, filling, padded_shape
from kittiwake.model.lower.steps import SCRATCH, Buffer, Data, Step, View, ref
from kittiwake.model.read.graph import Operator, Tensor


def pixels(work: Lowering, view: View, name: str) -> View:
    """Put the channels of a pixel side by side, by a copy where a slice has pulled them apart.

    Args:
        work: the Lowering.
        view: an image.
        name: what to call the step.

    Returns:
        The view, or its copy.
    """
    if view.shape[-1] == 1 or view.strides[-1] == view.width:
        return view
    packed = View.fresh(view.shape, view.width)
    work.copy(view, packed, name)
    return packed


def pack_words(values: Sequence[int]) -> Data:
    """Write 32-bit integers as constant bytes."""
    return Data(struct.pack(f"<{len(values)}i", *values))


def signed(data: bytes) -> list[int]:
    """Read bytes as int8 values."""
    return list(struct.unpack(f"<{len(data)}b", data))


def fits(
    work: Lowering, op: Operator, channels: Sequence[weights.Channel], layout: str, depthwise: bool = False
) -> bool:
    """Tell whether accumulators are within the kernels' reach; where they are not, the operator is refused.

    Args:
        work: the Lowering.
        op: whose they are.
        channels: of a layer.
        layout: in which its kernel reads weights.
        depthwise: whether these are taps.
    """
    problem = weights.problem(channels)
    if problem is None and layout == weights.ROWS:
        try:
            for channel in channels:
                weights.bias_of_rows(channel, depthwise)
        except ValueError as error:
            problem = str(error)
    if problem:
        work.refuse(op, problem)
    return problem is None


def clamp(work: Lowering, op: Operator, result: Tensor, view: View, name: str) -> None:
    """Narrow the output to its fused activation's range, in place, where that is not all of int8.

    Kernels that write halfwords do that themselves.

    Args:
        work: the Lowering.
        op: whose output it is.
        result: the output.
        view: where it is.
        name: what to call the step.
    """
    low, high = activation_range(op, result)
    if result.is_bytes and (low, high) != (-128, 127):
        map_bytes(work, view, view, tables.clamp(low, high), f"{name} activation")


def activation_range(op: Operator, result: Tensor) -> tuple[int, int]:
    """Give the least and the largest output that a fused activation leaves.

    Args:
        op: whose output it is.
        result: the output.
    """
    bounds = (-128, 127) if result.is_bytes else (halfwords.LOW, halfwords.HIGH)
    return fixed.activation_range(op.options.get("activation", "none"), result.scale, result.zero_point, bounds)


def map_bytes(work: Lowering, source: View, destination: View, table: bytes, name: str) -> None:
    """Map every byte by a table of 256, in place where the views allow.

    Args:
        work: the Lowering.
        source: what is read.
        destination: what is written, of the same shape.
        table: what each byte becomes, by the unsigned byte.
        name: what to call the step.
    """
    folded = source.folded(2, destination)
    if folded is None or folded[1][1] not in (0, 1) or folded[2][1] not in (0, 1):
        packed = View.fresh(source.shape)
        work.copy(source, packed, name)
        map_bytes(work, packed, packed, table, name)
        work.copy(packed, destination, name)
        return
    (rows, count), (step, _), (to_step, _) = folded
    words = descriptors.words(
        "table",
        input=ref(source),
        output=ref(destination),
        table=Data(table),
        rows=rows,
        row_bytes=count,
        in_row=step,
        out_row=to_step,
    )
    mapping = Step("table", words, [source.buffer], [destination.buffer], name, outputs=source.elements)
    mapping.joins = joint(source, destination)
    work.steps.append(mapping)


def joint(source: View, destination: View) -> tuple[Buffer, Buffer] | None:
    """Give the buffers that may be one, when a step reads and writes the whole of both; else None.

    Args:
        source: what the step reads.
        destination: what it writes.
    """
    a, b = source.buffer, destination.buffer
    whole = source.bytes == a.size == b.size == destination.bytes and source.offset == destination.offset == 0
    free = a is not b and a.kind == b.kind == SCRATCH and source.is_contiguous and destination.is_contiguous
    return (a, b) if whole and free else None


def surrounded(
    work: Lowering, view: View, pads: Sequence[tuple[int, int]], value: int, name: str, wanted: View | None = None
) -> View:
    """Put elements around a view.

    Args:
        work: the Lowering.
        view: what goes inside.
        pads: (before, after) of each dimension.
        value: of each byte of the elements around.
        name: what to call the steps.
        wanted: where it is wanted; used when contiguous.

    Returns:
        The larger view.
    """
    shape = padded_shape(view.shape, pads)
    whole = wanted if wanted is not None and wanted.is_contiguous else View.fresh(shape, view.width)
    work.steps.append(filling(whole, value, f"{name} padding"))
    inner = whole.inside(pads)
    work.copy(view, inner, f"{name} padding")
    return whole
