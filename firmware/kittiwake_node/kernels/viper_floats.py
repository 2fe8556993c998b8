"""Floats to bytes by viper: a search by halves in a table of thresholds, no arithmetic on floats.

Must not know who calls it. Descriptor: docs/spec/model-plan.md. Floats are read byte by byte, so they may lie anywhere.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_THRESHOLDS = const(2)
_COUNT = const(3)
_ZERO = const(4)


@micropython.viper
def quantise(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_floats.quantise. Does not allocate."""
    d = ptr32(int(plan) + at)
    first = d[_INPUT] & _OFFSET
    if d[_INPUT] >> _SPACE == 0:
        first += int(scratch)
    elif d[_INPUT] >> _SPACE == 1:
        first += int(state)
    else:
        first += int(plan)
    out = d[_OUTPUT] & _OFFSET
    if d[_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    thresholds = ptr32(int(plan) + d[_THRESHOLDS])
    zero = d[_ZERO]
    target = ptr8(out)
    plan = ptr8(first)
    for i in range(d[_COUNT]):
        magnitude = plan[0] | plan[1] << 8 | plan[2] << 16 | (plan[3] & 127) << 24
        at = 0
        half = 128
        while half:
            if magnitude >= thresholds[at + half]:
                at += half
            half >>= 1
        if plan[3] > 127:
            at = zero - at
        else:
            at = zero + at
        if at < 0:
            at = 0
        elif at > 255:
            at = 255
        target[i] = at ^ 128
        plan = ptr8(int(plan) + 4)
