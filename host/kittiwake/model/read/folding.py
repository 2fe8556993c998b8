"""Shape arithmetic, done once on the host: what a converter leaves in a graph whose batch is open.

A default conversion of Keras's Flatten, Reshape or Conv1D computes a shape while it runs (SHAPE, STRIDED_SLICE, PACK),
and adds or drops a dimension of 1 (EXPAND_DIMS, SQUEEZE). TFLite Micro takes the stored shapes for the shapes that
are, so the first are constants here and the others are a RESHAPE. Knows integers and shapes; no kernel.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Callable

from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Graph, Operator, Subgraph, Tensor

# A tensor's values in row-major order.
_Values = list[int]
_FORMATS = {"int32": "i", "int64": "q"}
_MOST = 64  # elements of a shape; what is larger is data, and no work of this file
_RENAMING = ("EXPAND_DIMS", "SQUEEZE")


def fold(graph: Graph) -> Graph:
    """Compute what depends on shapes alone.

    Args:
        graph: as read; every index in it within bounds.

    Returns:
        A graph whose main subgraph has the results as constants, and no longer the operators that made them. What
        cannot be computed stays as it is. Operators keep their numbers in the file.
    """
    main = graph.main
    tensors = list(main.tensors)
    operators = []
    for op in main.operators:
        values = _evaluated(tensors, op)
        if values is not None:
            tensors[op.outputs[0]] = _constant(tensors[op.outputs[0]], values)
        elif op.kind in _RENAMING and op.inputs and op.inputs[0] >= 0 and tensors[op.inputs[0]].is_activation:
            operators.append(dataclasses.replace(op, kind="RESHAPE", inputs=op.inputs[:1]))
        else:
            operators.append(op)
    folded = dataclasses.replace(main, tensors=tuple(tensors), operators=tuple(operators))
    return dataclasses.replace(graph, subgraphs=(folded, *graph.subgraphs[1:]))


def _constant(tensor: Tensor, values: _Values) -> Tensor:
    return dataclasses.replace(tensor, data=struct.pack(f"<{len(values)}{_FORMATS[tensor.type]}", *values))


def _evaluated(tensors: list[Tensor], op: Operator) -> _Values | None:
    """What an operator gives, when it is an integer's and known; else None."""
    evaluate = _EVALUATIONS.get(op.kind)
    if evaluate is None or len(op.outputs) != 1 or not op.inputs or min(op.inputs) < 0:
        return None
    target = tensors[op.outputs[0]]
    if target.type not in _FORMATS or target.data is not None or target.elements > _MOST:
        return None
    sources = [tensors[index] for index in op.inputs]
    try:
        values = evaluate(tensors, op, sources)
        if len(values) != target.elements:
            return None
        _constant(target, values)
    except (ValueError, IndexError, struct.error):
        return None
    return values


def _ints(tensor: Tensor) -> _Values:
    if tensor.data is None or tensor.type not in _FORMATS or tensor.elements > _MOST:
        raise ValueError
    return list(struct.unpack(f"<{tensor.elements}{_FORMATS[tensor.type]}", tensor.data))


def _shape(tensors: list[Tensor], op: Operator, sources: list[Tensor]) -> _Values:
    return list(sources[0].shape)


def _unchanged(tensors: list[Tensor], op: Operator, sources: list[Tensor]) -> _Values:
    return _ints(sources[0])


def _slice(tensors: list[Tensor], op: Operator, sources: list[Tensor]) -> _Values:
    values = _ints(sources[0])
    if len(sources[0].shape) != 1:
        raise ValueError
    ((start, count, step),), _ = shapes.bounds(Subgraph(tuple(tensors), (), (), ()), op)
    return [values[start + i * step] for i in range(count)]


def _joined(tensors: list[Tensor], op: Operator, sources: list[Tensor]) -> _Values:
    # Scalars that are packed, or vectors that are concatenated: along their only axis either is one after the other.
    if any(len(source.shape) > (0 if op.kind == "PACK" else 1) for source in sources):
        raise ValueError
    return [value for source in sources for value in _ints(source)]


def _product(tensors: list[Tensor], op: Operator, sources: list[Tensor]) -> _Values:
    a, b = _ints(sources[0]), _ints(sources[1])
    if op.options["activation"] != "none" or len(a) != len(b) and 1 not in (len(a), len(b)):
        raise ValueError
    most = max(len(a), len(b))
    return [x * y for x, y in zip(a * (most // len(a)), b * (most // len(b)), strict=True)]


def _product_of_all(tensors: list[Tensor], op: Operator, sources: list[Tensor]) -> _Values:
    if len(sources[0].shape) != 1 or [axis % 1 for axis in _ints(sources[1])] != [0]:
        raise ValueError
    return [math.prod(_ints(sources[0]))]


_EVALUATIONS: dict[str, Callable[[list[Tensor], Operator, list[Tensor]], _Values]] = {
    "SHAPE": _shape,
    "STRIDED_SLICE": _slice,
    "PACK": _joined,
    "CONCATENATION": _joined,
    "EXPAND_DIMS": _unchanged,
    "SQUEEZE": _unchanged,
    "RESHAPE": _unchanged,
    "CAST": _unchanged,
    "MUL": _product,
    "REDUCE_PROD": _product_of_all,
}
OPERATORS = (*_EVALUATIONS, *_RENAMING)
