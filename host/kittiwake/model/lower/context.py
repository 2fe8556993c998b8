"""What is known while operators are lowered one by one: where each tensor lives, which steps there are already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kittiwake.model.lower import descriptors
from kittiwake.model.lower.halfwords import Layer
from kittiwake.model.lower.steps import CONST, STATE, Buffer, Data, Step, View, ref
from kittiwake.model.lower.weights import Channel
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Graph, Operator, Tensor, VariableName
from kittiwake.model.read.refusal import ModelRefused

# Of a layer whose outputs are bytes, or halfwords.
Channels = Sequence[Channel] | Layer
_MAX_STEPS = 4096


def padded_shape(shape: Sequence[int], pads: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Give the shape of an array with padding around it.

    Args:
        shape: of the array.
        pads: elements before and after, a pair each dimension.
    """
    return tuple(n + before + after for n, (before, after) in zip(shape, pads, strict=True))


def filling(whole: View, value: int, source: str) -> Step:
    """Make the step that fills an array.

    Args:
        whole: the array, contiguous.
        value: of each byte.
        source: what to call the step.
    """
    words = descriptors.words("fill", output=ref(whole), bytes=whole.bytes, value=value & 0xFF)
    return Step("fill", words, [], [whole.buffer], source, outputs=whole.bytes)


class Steps(list[Step]):
    """Steps in order; what would take more than a plan can hold is refused before it takes the compiler's memory."""

    def __init__(self) -> None:
        super().__init__()
        self._fills: dict[Buffer, Step] = {}

    def fill_first(self, buffer: Buffer, fill: Step) -> None:
        """Have a buffer filled, and take memory, no sooner than a step writes to it.

        Args:
            buffer: that nothing has written to.
            fill: the step that does it.
        """
        self._fills[buffer] = fill

    def append(self, step: Step) -> None:
        """Add a step, after the fills that it wants.

        Args:
            step: the next.

        Raises:
            ModelRefused: there are too many.
        """
        for buffer in step.writes:
            if buffer in self._fills:
                super().append(self._fills.pop(buffer))
        if len(self) >= _MAX_STEPS:
            raise ModelRefused([f"it takes more than {_MAX_STEPS} steps, the last of them {step.source}"])
        super().append(step)


@dataclass
class Stream:
    """A variable that holds the last rows of a growing axis: the concatenation itself becomes the state."""

    concat: Operator
    axis: int
    kept: int
    initial: bytes


@dataclass(frozen=True)
class Part:
    """Where a tensor lives within a concatenation: its output tensor, the axis, and the first element there."""

    whole: int
    axis: int
    start: int


@dataclass
class Packed:
    """Layers whose weights are packed already: strips of a layer share them, and so do several lowerings of a model.

    Attributes:
        channels: by the operator's number; None of a layer that is refused.
        streams: by the identity of the channels, which are kept beside so that it stays theirs.
    """

    channels: dict[int, Channels | None] = field(default_factory=dict)
    streams: dict[int, tuple[Channels, Data]] = field(default_factory=dict)


@dataclass(frozen=True)
class Margin:
    """What a tensor is padded with: elements before and after, a pair each dimension; their value; the step's name."""

    pads: tuple[tuple[int, int], ...]
    value: int
    source: str


@dataclass
class Lowering:
    """What is known while operators are lowered one by one.

    Attributes:
        graph: the model.
        weight_layout: one of weights.WEIGHT_LAYOUTS.
        packed: weights that are packed already.
        steps: so far.
        views: tensor -> where its value is.
        inside: tensor -> where it is made within a later one.
        alias: tensor -> what it is reshaped to.
        margins: tensor -> the padding in whose middle it is made.
        padded: tensor with a margin that was made there -> the tensor and its padding.
        streams: output tensor of a concatenation -> its state.
        streamed: variables that became streams.
        variables: variable -> its initial bytes.
        cells: variable -> its buffer, of those that are no streams.
        states: all buffers that outlive an invoke.
        problems: why the model is refused, one line each.
    """

    graph: Graph
    weight_layout: str
    packed: Packed = field(default_factory=Packed)
    steps: Steps = field(default_factory=Steps)
    views: dict[int, View] = field(default_factory=dict)
    inside: dict[int, Part] = field(default_factory=dict)
    alias: dict[int, int] = field(default_factory=dict)
    margins: dict[int, Margin] = field(default_factory=dict)
    padded: dict[int, View] = field(default_factory=dict)
    streams: dict[int, Stream] = field(default_factory=dict)
    streamed: set[VariableName] = field(default_factory=set)
    variables: dict[VariableName, bytes] = field(default_factory=dict)
    cells: dict[VariableName, Buffer] = field(default_factory=dict)
    states: list[Buffer] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def tensor(self, index: int) -> Tensor:
        """Give a tensor of the subgraph that is run."""
        return self.graph.main.tensors[index]

    def home(self, index: int) -> View:
        """Give the view that an operator is to write a tensor to: within another where it can live there."""
        if index in self.views:
            return self.views[index]
        tensor = self.tensor(index)
        view: View | None = None
        if index in self.streams:
            view = self._stream_home(index)
        elif index in self.inside:
            part = self.inside[index]
            view = self.home(part.whole).slice(part.axis, part.start, tensor.shape[part.axis])
        elif index in self.alias:
            view = self.home(self.alias[index]).reshape(tensor.shape)
        elif index in self.margins:
            view = self._home_in_margin(index)
        if view is None:
            view = View.fresh(tensor.shape, tensor.width)
        self.views[index] = view
        return view

    def read(self, index: int) -> View:
        """Give the view that holds a tensor's value; a constant's is within the plan."""
        if index not in self.views:
            tensor = self.tensor(index)
            content = tensor.content
            self.views[index] = View.whole(Buffer(len(content), CONST, content), tensor.shape, tensor.width)
        return self.views[index]

    def ends(self, op: Operator) -> Ends:
        """Give what an operator works on and its output, as tensors and as views."""
        source, result = shapes.data_input(self.graph.main, op), self.tensor(op.outputs[0])
        return Ends(source, self.read(source.index), result, self.home(result.index))

    def contiguous(self, view: View, source: str) -> View:
        """Give the same elements side by side, by a copy where need be.

        Args:
            view: of the elements.
            source: what to call the step.
        """
        if view.is_contiguous:
            return view
        packed = View.fresh(view.shape, view.width)
        self.copy(view, packed, source)
        return packed

    def contiguous_home(self, home: View) -> View:
        """Give the view itself where its elements lie side by side, else one for a kernel to write, to be copied.

        Args:
            home: where the result belongs.
        """
        return home if home.is_contiguous else View.fresh(home.shape, home.width)

    def copy(self, source: View, destination: View, name: str) -> None:
        """Add a step that copies, unless both are the same place.

        Args:
            source: what is read.
            destination: what is written, of the same shape.
            name: what to call the step.
        """
        folded = source.folded(4, destination, by_bytes=True)
        if folded is None:
            self.problems.append(f"{name}: copies more dimensions than four")
            return
        sizes, strides, to_strides = folded
        is_same = source.buffer is destination.buffer and source.offset == destination.offset
        if is_same and strides == to_strides:
            return
        words = descriptors.words(
            "copy", input=ref(source), output=ref(destination), sizes=sizes, in_strides=strides, out_strides=to_strides
        )
        self.steps.append(Step("copy", words, [source.buffer], [destination.buffer], name, outputs=source.bytes))

    def refuse(self, op: Operator, reason: str) -> None:
        """Note why the model cannot be lowered."""
        self.problems.append(f"{op}: {reason}")

    def _home_in_margin(self, index: int) -> View:
        margin, tensor = self.margins[index], self.tensor(index)
        whole = View.fresh(padded_shape(tensor.shape, margin.pads))
        self.steps.fill_first(whole.buffer, filling(whole, margin.value, margin.source))
        self.padded[index] = whole
        return whole.inside(margin.pads)

    def _stream_home(self, index: int) -> View:
        stream = self.streams[index]
        tensor = self.tensor(index)
        buffer = Buffer(tensor.elements, STATE, stream.initial + bytes(tensor.elements - len(stream.initial)))
        self.states.append(buffer)
        return View.whole(buffer, tensor.shape)


@dataclass(frozen=True)
class Ends:
    """An operator's first input and its output."""

    source: Tensor
    input: View
    result: Tensor
    output: View
