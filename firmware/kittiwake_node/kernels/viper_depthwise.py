"""Depthwise int8 layers by viper.

Must not know who calls it. Descriptor: docs/spec/model-plan.md; layout `rows`. Arithmetic: see viper_conv; here 128 is
taken off each weight as it is read, so that the inputs need no sum.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_STREAM = const(2)
_CHANNELS = const(3)
_FILTER_HEIGHT = const(4)
_FILTER_WIDTH = const(5)
_ROWS = const(6)
_COLS = const(7)
_IN_ROW = const(8)
_IN_COL = const(9)
_OUT_ROW = const(10)
_OUT_COL = const(11)
_TAP_DOWN = const(12)
_TAP_ACROSS = const(13)
_ZERO = const(14)
_WIDE = const(15)


@micropython.viper
def depthwise(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_depthwise.depthwise. Does not allocate."""
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
    stream = int(plan) + d[_STREAM]
    across = d[_TAP_ACROSS]
    # What the pointer has to go after a row of the filter, to the start of the next.
    down = d[_TAP_DOWN] - d[_FILTER_WIDTH] * across
    twice = across * 2
    thrice = across * 3
    threes = d[_FILTER_WIDTH] // 3
    rest = d[_FILTER_WIDTH] - 3 * threes
    fill = -(d[_FILTER_HEIGHT] * d[_FILTER_WIDTH]) & 3
    zero = (d[_ZERO] - 128) * 2 + 1
    wide = d[_WIDE]
    row = 0
    while row < d[_ROWS]:
        col = 0
        while col < d[_COLS]:
            base = first + row * d[_IN_ROW] + col * d[_IN_COL]
            target = ptr8(out + row * d[_OUT_ROW] + col * d[_OUT_COL])
            plan = ptr8(stream)
            c = d[_CHANNELS]
            while c:
                at = ptr32(plan)[0] - (1 << 29)
                scratch = ptr8(base)
                y = d[_FILTER_HEIGHT]
                while y:
                    n = threes
                    while n:
                        at = (plan[4] - 128) * (scratch[0] ^ 128) + at
                        at = (plan[5] - 128) * (scratch[across] ^ 128) + at
                        at = (plan[6] - 128) * (scratch[twice] ^ 128) + at
                        scratch = ptr8(int(scratch) + thrice)
                        plan = ptr8(int(plan) + 3)
                        n -= 1
                    n = rest
                    while n:
                        at = (plan[4] - 128) * (scratch[0] ^ 128) + at
                        scratch = ptr8(int(scratch) + across)
                        plan = ptr8(int(plan) + 1)
                        n -= 1
                    scratch = ptr8(int(scratch) + down)
                    y -= 1
                plan = ptr8(int(plan) + fill)
                if plan[9]:
                    at <<= plan[9]
                if wide:
                    low = at & 0xFFFF
                    high = at >> 16
                    k = (low * plan[5] + (low * plan[4] >> 8)) >> 8
                    n = plan[6] + (plan[7] << 8)
                    low *= n
                    at = high * (plan[4] + (plan[5] << 8))
                    k = ((at & 0x7FFF) + (low & 0x7FFF) + k + 16384) >> 15
                    at = high * n * 2 + (at >> 15) + (low >> 15) + k
                else:
                    k = ((at * plan[4] >> 8) + at * plan[5]) >> 8
                    at = (((k + at * plan[6]) >> 8) + at * plan[7] + 64) >> 7
                at = (at >> 31) + at + at
                at = ((at >> plan[8]) + zero) >> 1
                if (at + 128) >> 8:
                    if at > 127:
                        at = 127
                    else:
                        at = -128
                target[0] = at
                target = ptr8(int(target) + 1)
                plan = ptr8(int(plan) + 12)
                base += 1
                c -= 1
            col += 1
        row += 1
