"""What a region takes in strips, estimated: bytes that live while a strip is computed, and what is computed twice.

Knows graphs; a program is not made for it.
"""

from __future__ import annotations

import math

from kittiwake.model.read import shapes, strips
from kittiwake.model.read.graph import Operator, Subgraph
from kittiwake.model.read.strips import Needs, Region

_WIDTH, _CHANNELS = 2, 3


def macs(main: Subgraph, op: Operator) -> int:
    """Count an operator's multiply-accumulates; of one without weights, its outputs."""
    outputs = main.tensors[op.outputs[0]].elements
    if op.kind not in shapes.FILTERS:
        return outputs
    weights = main.tensors[op.inputs[1]].shape
    return outputs * math.prod(weights[1:] if op.kind == "CONV_2D" else weights[1:3])


def repeated(main: Subgraph, region: Region, count: int) -> int | None:
    """Count the multiply-accumulates that strips do more than once.

    Args:
        main: the region's graph.
        region: of it.
        count: of strips.

    Returns:
        They; None where a strip would lie in padding alone.
    """
    rows: dict[int, int] = {}
    for start, stop in strips.borders(main.tensors[region.result].shape[1], count):
        needed = strips.needs(main, region, start, stop)
        if needed is None:
            return None
        for index, taken in needed.items():
            rows[index] = rows.get(index, 0) + taken.count
    total = 0
    for op in main.operators[region.first : region.last + 1]:
        height = main.tensors[op.outputs[0]].shape[1]
        total += macs(main, op) * (rows.get(op.outputs[0], 0) - height) // height
    return total


def padded_bytes(main: Subgraph, index: int) -> int:
    """Count the bytes of a tensor with the padding that its one reader wants around it.

    Args:
        main: its graph.
        index: of the tensor.
    """
    tensor = main.tensors[index]
    readers = [op for op in main.operators if index in op.inputs]
    if len(readers) != 1 or readers[0].kind not in shapes.FILTERS:
        return tensor.elements
    sides = shapes.sides(readers[0], tensor.shape, strips.filter_of(main, readers[0]))
    down, across = (side.before + side.after for side in sides)
    return (tensor.shape[1] + down) * (tensor.shape[_WIDTH] + across) * tensor.shape[_CHANNELS]


def strip_bytes(main: Subgraph, region: Region, start: int, stop: int) -> int:
    """Count the bytes that live at once while a strip is computed, the region's own two ends left out.

    Args:
        main: the region's graph.
        region: of it.
        start: first row of the result.
        stop: the one behind its last; for such rows no operator works on padding alone.
    """
    needed = strips.needs(main, region, start, stop) or {}
    operators = [op for op in main.operators[region.first : region.last + 1] if op.outputs[0] in needed]
    last = {index: at for at, op in enumerate(operators) for index in op.inputs}
    alive: dict[int, int] = {}
    most = 0
    for at, op in enumerate(operators):
        result = op.outputs[0]
        size = 0 if result == region.result else _bytes(main, needed, operators, result)
        sources = [index for index in op.inputs if index in alive]
        copied = 0
        if op.kind in shapes.FILTERS and (not sources or _readers(operators, sources[0]) > 1):
            copied = _around(main, op, needed)
        ended = sum(alive[index] for index in sources if last[index] == at)
        # Tables, sums and joins work in place; padding is put around a tensor where it lies.
        shared = 0 if op.kind in (*shapes.FILTERS, *strips.POOLS) else min(size, ended)
        most = max(most, sum(alive.values()) + size + copied - shared)
        alive = {index: left for index, left in alive.items() if last[index] > at}
        if result != region.result:
            alive[result] = size
    return most


def _readers(operators: list[Operator], index: int) -> int:
    return sum(op.inputs.count(index) for op in operators)


def _bytes(main: Subgraph, needed: Needs, operators: list[Operator], index: int) -> int:
    """Of a strip of a tensor, with the padding around it where its reader finds it there."""
    readers = [op for op in operators if index in op.inputs]
    if len(readers) == 1 and readers[0].kind in shapes.FILTERS:
        return _around(main, readers[0], needed) or _plain(main, needed, index)
    return _plain(main, needed, index)


def _plain(main: Subgraph, needed: Needs, index: int) -> int:
    shape = main.tensors[index].shape
    return needed[index].count * shape[_WIDTH] * shape[_CHANNELS]


def _around(main: Subgraph, op: Operator, needed: Needs) -> int:
    """Bytes of a filter's input with its padding; 0 where it has none."""
    rows = needed[op.outputs[0]]
    taken = strips.rows_of(main, op, rows.start, rows.stop)
    shape = shapes.data_input(main, op).shape
    across = shapes.sides(op, shape, strips.filter_of(main, op))[1]
    if not (taken.above or taken.below or across.before or across.after):
        return 0
    height = taken.count + taken.above + taken.below
    return height * (shape[_WIDTH] + across.before + across.after) * shape[_CHANNELS]
