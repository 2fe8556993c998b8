"""Functions of one byte by viper: a table of 256 entries.

Must not know which function a table holds. Descriptors: docs/spec/model-plan.md.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)


@micropython.viper
def table(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise.table. Does not allocate."""
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
    plan = ptr8(int(plan) + d[2])
    for row in range(d[3]):
        scratch = ptr8(first + row * d[5])
        target = ptr8(out + row * d[6])
        for i in range(d[4]):
            target[i] = plan[scratch[i]]


@micropython.viper
def widen(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise.widen. Does not allocate."""
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
    entries = ptr32(int(plan) + d[2])
    source = ptr8(first)
    target = ptr32(out)
    for i in range(d[3]):
        target[i] = entries[source[i]]
