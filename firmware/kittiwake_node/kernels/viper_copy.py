"""Strided copies by viper, word by word where both ends lie at multiples of four.

Must not know what the bytes mean. Descriptor: docs/spec/model-plan.md.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_SIZES = const(2)
_IN_STRIDES = const(6)
_OUT_STRIDES = const(10)


@micropython.viper
def copy(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_shape.copy. Does not allocate."""
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
    for a in range(d[_SIZES]):
        for b in range(d[_SIZES + 1]):
            for c in range(d[_SIZES + 2]):
                plan = ptr8(first + a * d[_IN_STRIDES] + b * d[_IN_STRIDES + 1] + c * d[_IN_STRIDES + 2])
                scratch = ptr8(out + a * d[_OUT_STRIDES] + b * d[_OUT_STRIDES + 1] + c * d[_OUT_STRIDES + 2])
                n = d[_SIZES + 3]
                if d[_IN_STRIDES + 3] == 1 and d[_OUT_STRIDES + 3] == 1:
                    if (int(plan) | int(scratch)) & 3 == 0:
                        given = ptr32(plan)
                        words = ptr32(scratch)
                        while n >= 16:
                            words[0] = given[0]
                            words[1] = given[1]
                            words[2] = given[2]
                            words[3] = given[3]
                            given = ptr32(int(given) + 16)
                            words = ptr32(int(words) + 16)
                            n -= 16
                        plan = ptr8(int(given))
                        scratch = ptr8(int(words))
                    while n >= 4:
                        scratch[0] = plan[0]
                        scratch[1] = plan[1]
                        scratch[2] = plan[2]
                        scratch[3] = plan[3]
                        plan = ptr8(int(plan) + 4)
                        scratch = ptr8(int(scratch) + 4)
                        n -= 4
                while n:
                    scratch[0] = plan[0]
                    plan = ptr8(int(plan) + d[_IN_STRIDES + 3])
                    scratch = ptr8(int(scratch) + d[_OUT_STRIDES + 3])
                    n -= 1
