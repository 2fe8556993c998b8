"""Weights as a kernel wants them: one stream that it reads from front to back, multipliers included.

Knows bytes and the three weight layouts; no graph. A stream is made of blocks of R output channels each:

    R biases (int32) | the block's weights | R multipliers (uint32) | R right shifts (byte) | R left shifts (byte)

and ends on a multiple of four; channels that fill up the last block have weights and multipliers of zero.

| weight layout | for | R | weights of a block, k the input, r the row |
|---|---|---|---|
| rows | plain, viper, xtensa | 1 | byte k, plus 128; K filled up to a multiple of 8 |
| quads | thumb2, rv32 | 4 | byte 4k + r; K filled up to a multiple of 4 |
| pairs | dsp | 4 | byte 16·(k div 4) + 4r + k mod 4; K filled up to a multiple of 4 |

The left shifts of `quads` and `pairs` are 1 more than they are: their kernels want the accumulator doubled.
In `rows` a bias is at least 0 and below 2^30: it holds what unsigned bytes add (see `bias_of_rows`). Depthwise streams
have the taps in k's place; theirs fill up to a multiple of 4 in `rows`, not at all in `quads` and `pairs`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.model.lower import fixed

ROWS, QUADS, PAIRS = "rows", "quads", "pairs"
WEIGHT_LAYOUTS = (ROWS, QUADS, PAIRS)
# Kernel sets of the firmware, and the weight layout that each reads.
LAYOUT_OF = {"plain": ROWS, "viper": ROWS, "thumb2": QUADS, "rv32": QUADS, "dsp": PAIRS, "xtensa": ROWS}
BLOCK = {ROWS: 1, QUADS: 4, PAIRS: 4}
_BIAS_OFFSET = 1 << 29
_EXACT = 1 << 30
_HALF = 1 << 30  # as a multiplier; with a left shift of 1 it leaves a number as it is
# With _HALF, a factor of 256: whatever is not 0 saturates, as it does by any larger factor.
_STEEP = 9
# Below this a byte of the multiplier times the accumulator stays within 31 bits.
_NARROW = 1 << 23


@dataclass(frozen=True)
class Channel:
    """One output channel.

    Attributes:
        weights: signed, one an input.
        bias: the zero point of the input folded in.
        m, shift: the multiplier, as fixed.quantize_multiplier gives it.
        reach: the largest magnitude that its accumulator takes.
    """

    weights: Sequence[int]
    bias: int
    m: int
    shift: int
    reach: int


def channel(weights: Sequence[int], bias: int, zero_point: int, scale: float, result_zero: int) -> Channel:
    """Fold a zero point and a scale into a channel.

    Args:
        weights: signed bytes.
        bias: as the model has it.
        zero_point: of the input.
        scale: from accumulator to output.
        result_zero: zero point of the output.

    Returns:
        The channel. One whose accumulator is large, and whose output the same for every input, is that constant:
        training that prunes leaves such ones, with weights of zero and a bias of about 2^30. Where an output's
        scale is so small (of a dead layer) that all but 0 saturates, the factor is the least that does it.
    """
    m, shift = fixed.quantize_multiplier(scale)
    if shift > _STEEP and _stays_within_a_word(weights, bias, zero_point, shift):
        m, shift = _HALF, _STEEP
    far = max(127 - zero_point, zero_point + 128)
    reach = abs(bias) + sum(abs(w) for w in weights) * far << max(shift, 0)
    if reach >= _BIAS_OFFSET:
        constant = _constant(weights, bias, zero_point, m, shift, result_zero)
        if constant is not None:
            return constant
    return Channel(weights, bias - zero_point * sum(weights), m, shift, reach)


def _ends(weights: Sequence[int], bias: int, zero_point: int) -> tuple[int, int]:
    """The least and the most that an accumulator comes to."""
    inputs = (-128 - zero_point, 127 - zero_point)
    return (
        bias + sum(min(w * x for x in inputs) for w in weights),
        bias + sum(max(w * x for x in inputs) for w in weights),
    )


def _stays_within_a_word(weights: Sequence[int], bias: int, zero_point: int, shift: int) -> bool:
    """Whether TFLite Micro defines what becomes of an accumulator that it shifts to the left."""
    return max(map(abs, _ends(weights, bias, zero_point))) << max(shift, 0) <= fixed.INT32_MAX


def _constant(
    weights: Sequence[int], bias: int, zero_point: int, m: int, shift: int, result_zero: int
) -> Channel | None:
    """The channel that gives the one output that this one has; None when it has several, or leaves 32 bits."""
    if any(weights) and not _stays_within_a_word(weights, bias, zero_point, shift):
        return None
    least, most = _ends(weights, bias, zero_point)
    # Scaling keeps the order, so that what is between both ends is between their outputs.
    low, high = (fixed.clamp8(fixed.multiply(x, m, shift) + result_zero) for x in (least, most))
    if low != high:
        return None
    return Channel([0] * len(weights), low - result_zero, _HALF, 1, 2 * abs(low - result_zero))


def problem(channels: Sequence[Channel]) -> str | None:
    """Say why these channels' accumulators are out of the kernels' reach; None when they are not."""
    most, number = max((c.reach, number) for number, c in enumerate(channels))
    if most >= _EXACT:
        return f"its accumulators reach {most} in channel {number}, 2^30 is the limit"
    return None


def is_wide(channels: Sequence[Channel]) -> bool:
    """Whether the kernels in `rows` must scale by the longer way."""
    return any(c.reach >= _NARROW for c in channels)


def filled(count: int, weight_layout: str, depthwise: bool) -> int:
    """Give K with what fills it up.

    Args:
        count: K, weights of a channel.
        weight_layout: one of WEIGHT_LAYOUTS.
        depthwise: whether the weights are taps.
    """
    if depthwise:
        return -(-count // 4) * 4 if weight_layout == ROWS else count
    step = 8 if weight_layout == ROWS else 4
    return -(-count // step) * step


def bias_of_rows(c: Channel, depthwise: bool) -> int:
    """Form the bias in `rows`: what the offsets of unsigned bytes add is taken off, and 2^29 makes it positive.

    With u = x + 128 and v = w + 128: sum(w·x) = sum(v·u) - 128·sum(u) - 128·sum(w). A depthwise kernel takes 128 off
    each weight as it reads it, so only sum(w)'s share remains.

    Args:
        c: the channel.
        depthwise: for such a kernel.

    Returns:
        The bias, at least 0 and below 2^30.

    Raises:
        ValueError: it does not fit.
    """
    bias = c.bias - 128 * sum(c.weights) + _BIAS_OFFSET
    if not 0 <= bias < _EXACT:
        raise ValueError(f"a bias of {c.bias} does not fit")
    return bias


def stream(channels: Sequence[Channel], weight_layout: str, depthwise: bool = False) -> bytes:
    """Lay channels out.

    Args:
        channels: all of an operator's, with as many weights each.
        weight_layout: one of WEIGHT_LAYOUTS.
        depthwise: whether the weights are taps.

    Returns:
        The stream.

    Raises:
        ValueError: a bias is too large for `rows`.
    """
    rows = BLOCK[weight_layout]
    count = len(channels[0].weights)
    padded = filled(count, weight_layout, depthwise)
    empty = Channel([0] * count, 0, 0, 0, 0)
    out = bytearray()
    for start in range(0, len(channels), rows):
        block = list(channels[start : start + rows])
        block += [empty] * (rows - len(block))
        biases = [bias_of_rows(c, depthwise) if weight_layout == ROWS else c.bias for c in block]
        out += struct.pack(f"<{rows}i", *biases)
        out += _weights(block, weight_layout, padded, depthwise)
        out += struct.pack(f"<{rows}I", *(c.m for c in block))
        more = 0 if weight_layout == ROWS else 1
        out += bytes(max(-c.shift, 0) for c in block) + bytes(max(c.shift, 0) + more for c in block)
        out += bytes(-len(out) % 4)
    return bytes(out)


def _weights(block: Sequence[Channel], weight_layout: str, padded: int, depthwise: bool) -> bytes:
    rows = [list(c.weights) + [0] * (padded - len(c.weights)) for c in block]
    if weight_layout == ROWS:
        return bytes(w + 128 for w in rows[0])
    if weight_layout == QUADS or depthwise:
        return bytes(rows[r][k] & 0xFF for k in range(padded) for r in range(4))
    return bytes(rows[r][k + i] & 0xFF for k in range(0, padded, 4) for r in range(4) for i in range(4))
