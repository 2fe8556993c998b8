"""Floats between integers: DEQUANTIZE, functions of one number, QUANTIZE. What goes in and what comes out is a byte.

A converter leaves a function in floats that has no int8 kernel of its own (ELU). Such a chain is one operator here,
POINTWISE, and a table of 256 entries on the board. LiteRT's quantiser leaves a changed shape in floats (EXPAND_DIMS):
that chain is a RESHAPE, also between halfwords. Knows which operators follow each other; no arithmetic.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

from kittiwake.model.read.graph import Graph, Operator, Subgraph

POINTWISE = "POINTWISE"
FUNCTIONS = ("ELU",)
_KINDS = ("int8", "int16")
_RENAMING = ("EXPAND_DIMS", "SQUEEZE", "RESHAPE")


def join(graph: Graph) -> Graph:
    """Make one operator of every chain.

    Args:
        graph: as read; every index in it within bounds.

    Returns:
        A graph without them, and without floats that nothing reads, of which only the shape was wanted; a chain whose
        floats are wanted elsewhere stays.
    """
    main = graph.main
    uses = Counter(index for op in main.operators for index in op.inputs) + Counter(main.outputs)
    operators: list[Operator] = []
    gone: set[int] = set()
    for at, op in enumerate(main.operators):
        chain = _chain(main, at, uses) if op.kind == "DEQUANTIZE" and at not in gone else None
        if chain is not None:
            operators.append(_joined(main, chain))
            gone.update(chain)
        elif op.kind == "DEQUANTIZE" and not any(uses[index] for index in op.outputs):
            continue
        elif at not in gone:
            operators.append(op)
    joined = dataclasses.replace(main, operators=tuple(operators))
    return dataclasses.replace(graph, subgraphs=(joined, *graph.subgraphs[1:]))


def _joined(main: Subgraph, chain: list[int]) -> Operator:
    first, last = main.operators[chain[0]], main.operators[chain[-1]]
    kinds = [main.operators[number].kind for number in chain[1:-1]]
    if all(kind in _RENAMING for kind in kinds):
        return Operator(first.index, "RESHAPE", first.inputs, last.outputs, {})
    return Operator(first.index, POINTWISE, first.inputs, last.outputs, {"functions": kinds})


def _chain(main: Subgraph, at: int, uses: Counter[int]) -> list[int] | None:
    """Places of the operators of a chain that begins there, or None."""
    chain = [at]
    op = main.operators[at]
    if len(op.inputs) != 1 or op.inputs[0] < 0 or main.tensors[op.inputs[0]].type not in _KINDS:
        return None
    while len(op.outputs) == 1 and uses[op.outputs[0]] == 1 and main.tensors[op.outputs[0]].type == "float32":
        readers = [number for number, other in enumerate(main.operators) if op.outputs[0] in other.inputs]
        if len(readers) != 1 or readers[0] <= chain[-1]:
            return None
        op = main.operators[readers[0]]
        if len(op.outputs) != 1 or len(op.inputs) != 1 and op.kind not in _RENAMING:
            return None
        chain.append(readers[0])
        if op.kind == "QUANTIZE":
            return chain if _is_whole(main, chain) else None
        if op.kind not in (*FUNCTIONS, *_RENAMING):
            return None
    return None


def _is_whole(main: Subgraph, chain: list[int]) -> bool:
    """Whether a chain that ends in a QUANTIZE is functions alone, or leaves every byte as it is."""
    source, target = (
        main.tensors[main.operators[chain[0]].inputs[0]],
        main.tensors[main.operators[chain[-1]].outputs[0]],
    )
    kinds = {main.operators[number].kind for number in chain[1:-1]}
    if target.type != source.type or not kinds:
        return False
    same = (
        source.scales == target.scales
        and source.zero_points == target.zero_points
        and source.elements == target.elements
    )
    return kinds <= set(FUNCTIONS) and source.type == "int8" or kinds <= set(_RENAMING) and same
