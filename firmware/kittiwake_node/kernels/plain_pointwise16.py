"""Elementwise layers of int16 activations by definition: sums, products, and changes of scale.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_pointwise import both
from .plain_requant import element, find, half, put_half, scale, words

if False:  # for mypy alone
    from kittiwake_types import Memory

_OFFSET = 1 << 15  # of zeros and of a range's words
_SHIFT = 15  # both inputs of a sum are taken so far to the left; the first, by its factor of a half, one less
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_RESCALE16_OUTPUT = 1
_COUNT = 2
_IN_WIDTH = 3
_OUT_WIDTH = 4
_RESCALE16_ZERO = 5
_RESCALE16_M = 6
_RESCALE16_RIGHT = 7
_RESCALE16_LEFT = 8
_BELOW_M = 9
_BELOW_RIGHT = 10
_BELOW_LEFT = 11
_OUT_ZERO = 12
_RESCALE16_LOW = 13
_RESCALE16_HIGH = 14
_A_NEGATIVE = 15
_MUL16_M = 15
_B_NEGATIVE = 16
_MUL16_RIGHT = 16
_B_M = 17
_MUL16_LOW = 17
_B_RIGHT = 18
_MUL16_HIGH = 18
_ADD16_M = 19
_ADD16_RIGHT = 20
_ADD16_LOW = 21
_ADD16_HIGH = 22


def add16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Add two arrays, or subtract; the scale of the first is the larger.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 23)
    a, b, target, out, pairs = both(d, plan, scratch, state)
    for i, j in pairs:
        x = half(a, i) << (_SHIFT - 1)
        y = scale(half(b, j) << _SHIFT, d[_B_M], d[_B_RIGHT], 0)
        total = (-x if d[_A_NEGATIVE] else x) + (-y if d[_B_NEGATIVE] else y)
        x = scale(total, d[_ADD16_M], d[_ADD16_RIGHT], 0)
        put_half(target, out, x, d[_ADD16_LOW] - _OFFSET, d[_ADD16_HIGH] - _OFFSET)
        out += 2


def mul16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Multiply two arrays.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 19)
    a, b, target, out, pairs = both(d, plan, scratch, state)
    for i, j in pairs:
        x = scale(half(a, i) * half(b, j), d[_MUL16_M], d[_MUL16_RIGHT], 0)
        put_half(target, out, x, d[_MUL16_LOW] - _OFFSET, d[_MUL16_HIGH] - _OFFSET)
        out += 2


def rescale16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Change the scale of each element, by one factor at zero and above, by another below; bytes or halfwords.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 15)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_RESCALE16_OUTPUT], plan, scratch, state)
    low, high = d[_RESCALE16_LOW] - _OFFSET, d[_RESCALE16_HIGH] - _OFFSET
    for i in range(d[_COUNT]):
        x = element(source, first + d[_IN_WIDTH] * i, d[_IN_WIDTH]) - (d[_RESCALE16_ZERO] - _OFFSET)
        if x >= 0:
            x = scale(x, d[_RESCALE16_M], d[_RESCALE16_RIGHT], d[_RESCALE16_LEFT])
        else:
            x = scale(x, d[_BELOW_M], d[_BELOW_RIGHT], d[_BELOW_LEFT])
        x += d[_OUT_ZERO] - _OFFSET
        if d[_OUT_WIDTH] == 2:
            put_half(target, out + 2 * i, x, low, high)
        else:
            target[out + i] = max(low, min(high, x)) & 0xFF
