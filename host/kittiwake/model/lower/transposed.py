"""TRANSPOSE_CONV: a pixel of the input lies a stride of outputs from the next, and each such phase is a convolution.

What a phase's outputs see is every stride-th tap of the filter, last tap first, over neighbouring pixels; so the kernel
of CONV_2D computes a phase and writes its outputs a stride apart. Nothing is added up in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from kittiwake.model.lower import convolve, layers, staging
from kittiwake.model.lower.context import Lowering
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator


@dataclass(frozen=True)
class _Phase:
    """Outputs a stride apart, along one dimension.

    Attributes:
        first: the first of them.
        outputs: how many.
        taps: of the filter, in the order of the pixels that they meet; none where the stride is longer than the filter.
        start: the pixel that the first tap of the first output meets; below 0 in the padding.
    """

    first: int
    outputs: int
    taps: list[int]
    start: int

    @property
    def seen(self) -> int:
        """Pixels that its outputs see; one where they see none, since a kernel wants an input."""
        return self.outputs + max(1, len(self.taps)) - 1


def _phases(size: int, filter_: int, stride: int, padding: str) -> list[_Phase]:
    before = shapes.window(size, filter_, stride, 1, padding).before
    phases = []
    for first in range(min(stride, size)):
        # Output i meets pixel p by tap t where i = p * stride + t - before.
        taps = list(range((first + before) % stride, filter_, stride))[::-1]
        start = (first + before - taps[0]) // stride if taps else 0
        phases.append(_Phase(first, -(-(size - first) // stride), taps, start))
    return phases


def transpose_convolution(work: Lowering, op: Operator, name: str) -> None:
    """Lower a TRANSPOSE_CONV.

    Args:
        work: the Lowering; gets the steps.
        op: the operator.
        name: what to call its steps.
    """
    ends = work.ends(op)
    weights = work.tensor(op.inputs[1])
    sides = [
        _phases(ends.output.shape[1 + i], weights.shape[1 + i], op.options["stride"][i], op.options["padding"])
        for i in (0, 1)
    ]
    image = staging.pixels(work, ends.input, name)
    pads = [
        (
            max(0, *(-phase.start for phase in side)),
            max(0, *(phase.start + phase.seen - image.shape[1 + i] for phase in side)),
        )
        for i, side in enumerate(sides)
    ]
    if any(before or after for before, after in pads):
        image = staging.surrounded(work, image, [(0, 0), *pads, (0, 0)], ends.source.zero_point, name)
    for down in sides[0]:
        for across in sides[1]:
            channels = layers.channels_of(work, op, _rows(weights.content, weights.shape, down.taps, across.taps))
            if channels is None:
                return
            source = image.slice(1, pads[0][0] + down.start, down.seen)
            source = source.slice(2, pads[1][0] + across.start, across.seen)
            result = ends.output.slice(1, down.first, down.outputs, op.options["stride"][0])
            result = result.slice(2, across.first, across.outputs, op.options["stride"][1])
            filter_ = convolve.Filter((max(1, len(down.taps)), max(1, len(across.taps))))
            for n in range(source.shape[0]):
                a, b = source.slice(0, n, 1), result.slice(0, n, 1)
                convolve.dense(work, channels, a, b, filter_, ends.result.zero_point, name)
    staging.clamp(work, op, ends.result, ends.output, name)


def _rows(content: bytes, shape: tuple[int, ...], down: list[int], across: list[int]) -> list[list[int]]:
    """The weights of each channel that a phase uses; zeros where it uses none."""
    channels, height, width, depth = shape
    values = staging.signed(content)
    places = [(y * width + x) * depth for y in down for x in across]
    size = height * width * depth
    none = [0] * (depth * max(1, len(down)) * max(1, len(across)))
    return [
        [w for at in places for w in values[c * size + at : c * size + at + depth]] or none for c in range(channels)
    ]
