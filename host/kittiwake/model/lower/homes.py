"""Homes: which tensors are made right inside a later one, so that joining or reshaping them takes no step.

Knows operators; what computes them is not known here.
"""

from __future__ import annotations

from kittiwake.model.lower.context import Lowering, Part
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator


def find(work: Lowering) -> None:
    """Decide it, from the last operator to the first.

    Args:
        work: `inside` and `alias` are filled in.
    """
    main = work.graph.main
    makers = {index for op in main.operators for index in op.outputs} | set(main.inputs)
    states = {op.outputs[0] for op in main.operators if op.kind == "READ_VARIABLE"}
    for op in reversed(main.operators):
        if op.kind == "CONCATENATION":
            _within(work, op, makers, states)
        elif op.kind == "RESHAPE":
            index = op.inputs[0]
            is_free = index in makers and index not in states and not _is_placed(work, index)
            # Worth it only where the other name leads somewhere; else the reshaped view follows the tensor.
            if is_free and _is_placed(work, op.outputs[0]):
                work.alias[index] = op.outputs[0]


def _within(work: Lowering, op: Operator, makers: set[int], states: set[int]) -> None:
    whole = op.outputs[0]
    axis = shapes.normal_axis(op.options["axis"], len(work.tensor(whole).shape))
    start = 0
    for index in op.inputs:
        is_free = index in makers and not _is_placed(work, index)
        if op.inputs.count(index) == 1 and is_free and (index not in states or whole in work.streams):
            work.inside[index] = Part(whole, axis, start)
        start += work.tensor(index).shape[axis]


def _is_placed(work: Lowering, index: int) -> bool:
    return index in work.inside or index in work.alias
