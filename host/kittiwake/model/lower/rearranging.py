"""Operators that put bytes elsewhere: copies whose strides say it all, no arithmetic.

Every function adds the steps of one operator: work is the Lowering, op the operator, name what to call its steps.
"""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.model.lower import staging
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import View
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator


def transpose(work: Lowering, op: Operator, name: str) -> None:
    """Lower a TRANSPOSE."""
    ends = work.ends(op)
    axes = shapes.permutation(work.graph.main, op)
    view = ends.input
    turned = view.turned(ends.output.shape, tuple(view.strides[axis] for axis in axes))
    work.copy(turned, ends.output, name)


def resize_nearest_neighbor(work: Lowering, op: Operator, name: str) -> None:
    """Lower a RESIZE_NEAREST_NEIGHBOR by whole factors: columns are repeated first, then rows."""
    ends = work.ends(op)
    images, height, width, channels = ends.input.shape
    down, across = shapes.factors_of_resize(work.graph.main, op)
    wide = View.fresh((images, height, width, across, channels), ends.input.width)
    work.copy(_repeated(ends.input, 3, across), wide, name)
    rows = wide.reshape((images, height, width * across * channels))
    result = work.contiguous_home(ends.output)
    tall = result.reshape((images, height, down, width * across * channels))
    if rows is None or tall is None:
        raise ValueError(f"{op}: side by side, and no rows")
    work.copy(_repeated(rows, 2, down), tall, name)
    work.copy(result, ends.output, name)


def space_to_batch(work: Lowering, op: Operator, name: str) -> None:
    """Lower a SPACE_TO_BATCH_ND: what a converter puts before a dilated convolution."""
    ends = work.ends(op)
    blocks, pads = shapes.blocks(work.graph.main, op)
    view = ends.input
    if any(before or after for before, after in pads):
        around = [(0, 0), *pads, *[(0, 0)] * (len(view.shape) - 1 - len(pads))]
        view = staging.surrounded(work, view, around, ends.result.zero_point, name)
    for number, parts in enumerate(_every(blocks)):
        taken = view
        for axis, part in enumerate(parts, 1):
            taken = taken.slice(axis, part, taken.shape[axis] // blocks[axis - 1], blocks[axis - 1])
        work.copy(taken, ends.output.slice(0, number * view.shape[0], view.shape[0]), name)


def batch_to_space(work: Lowering, op: Operator, name: str) -> None:
    """Lower a BATCH_TO_SPACE_ND: what a converter puts behind a dilated convolution."""
    ends = work.ends(op)
    blocks, crops = shapes.blocks(work.graph.main, op)
    images = ends.output.shape[0]
    sides = [n * block for n, block in zip(ends.input.shape[1:], blocks, strict=False)]
    shape = (images, *sides, *ends.input.shape[1 + len(blocks) :])
    whole = View.fresh(shape, ends.input.width)
    for number, parts in enumerate(_every(blocks)):
        place = whole
        for axis, part in enumerate(parts, 1):
            place = place.slice(axis, part, ends.input.shape[axis], blocks[axis - 1])
        work.copy(ends.input.slice(0, number * images, images), place, name)
    for axis, (before, _) in enumerate(crops, 1):
        whole = whole.slice(axis, before, ends.output.shape[axis])
    work.copy(whole, ends.output, name)


def tile(work: Lowering, op: Operator, name: str) -> None:
    """Lower a TILE, axis by axis from the last."""
    ends = work.ends(op)
    view = ends.input
    times = shapes.ints(work.tensor(op.inputs[1]))
    for axis in reversed(range(len(times))):
        if times[axis] > 1:
            shape = (*view.shape[:axis], times[axis] * view.shape[axis], *view.shape[axis + 1 :])
            whole = View.fresh(shape, view.width)
            apart = (*view.shape[:axis], times[axis], *view.shape[axis:])
            work.copy(_repeated(view, axis, times[axis]), View.whole(whole.buffer, apart, view.width), name)
            view = whole
    work.copy(view, ends.output, name)


def _repeated(view: View, axis: int, times: int) -> View:
    """A view with one more axis, along which it repeats."""
    shape = (*view.shape[:axis], times, *view.shape[axis:])
    return view.turned(shape, (*view.strides[:axis], 0, *view.strides[axis:]))


def _every(sizes: list[int]) -> Iterator[tuple[int, ...]]:
    """Every index of an array, in order."""
    if not sizes:
        yield ()
        return
    for first in range(sizes[0]):
        for rest in _every(sizes[1:]):
            yield (first, *rest)
