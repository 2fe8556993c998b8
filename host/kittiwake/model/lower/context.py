"""What is known while operators are lowered one by one: where each tensor lives, which steps there are already."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from kittiwake.model.lower.steps import CONST, STATE, Buffer, Step, View, ref
from kittiwake.model.read.graph import Graph, Operator, Tensor


@dataclass
class Stream:
    """A variable that holds the last rows of a growing axis: the concatenation itself becomes the state."""

    concat: Operator
    axis: int
    kept: int
    initial: bytes


@dataclass
class Lowering:
    """What is known while operators are lowered one by one."""

    graph: Graph
    layout: str
    steps: list[Step] = field(default_factory=list)
    views: dict[int, View] = field(default_factory=dict)
    inside: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # tensor -> (concatenation, axis, start)
    alias: dict[int, int] = field(default_factory=dict)  # tensor -> what it is reshaped to
    streams: dict[int, Stream] = field(default_factory=dict)  # output of the concatenation -> its state
    streamed: set = field(default_factory=set)  # names of the variables that became streams
    variables: dict = field(default_factory=dict)  # name -> initial bytes
    cells: dict = field(default_factory=dict)  # name -> buffer, of the other variables
    states: list[Buffer] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def tensor(self, index: int) -> Tensor:
        """A tensor of the subgraph that is run."""
        return self.graph.main.tensors[index]

    def home(self, index: int) -> View:
        """The view that an operator is to write a tensor to: within another where it can live there."""
        if index in self.views:
            return self.views[index]
        tensor = self.tensor(index)
        view = None
        if index in self.streams:
            view = self._stream_home(index)
        elif index in self.inside:
            whole, axis, start = self.inside[index]
            view = self.home(whole).slice(axis, start, tensor.shape[axis])
        elif index in self.alias:
            view = self.home(self.alias[index]).reshape(tensor.shape)
        if view is None:
            shape = (*tensor.shape, 4) if tensor.type == "float32" else tensor.shape  # four bytes an element
            view = View.whole(Buffer(math.prod(shape)), shape)
        self.views[index] = view
        return view

    def read(self, index: int) -> View:
        """The view that holds a tensor's value; a constant's is within the plan."""
        if index not in self.views:
            tensor = self.tensor(index)
            assert tensor.data is not None
            self.views[index] = View.whole(Buffer(len(tensor.data), CONST, tensor.data), tensor.shape)
        return self.views[index]

    def contiguous(self, view: View, source: str) -> View:
        """The same elements side by side, by a copy where need be."""
        if view.is_contiguous:
            return view
        packed = View.whole(Buffer(view.elements), view.shape)
        self.copy(view, packed, source)
        return packed

    def copy(self, source: View, target: View, name: str) -> None:
        """Add a step that copies, unless both are the same place."""
        folded = source.folded(4, target)
        if folded is None:
            self.problems.append(f"{name}: copies more dimensions than four")
            return
        sizes, strides, to_strides = folded
        if source.buffer is target.buffer and source.offset == target.offset and strides == to_strides:
            return
        words = [ref(source), ref(target), *sizes, *strides, *to_strides]
        self.steps.append(Step("copy", words, [source.buffer], [target.buffer], name, outputs=source.elements))

    def _stream_home(self, index: int) -> View:
        stream = self.streams[index]
        tensor = self.tensor(index)
        buffer = Buffer(tensor.elements, STATE, stream.initial + bytes(tensor.elements - len(stream.initial)))
        self.states.append(buffer)
        return View.whole(buffer, tensor.shape)
