"""Strided copies by viper, word by word where both ends lie at multiples of four.

Must not know what the bytes mean. Descriptor: docs/spec/model-plan.md.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)


@micropython.viper
def copy(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_shape.copy. Does not allocate."""
    d = ptr32(int(plan) + at)
    first = d[0] & _OFFSET
    if d[0] >> _SPACE == 0:
        first += int(scratch)
    elif d[0] >> _SPACE == 1:
        first += int(state)
    else:
        first += int(plan)
    out = d[1] & _OFFSET
    if d[1] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    for a in range(d[2]):
        for b in range(d[3]):
            for c in range(d[4]):
                plan = ptr8(first + a * d[6] + b * d[7] + c * d[8])
                scratch = ptr8(out + a * d[10] + b * d[11] + c * d[12])
                n = d[5]
                if d[9] == 1 and d[13] == 1:
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
                    plan = ptr8(int(plan) + d[9])
                    scratch = ptr8(int(scratch) + d[13])
                    n -= 1
