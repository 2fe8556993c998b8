"""Both ends of a model: where each of several inputs and outputs lies, and ends in floats made ends in bytes.

Inputs lie one behind the other in the file's order, each from a multiple of four; so do outputs. Knows tensors and
operators; no kernel and no address.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.model.read.graph import Graph, Operator, Subgraph, Tensor

ALIGNMENT = 4


@dataclass(frozen=True)
class End:
    """One input or output.

    Attributes:
        tensor: the model's own.
        offset: of its first byte among those of all inputs, or of all outputs.
    """

    tensor: Tensor
    offset: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.tensor.elements * self.tensor.width

    @property
    def stop(self) -> int:
        """Offset behind its last byte."""
        return self.offset + self.size


def lay_out(tensors: Sequence[Tensor]) -> tuple[End, ...]:
    """Give each of several inputs, or outputs, its place.

    Args:
        tensors: in the file's order.
    """
    ends: list[End] = []
    for tensor in tensors:
        before = ends[-1].stop if ends else 0
        ends.append(End(tensor, before + -before % ALIGNMENT))
    return tuple(ends)


def join(parts: Sequence[bytes], ends: Sequence[End]) -> bytes:
    """Put the bytes of each input where they belong; what lies between is zero.

    Args:
        parts: one an end, of its size.
        ends: as of `lay_out`.
    """
    content = bytearray(ends[-1].stop)
    for part, end in zip(parts, ends, strict=True):
        content[end.offset : end.stop] = part
    return bytes(content)


def split(content: bytes, ends: Sequence[End]) -> list[bytes]:
    """Take the bytes of each output.

    Args:
        content: of all outputs.
        ends: as of `lay_out`.
    """
    return [content[end.offset : end.stop] for end in ends]


def in_bytes(graph: Graph) -> Graph:
    """Leave out a QUANTIZE behind an input in floats, and a DEQUANTIZE before an output in floats.

    Args:
        graph: as read; every index in it within bounds.

    Returns:
        A graph that takes and gives the bytes themselves; an end whose floats are wanted elsewhere stays.
    """
    main = graph.main
    gone: set[int] = set()
    inputs = tuple(_replaced(main, index, gone, _reader(main, index)) for index in main.inputs)
    outputs = tuple(_replaced(main, index, gone, _maker(main, index)) for index in main.outputs)
    operators = tuple(op for op in main.operators if op.index not in gone)
    changed = dataclasses.replace(main, operators=operators, inputs=inputs, outputs=outputs)
    return dataclasses.replace(graph, subgraphs=(changed, *graph.subgraphs[1:]))


def _reader(main: Subgraph, index: int) -> tuple[Operator, int] | None:
    """The one QUANTIZE that reads a tensor, and its output."""
    readers = [op for op in main.operators if index in op.inputs]
    is_alone = len(readers) == 1 and index not in main.outputs
    if is_alone and readers[0].kind == "QUANTIZE" and len(readers[0].outputs) == 1:
        return readers[0], readers[0].outputs[0]
    return None


def _maker(main: Subgraph, index: int) -> tuple[Operator, int] | None:
    """The DEQUANTIZE that makes a tensor which nothing else reads, and its input."""
    makers = [op for op in main.operators if index in op.outputs]
    is_alone = len(makers) == 1 and not any(index in op.inputs for op in main.operators)
    if is_alone and makers[0].kind == "DEQUANTIZE" and len(makers[0].inputs) == 1 and makers[0].inputs[0] >= 0:
        return makers[0], makers[0].inputs[0]
    return None


def _replaced(main: Subgraph, index: int, gone: set[int], beside: tuple[Operator, int] | None) -> int:
    if main.tensors[index].type != "float32" or beside is None:
        return index
    gone.add(beside[0].index)
    return beside[1]
