"""The one scale and zero point of a tensor: what keeps kernels from computing with them.

Knows tensors; no operator.
"""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.model.read.graph import Tensor

_LEAST_SCALE = 1e-37  # its reciprocal stays within single precision
_MOST_OF_HALVES = 1e33  # times 2^15 stays within single precision
_ZERO_POINTS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (0, 0)}


def problems_of(tensor: Tensor) -> Iterator[str]:
    """Say what is wrong with the scale and zero point of an activation, or of what it is computed with."""
    of = f"tensor {tensor.index}"
    low, high = _ZERO_POINTS[tensor.type]
    if len(tensor.scales) != 1 or len(tensor.zero_points) > 1:
        yield f"{of} has {len(tensor.scales)} scales and {len(tensor.zero_points)} zero points, not one"
    elif not _LEAST_SCALE <= tensor.scale <= (_MOST_OF_HALVES if tensor.type == "int16" else 1 / _LEAST_SCALE):
        yield f"{of} has the scale {tensor.scale:g}"
    elif not low <= tensor.zero_point <= high:
        yield f"{of} has the zero point {tensor.zero_point}, outside {low} .. {high}"
