"""Layers of int16 activations and int8 weights (16x8): channels whose accumulators leave 32 bits, and their stream.

Knows numbers and bytes; no graph. TFLite Micro adds up in 64 bits, reduces the multiplier to 15, and rounds once: an
accumulator a becomes a·factor·2^(shift - 15), rounded half up. A stream is a head of 12 bytes a channel and its
weights:

    high (int32) | low (uint16) | factor (uint16) | right (byte) | left (byte) | 0 (uint16) | weights

The bias is (high - 2^29)·2^16 + low, with -32768·Σw added, since kernels add 2^15 to every input; an output is
a·2^left·factor / 2^(31 + right). Weights are bytes plus 128, as in `rows`, for every set of kernels.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.model.lower import fixed, weights
from kittiwake.model.lower.steps import Word

LOW, HIGH = -(1 << 15), (1 << 15) - 1
OFFSET = 1 << 15  # what is added to a halfword, so that it is never negative
_HIGH_OFFSET = 1 << 29
_REACH = 1 << 45  # of an accumulator, shifted to the left
_DEFINED = 1 << 47  # of an accumulator, by TFLite Micro
_FACTOR_BITS = 15
_LEAST_RIGHT = 32  # bits that a product is shifted by, at least: accumulators are shifted to the left for it
_IDENTITY = (1 << 14, 14)  # a factor, and bits to the right, that leave a number as it is
_MOST_SHIFT = 7  # of a multiplier, by TFLite Micro


@dataclass(frozen=True)
class Channel:
    """One output channel.

    Attributes:
        weights: signed, one an input.
        bias: as the model has it.
        factor: the multiplier, below 2^15.
        bits: by which a product is shifted to the right.
        reach: the largest magnitude that its accumulator takes.
    """

    weights: Sequence[int]
    bias: int
    factor: int
    bits: int
    reach: int

    @property
    def left(self) -> int:
        """Bits by which its accumulator is shifted to the left first."""
        return max(0, _LEAST_RIGHT - self.bits)


@dataclass(frozen=True)
class Layer:
    """All channels of a layer, and the range of its fused activation.

    Attributes:
        channels: with as many weights each.
        low, high: least and largest output.
    """

    channels: Sequence[Channel]
    low: int
    high: int

    def stream(self, depthwise: bool) -> bytes:
        """Lay its channels out.

        Args:
            depthwise: whether the weights are taps.
        """
        padded = weights.filled(len(self.channels[0].weights), weights.ROWS, depthwise)
        out = bytearray()
        for c in self.channels:
            high, low = divmod(c.bias - OFFSET * sum(c.weights), 1 << 16)
            right = c.bits + c.left - (_LEAST_RIGHT - 1)
            out += struct.pack("<iHHBBH", high + _HIGH_OFFSET, low, c.factor, right, c.left, 0)
            out += bytes(w + 128 for w in c.weights) + bytes([128]) * (padded - len(c.weights))
        return bytes(out)

    def problem(self) -> str | None:
        """Say why its accumulators are out of the kernels' reach; None when they are not."""
        for number, c in enumerate(self.channels):
            if c.bits < _FACTOR_BITS - _MOST_SHIFT:
                return f"its output's scale is too small for its input's and its weights' in channel {number}"
            most = c.reach << c.left
            if max(most, abs(c.bias)) >= _REACH:
                return f"its accumulators reach {most} in channel {number}, 2^45 is the limit"
        return None


def limits(low: int, high: int) -> dict[str, Word]:
    """Give the words of a descriptor for a range of int16.

    Args:
        low: least value.
        high: largest value.
    """
    return {"low": low + OFFSET, "high": high + OFFSET}


def channel(taken: Sequence[int], bias: int, scale: float) -> Channel:
    """Make a channel.

    Args:
        taken: its weights, signed bytes.
        bias: as the model has it.
        scale: from accumulator to output.

    Returns:
        The channel. One without a weight other than 0 is its constant, however large its bias.
    """
    m, shift = fixed.quantize_multiplier(scale)
    factor, bits = min((m + (1 << 15)) >> 16, (1 << _FACTOR_BITS) - 1), _FACTOR_BITS - shift
    if not any(taken) and shift <= _MOST_SHIFT and abs(bias) < _DEFINED:
        constant = fixed.wrap((bias * factor + (1 << bits >> 1)) >> bits)
        constant = max(LOW, min(HIGH, constant))
        return Channel(taken, constant, *_IDENTITY, abs(constant))
    ends = [bias + sum(w * (low if w > 0 else high) for w in taken) for low, high in ((LOW, HIGH), (HIGH, LOW))]
    return Channel(taken, bias, factor, bits, max(map(abs, ends)))
