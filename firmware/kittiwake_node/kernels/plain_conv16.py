"""Layers of int16 activations and int8 weights by definition: accumulators of 48 bits, a factor of 15, one rounding.

Must not know who calls it. Runs anywhere; descriptors and stream: see docs/spec/model-plan.md.
"""

from .plain_conv import lines
from .plain_depthwise import sums
from .plain_requant import find, put_half, words

if False:  # for mypy alone
    from kittiwake_types import Memory

_OFFSET = 1 << 15  # of a range's words; also what kernels add to every input, which a bias has taken off
_HIGH_OFFSET = 1 << 29
_HEAD_BYTES = 12
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_STREAM = 2
_OUTPUTS = 3
_CHANNELS = 3
_INPUTS = 4
_FILTER_HEIGHT = 4
_FILLED = 5
_FILTER_WIDTH = 5
_DEPTHWISE16_LOW = 14
_DEPTHWISE16_HIGH = 15
_CONV16_LOW = 16
_CONV16_HIGH = 17


def conv16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Run a dense layer over halfwords.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 18)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for place, line in lines(d, plan, source, first, 2):
        for c in range(d[_OUTPUTS]):
            weights, total, factor, right, left = channel16(plan, d[_STREAM], d[_FILLED], c)
            for k in range(d[_INPUTS]):
                total += weights[k] * line[k]
            x = scale16(total, factor, right, left)
            put_half(target, out + place + 2 * c, x, d[_CONV16_LOW] - _OFFSET, d[_CONV16_HIGH] - _OFFSET)


def depthwise16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Run a depthwise layer over halfwords, one output a channel of the input.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 16)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    padded = -(-d[_FILTER_HEIGHT] * d[_FILTER_WIDTH] // 4) * 4
    for c in range(d[_CHANNELS]):
        weights, bias, factor, right, left = channel16(plan, d[_STREAM], padded, c)
        for place, total in sums(d, weights, source, first + 2 * c, 2):
            x = scale16(total + bias, factor, right, left)
            put_half(target, out + place + 2 * c, x, d[_DEPTHWISE16_LOW] - _OFFSET, d[_DEPTHWISE16_HIGH] - _OFFSET)


def channel16(plan: "Memory", stream: int, padded: int, c: int) -> tuple[list[int], int, int, int, int]:
    """Read one channel of a stream.

    Args:
        plan: buffer.
        stream: offset of the stream.
        padded: weights a channel, with what fills up.
        c: the channel.

    Returns:
        (weights, bias, factor, right, left), weights signed. Allocates.
    """
    at = stream + c * (_HEAD_BYTES + padded)
    weights = [plan[at + _HEAD_BYTES + k] - 128 for k in range(padded)]
    high = words(plan, at, 1)[0] - _HIGH_OFFSET
    low, factor = [plan[at + k] | plan[at + k + 1] << 8 for k in (4, 6)]
    return weights, (high << 16) + low + _OFFSET * sum(weights), factor, plan[at + 8], plan[at + 9]


def scale16(total: int, factor: int, right: int, left: int) -> int:
    """Scale an accumulator by factor * 2^(left - right - 31), rounded half up.

    Args:
        total: the accumulator; shifted to the left, within 46 bits.
        factor: 0 to 2^15 - 1.
        right: shift, 1 to 15.
        left: shift, 0 to 24.

    Returns:
        The scaled integer.
    """
    return ((total << left) * factor + (1 << (right + 30))) >> (right + 31)
