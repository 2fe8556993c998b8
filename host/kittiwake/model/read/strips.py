"""Strips: operators that follow each other, computed a few rows of their result at a time instead of each as a whole.

What a strip needs of each tensor is found from its result backwards; rows that two strips need are computed in both.
The graph that comes of it has slices, operators with paddings of their own and a concatenation, so that kernels and
plans know nothing of strips. Knows how operators walk over rows; neither memory nor costs.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Graph, Operator, Subgraph, Tensor
from kittiwake.model.read.shapes import FILTERS

POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_PADS = ("PAD", "PADV2")
_ALONE = ("RELU", "RELU6", "LOGISTIC", "TANH", "LEAKY_RELU", "ELU", "POINTWISE", "QUANTIZE")
_TOGETHER = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU", "CONCATENATION")
_ROWS = 1  # the axis
_CHANNELS = 3
_LONGEST = 64  # operators of a region


@dataclass(frozen=True)
class Rows:
    """Rows of an image, and rows of padding around them.

    Attributes:
        start, stop: the first, and the one behind the last.
        above, below: of padding.
    """

    start: int
    stop: int
    above: int = 0
    below: int = 0

    @property
    def count(self) -> int:
        """Rows without the padding."""
        return self.stop - self.start


# Tensor -> the rows of it that a strip takes, paddings left out.
Needs = dict[int, Rows]


@dataclass(frozen=True)
class Region:
    """Operators that follow each other and can be computed in strips.

    Attributes:
        first, last: their places in the graph.
        entry: the one tensor that they take from outside.
        result: the one that is used outside.
    """

    first: int
    last: int
    entry: int
    result: int

    def contains(self, other: Region) -> bool:
        """Whether all of another region's operators are this one's, too."""
        return self.first <= other.first and other.last <= self.last

    def overlaps(self, other: Region) -> bool:
        """Whether some of them are."""
        return self.first <= other.last and other.first <= self.last


def regions(main: Subgraph) -> Iterator[Region]:
    """Yield every region of a graph, of two operators or more.

    Args:
        main: an admitted model's.
    """
    last_reads = {index: at for at, op in enumerate(main.operators) for index in op.inputs}
    last_reads |= dict.fromkeys(main.outputs, len(main.operators))
    for first in range(len(main.operators)):
        made: set[int] = set()
        outside: set[int] = set()
        for last in range(first, min(first + _LONGEST, len(main.operators))):
            op = main.operators[last]
            sources = images(main, op)
            if sources is None:
                break
            outside |= {index for index in sources if index not in made}
            if len(outside) > 1:
                break
            made.add(op.outputs[0])
            used = {index for index in made if last_reads.get(index, -1) > last}
            if used == {op.outputs[0]} and last > first and main.tensors[op.outputs[0]].shape[_ROWS] > 1:
                yield Region(first, last, next(iter(outside)), op.outputs[0])


def images(main: Subgraph, op: Operator) -> list[int] | None:
    """Tell which of its inputs an operator takes row by row; None where it does not go row by row.

    Args:
        main: the operator's graph.
        op: any.
    """
    if len(op.outputs) != 1 or not _is_image(main.tensors[op.outputs[0]]):
        return None
    if op.kind in (*FILTERS, *POOLS, *_PADS, *_ALONE):
        sources = [shapes.data_input(main, op).index]
    elif op.kind in _TOGETHER:
        if op.kind == "CONCATENATION" and shapes.normal_axis(op.options["axis"], 4) != _CHANNELS:
            return None
        sources = [index for index in op.inputs if main.tensors[index].data is None]
        rest = [main.tensors[index].shape for index in op.inputs if index not in sources]
        rows = main.tensors[op.outputs[0]].shape[_ROWS]
        # What is constant is the same for every row.
        if any(len(shape) > 2 and shape[-3] != 1 for shape in rest):
            return None
        if any(main.tensors[index].shape[_ROWS : _ROWS + 1] != (rows,) for index in sources):
            return None
    else:
        return None
    ends_in_floats = op.kind == "QUANTIZE" and main.tensors[sources[0]].type in ("float32", "uint8")
    are_images = all(_is_image(main.tensors[index], ends_in_floats) for index in sources)
    return sources if sources and are_images else None


def _is_image(tensor: Tensor, any_type: bool = False) -> bool:
    of_bytes = tensor.type == "int8" or any_type
    return of_bytes and len(tensor.shape) == 4 and tensor.shape[0] == 1 and tensor.data is None


def needs(main: Subgraph, region: Region, start: int, stop: int) -> Needs | None:
    """Tell which rows of each tensor a strip of the result takes.

    Args:
        main: the region's graph.
        region: of it.
        start: first row of the result.
        stop: the one behind its last.

    Returns:
        They; None where an operator would work on padding alone.
    """
    wanted: Needs = {region.result: Rows(start, stop)}
    for op in reversed(main.operators[region.first : region.last + 1]):
        rows = wanted.get(op.outputs[0])
        if rows is None:
            continue
        taken = rows_of(main, op, rows.start, rows.stop)
        if taken.count < 1:
            return None
        for index in images(main, op) or ():
            had = wanted.get(index, taken)
            wanted[index] = Rows(min(had.start, taken.start), max(had.stop, taken.stop))
    return wanted


def rows_of(main: Subgraph, op: Operator, start: int, stop: int) -> Rows:
    """Tell which rows of its input an operator takes for rows of its output, with the padding that lies among them.

    Args:
        main: the operator's graph.
        op: one that `images` knows.
        start: first row of its output.
        stop: the one behind its last.
    """
    source = shapes.data_input(main, op)
    size = source.shape[_ROWS]
    if op.kind in _PADS:
        before = shapes.ints(main.tensors[op.inputs[1]])[2 * _ROWS]
        first, end = start - before, stop - before
    elif op.kind in (*FILTERS, *POOLS):
        filter_ = filter_of(main, op)
        side, stride = shapes.sides(op, source.shape, filter_)[0], op.options["stride"][0]
        reach = (filter_[0] - 1) * op.options.get("dilation", (1, 1))[0] + 1
        first, end = start * stride - side.before, (stop - 1) * stride - side.before + reach
    else:
        return Rows(start, stop)
    return Rows(max(0, first), min(size, end), max(0, -first), max(0, end - size))


def filter_of(main: Subgraph, op: Operator) -> tuple[int, ...]:
    """Height and width of a convolution's or a pooling's filter."""
    return op.options["filter"] if op.kind in POOLS else main.tensors[op.inputs[1]].shape[1:3]


def borders(rows: int, strips: int) -> list[tuple[int, int]]:
    """Cut rows into strips of about the same height.

    Args:
        rows: how many.
        strips: how many, not more than rows.

    Returns:
        First row of each, and the one behind its last.
    """
    edges = [rows * strip // strips for strip in range(strips + 1)]
    return list(zip(edges, edges[1:], strict=False))


def cut(graph: Graph, cuts: Sequence[tuple[Region, int]]) -> Graph:
    """Cut regions of a graph into strips.

    Args:
        graph: an admitted model.
        cuts: regions that do not overlap, and how many strips each is computed in.

    Returns:
        A graph that gives the same. Each operator has its number in as many strips as there are.

    Raises:
        ValueError: a strip would work on padding alone.
    """
    main = graph.main
    maker = _Cutter(main)
    operators: list[Operator] = []
    at = 0
    for region, strips in sorted(cuts, key=lambda each: each[0].first):
        operators += main.operators[at : region.first]
        operators += maker.strips(region, borders(main.tensors[region.result].shape[_ROWS], strips))
        at = region.last + 1
    operators += main.operators[at:]
    made = dataclasses.replace(main, tensors=tuple(maker.tensors), operators=tuple(operators))
    return dataclasses.replace(graph, subgraphs=(made, *graph.subgraphs[1:]))


class _Cutter:
    def __init__(self, main: Subgraph):
        self._main = main
        self.tensors = list(main.tensors)

    def strips(self, region: Region, parts: Sequence[tuple[int, int]]) -> list[Operator]:
        """The operators of all strips, and what joins them."""
        operators: list[Operator] = []
        results = []
        for start, stop in parts:
            needed = needs(self._main, region, start, stop)
            if needed is None:
                raise ValueError(f"a strip of rows {start} to {stop} lies in padding")
            made: dict[int, int] = {}
            for op in self._main.operators[region.first : region.last + 1]:
                if op.outputs[0] in needed:
                    operators += self._operator(op, needed, made)
            results.append(made[region.result])
        last = self._main.operators[region.last]
        joined = {"axis": _ROWS, "activation": "none", "part_of": last.kind}
        return [*operators, Operator(last.index, "CONCATENATION", tuple(results), (region.result,), joined)]

    def _operator(self, op: Operator, needed: Needs, made: dict[int, int]) -> list[Operator]:
        """One operator of a strip, behind the slices of what it takes."""
        rows = needed[op.outputs[0]]
        taken = rows_of(self._main, op, rows.start, rows.stop)
        operators = []
        inputs = list(op.inputs)
        sources = images(self._main, op) or []
        for place, index in enumerate(op.inputs):
            if index not in sources:
                continue
            have = needed[index] if index in made else Rows(0, self._main.tensors[index].shape[_ROWS])
            inputs[place] = made.get(index, index)
            if (have.start, have.stop) != (taken.start, taken.stop):
                start = taken.start - have.start
                operators.append(self._slice(op, inputs[place], start, taken.count))
                inputs[place] = operators[-1].outputs[0]
        options = dict(op.options)
        if op.kind in (*FILTERS, *POOLS):
            source = self._main.tensors[sources[0]]
            across = shapes.sides(op, source.shape, filter_of(self._main, op))[1]
            options["pads"] = ((taken.above, taken.below), (across.before, across.after))
        elif op.kind in _PADS:
            flat = shapes.ints(self._main.tensors[op.inputs[1]])
            flat[2 * _ROWS : 2 * _ROWS + 2] = taken.above, taken.below
            inputs[1] = self._ints(flat)
        result = made[op.outputs[0]] = self._like(self._main.tensors[op.outputs[0]], rows.count)
        operators.append(dataclasses.replace(op, inputs=tuple(inputs), outputs=(result,), options=options))
        return operators

    def _slice(self, op: Operator, source: int, start: int, count: int) -> Operator:
        tensor = self.tensors[source]
        begin, sizes = [0] * len(tensor.shape), list(tensor.shape)
        begin[_ROWS], sizes[_ROWS] = start, count
        inputs = (source, self._ints(begin), self._ints(sizes))
        return Operator(op.index, "SLICE", inputs, (self._like(tensor, count),), {"part_of": op.kind})

    def _like(self, tensor: Tensor, rows: int) -> int:
        shape = (*tensor.shape[:_ROWS], rows, *tensor.shape[_ROWS + 1 :])
        self.tensors.append(dataclasses.replace(tensor, index=len(self.tensors), shape=shape))
        return self.tensors[-1].index

    def _ints(self, values: Sequence[int]) -> int:
        content = struct.pack(f"<{len(values)}i", *values)
        self.tensors.append(Tensor(len(self.tensors), "rows", (len(values),), "int32", data=content))
        return self.tensors[-1].index
