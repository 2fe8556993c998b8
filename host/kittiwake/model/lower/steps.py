"""What a lowered model is made of: buffers, views into them, and steps, one kernel call each.

Knows addresses only as "this buffer, that many bytes in"; arena.py decides where a buffer lies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from kittiwake.model.read.ends import End

SCRATCH, STATE, CONST = "scratch", "state", "const"


@dataclass(eq=False)
class Buffer:
    """A run of bytes.

    Attributes:
        size: bytes.
        kind: SCRATCH lives within an invoke, STATE from one to the next, CONST is part of the plan.
        data: CONST: its bytes; STATE: what it holds after a reset.
        place: its address, once planned.
        first, last: steps between which a SCRATCH buffer must be kept.
    """

    size: int
    kind: str = SCRATCH
    data: bytes | None = None
    place: int = -1
    first: int = -1
    last: int = -1


@dataclass(frozen=True, eq=False)
class View:
    """An array within a buffer.

    Attributes:
        buffer: where it lies.
        offset: bytes from the buffer's start to its first element.
        shape, strides: elements and bytes a step, outermost first.
        width: bytes of an element: 1, 2 or 4.
    """

    buffer: Buffer
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    width: int = 1

    @classmethod
    def whole(cls, buffer: Buffer, shape: tuple[int, ...], width: int = 1) -> View:
        """Lay an array out over a buffer, the last dimension innermost."""
        strides, step = [], width
        for size in reversed(shape):
            strides.append(step)
            step *= size
        return cls(buffer, 0, shape, tuple(reversed(strides)), width)

    @classmethod
    def fresh(cls, shape: tuple[int, ...], width: int = 1) -> View:
        """Lay an array out over a buffer of its own."""
        return cls.whole(Buffer(math.prod(shape) * width), shape, width)

    def turned(self, shape: tuple[int, ...], strides: tuple[int, ...]) -> View:
        """See the same buffer, from the same place, by other steps."""
        return View(self.buffer, self.offset, shape, strides, self.width)

    def inside(self, pads: Sequence[tuple[int, int]]) -> View:
        """See what is left within a padding.

        Args:
            pads: elements before and after, a pair each dimension.
        """
        inner = self
        for axis, (before, after) in enumerate(pads):
            inner = inner.slice(axis, before, self.shape[axis] - before - after)
        return inner

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of its elements."""
        return self.elements * self.width

    @property
    def is_contiguous(self) -> bool:
        """Whether its elements are neighbours, in order."""
        expected = self.width
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1:
                if stride != expected:
                    return False
                expected *= size
        return True

    def slice(self, axis: int, start: int, size: int, step: int = 1) -> View:
        """Take a part of it along one axis, without a copy.

        Args:
            axis: which, from 0.
            start: first element of the axis.
            size: elements of the axis that are kept.
            step: from one to the next.

        Returns:
            A view of the same buffer.
        """
        shape, strides = list(self.shape), list(self.strides)
        shape[axis] = size
        offset = self.offset + start * strides[axis]
        strides[axis] *= step
        return View(self.buffer, offset, tuple(shape), tuple(strides), self.width)

    def reshape(self, shape: tuple[int, ...]) -> View | None:
        """See the same elements under other dimensions.

        Args:
            shape: as many elements.

        Returns:
            A view of the same buffer; None when that takes a copy.
        """
        if shape == self.shape:
            return self
        # Dimensions of 1 carry no address: what is left must split and join along matching borders.
        mine = [(n, s) for n, s in zip(self.shape, self.strides, strict=True) if n != 1]
        strides: list[int] = []
        at = 0
        left, stride = mine[0] if mine else (1, 1)
        for size in shape:
            if size == 1:
                strides.append(0)
                continue
            while left == 1 and at + 1 < len(mine):
                at += 1
                left, stride = mine[at]
            while left % size and at + 1 < len(mine) and stride == mine[at + 1][0] * mine[at + 1][1]:
                at += 1
                left, stride = left * mine[at][0], mine[at][1]
            if left % size:
                return None
            left //= size
            strides.append(left * stride)
        for i in range(len(shape) - 1, -1, -1):  # the stride of a dimension of 1: any will do, a natural one reads best
            if shape[i] == 1:
                inner = i + 1 < len(shape)
                strides[i] = shape[i + 1] * strides[i + 1] if inner else self.width
        return self.turned(shape, tuple(strides))

    def spread_over(self, shape: tuple[int, ...]) -> View:
        """See it under a larger shape, as two arrays are broadcast: what is repeated has the stride 0.

        Args:
            shape: each dimension of the view, counted from the last, is 1 or the same.
        """
        ranks = len(shape) - len(self.shape)
        sizes, strides = (1,) * ranks + self.shape, (0,) * ranks + self.strides
        spread = tuple(0 if n == 1 else s for n, s in zip(sizes, strides, strict=True))
        return self.turned(shape, spread)

    def folded(
        self, ranks: int, other: View | None = None, by_bytes: bool = False
    ) -> tuple[list[int], list[int], list[int]] | None:
        """Join dimensions where addresses allow, together with those of another view of the same shape.

        Args:
            ranks: how many dimensions to give; outer ones of 1 fill up.
            other: joined only where both allow it.
            by_bytes: an element's bytes are one more dimension.

        Returns:
            (sizes, strides, the other's strides), or None when more than `ranks` remain.
        """
        second = other.strides if other is not None else self.strides
        dims = [d for d in zip(self.shape, self.strides, second, strict=True) if d[0] != 1]
        if by_bytes and self.width > 1:
            dims.append((self.width, 1, 1))
        joined: list[tuple[int, int, int]] = []
        for size, stride, stride2 in dims:
            if joined and joined[-1][1] == size * stride and joined[-1][2] == size * stride2:
                joined[-1] = (joined[-1][0] * size, stride, stride2)
            else:
                joined.append((size, stride, stride2))
        if len(joined) > ranks:
            return None
        # A lone dimension is the innermost; kernels run along it.
        joined = [(1, 0, 0)] * (ranks - len(joined)) + joined
        return [d[0] for d in joined], [d[1] for d in joined], [d[2] for d in joined]


@dataclass(frozen=True, eq=False)
class Ref:
    """A word of a descriptor that becomes an address: a buffer and bytes into it."""

    buffer: Buffer
    offset: int = 0


@dataclass(frozen=True)
class Data:
    """A word of a descriptor that becomes the offset of these constant bytes in the plan."""

    content: bytes


Word = int | Ref | Data


@dataclass(eq=False)
class Step:
    """One kernel call.

    Attributes:
        kind: the kernel's name, one of descriptors.KINDS.
        words: its descriptor.
        reads, writes, temps: scratch or state that it touches; temps only while it runs.
        source: what operator of the model it comes from.
        macs: multiply-accumulates.
        outputs: elements written.
        joins: (input, output) buffers that may be one, when nothing else needs the input.
    """

    kind: str
    words: list[Word]
    reads: list[Buffer]
    writes: list[Buffer]
    source: str
    temps: list[Buffer] = field(default_factory=list)
    macs: int = 0
    outputs: int = 0
    joins: tuple[Buffer, Buffer] | None = None

    @property
    def constant_bytes(self) -> int:
        """Bytes of weights, multipliers and tables that it reads."""
        return sum(len(word.content) for word in self.words if isinstance(word, Data))


@dataclass
class Program:
    """A lowered model.

    Attributes:
        steps: in order.
        input, output: contiguous views that the executor copies to and from.
        states: buffers that outlive an invoke.
        inputs, outputs: the model's own, and where each lies in those views.
    """

    steps: list[Step]
    input: View
    output: View
    states: list[Buffer]
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]


def ref(view: View) -> Ref:
    """Give the address of a view's first element."""
    return Ref(view.buffer, view.offset)
