"""Functions of one byte by viper: a table of 256 entries.

Must not know which function a table holds. Descriptors: docs/spec/model-plan.md.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_TABLE = const(2)
_COUNT = const(3)
_ROWS = const(3)
_ROW_BYTES = const(4)
_IN_ROW = const(5)
_OUT_ROW = const(6)


@micropython.viper
def table(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise.table. Does not allocate."""
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
    plan = ptr8(int(plan) + d[_TABLE])
    for row in range(d[_ROWS]):
        scratch = ptr8(first + row * d[_IN_ROW])
        target = ptr8(out + row * d[_OUT_ROW])
        for i in range(d[_ROW_BYTES]):
            target[i] = plan[scratch[i]]


@micropython.viper
def widen(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise.widen. Does not allocate."""
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
    entries = ptr32(int(plan) + d[_TABLE])
    source = ptr8(first)
    target = ptr32(out)
    for i in range(d[_COUNT]):
        target[i] = entries[source[i]]
