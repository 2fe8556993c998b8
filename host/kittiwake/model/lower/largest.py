"""Operators that keep the largest: rows side by side, of which the kernel of MAX_POOL_2D takes the largest.

Every function adds the steps of one operator: work is the Lowering, op the operator, name what to call its steps.
"""

from __future__ import annotations

from kittiwake.model.lower import descriptors, staging, tables
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import Buffer, Step, View, ref
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator

# The least is the complement of the largest complement.
_COMPLEMENT = tables.of_bytes(lambda x: -1 - x)


def reduce_max(work: Lowering, op: Operator, name: str) -> None:
    """Lower a REDUCE_MAX: the joined axes become the rows."""
    ends = work.ends(op)
    view = ends.input
    joined = shapes.joined_axes(work.graph.main, op)
    order = [*joined, *(axis for axis in range(len(view.shape)) if axis not in joined)]
    turned = view.turned(tuple(view.shape[i] for i in order), tuple(view.strides[i] for i in order))
    rows = work.contiguous(turned, name)
    result = work.contiguous_home(ends.output)
    _largest(work, rows, view.elements // result.elements, result, name)
    work.copy(result, ends.output, name)


def maximum(work: Lowering, op: Operator, name: str) -> None:
    """Lower a MAXIMUM or MINIMUM of two arrays, broadcast over each other."""
    output = work.home(op.outputs[0])
    rows = View.whole(Buffer(2 * output.elements), (2, *output.shape))
    for number, index in enumerate(op.inputs):
        row = rows.slice(0, number, 1)
        source = work.read(index).spread_over(output.shape)
        place = row.turned(row.shape[1:], row.strides[1:])
        work.copy(source, place, name)  # first: a constant is in the plan, where the kernel of tables does not read
    if op.kind == "MINIMUM":
        staging.map_bytes(work, rows, rows, _COMPLEMENT, name)
    result = work.contiguous_home(output)
    _largest(work, rows, 2, result, name)
    if op.kind == "MINIMUM":
        staging.map_bytes(work, result, output, _COMPLEMENT, name)
    else:
        work.copy(result, output, name)


def _largest(work: Lowering, rows: View, count: int, result: View, name: str) -> None:
    """Add the step that takes, of each column of `count` rows side by side, the largest."""
    width = result.elements
    words = descriptors.words(
        "largest",
        input=ref(rows),
        output=ref(result),
        channels=width,
        rows=1,
        cols=1,
        height=count,
        width=1,
        filter_height=count,
        filter_width=1,
        stride_down=1,
        stride_across=1,
        pad_above=0,
        pad_left=0,
        in_row=width,
        in_col=width,
        out_row=width,
        out_col=width,
    )
    work.steps.append(Step("largest", words, [rows.buffer], [result.buffer], name, macs=width * count, outputs=width))
