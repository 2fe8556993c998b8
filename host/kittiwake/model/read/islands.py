"""Floats between bytes: DEQUANTIZE, functions of one number, QUANTIZE. What goes in and what comes out is a byte.

A converter leaves a function in floats that has no int8 kernel of its own (ELU). Such a chain is one operator here,
POINTWISE, and a table of 256 entries on the board. Knows which operators follow each other; no arithmetic.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

from kittiwake.model.read.graph import Graph, Operator, Subgraph

POINTWISE = "POINTWISE"
FUNCTIONS = ("ELU",)


def join(graph: Graph) -> Graph:
    """Make one operator of every chain.

    Args:
        graph: as read; every index in it within bounds.

    Returns:
        A graph without them; a chain whose floats are wanted elsewhere stays.
    """
    main = graph.main
    uses = Counter(index for op in main.operators for index in op.inputs) + Counter(main.outputs)
    operators: list[Operator] = []
    gone: set[int] = set()
    for at, op in enumerate(main.operators):
        chain = _chain(main, at, uses) if op.kind == "DEQUANTIZE" and at not in gone else None
        if chain is not None:
            functions = [main.operators[number].kind for number in chain[1:-1]]
            last = main.operators[chain[-1]]
            operators.append(Operator(op.index, POINTWISE, op.inputs, last.outputs, {"functions": functions}))
            gone.update(chain)
        elif at not in gone:
            operators.append(op)
    joined = dataclasses.replace(main, operators=tuple(operators))
    return dataclasses.replace(graph, subgraphs=(joined, *graph.subgraphs[1:]))


def _chain(main: Subgraph, at: int, uses: Counter[int]) -> list[int] | None:
    """Places of the operators of a chain that begins there, or None."""
    chain = [at]
    op = main.operators[at]
    if len(op.inputs) != 1 or op.inputs[0] < 0 or main.tensors[op.inputs[0]].type != "int8":
        return None
    while len(op.outputs) == 1 and uses[op.outputs[0]] == 1 and main.tensors[op.outputs[0]].type == "float32":
        readers = [number for number, other in enumerate(main.operators) if op.outputs[0] in other.inputs]
        if len(readers) != 1 or readers[0] <= chain[-1]:
            return None
        op = main.operators[readers[0]]
        if len(op.inputs) != 1 or len(op.outputs) != 1:
            return None
        chain.append(readers[0])
        if op.kind == "QUANTIZE":
            return chain if len(chain) > 2 and main.tensors[op.outputs[0]].type == "int8" else None
        if op.kind not in FUNCTIONS:
            return None
    return None
