"""SOFTMAX of int8 by viper.

Must not know who calls it. Descriptor: docs/spec/model-plan.md. Every value is at most 2^31 - 1 in magnitude between
steps; sums that would reach 2^31 are formed from their halves, so that words of 32 and 64 bits agree.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_ROWS = const(2)
_CLASSES = const(3)
_EXPONENTIALS = const(4)


@micropython.viper
def _high(a: int, b: int) -> int:
    """(a·b + 2^30) >> 31 for any two words of 32 bits whose result is one."""
    a_low = a & 0xFFFF
    a_high = a >> 16
    b_low = b & 0xFFFF
    b_high = b >> 16
    rest = (a_low * (b_low >> 8) + (a_low * (b_low & 0xFF) >> 8)) >> 8
    p = a_low * b_high
    q = a_high * b_low
    rest = ((p & 0x7FFF) + (q & 0x7FFF) + rest + 16384) >> 15
    return a_high * b_high * 2 + (p >> 15) + (q >> 15) + rest


@micropython.viper
def softmax(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_softmax.softmax. Does not allocate."""
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
    terms = ptr32(int(plan) + d[_EXPONENTIALS])
    depth = d[_CLASSES]
    # Constants above 2^30 are no small integers: they are put together here.
    most = 0x3FFFFFFF
    most += most + 1
    begin = 757935405
    begin += begin
    for row in range(d[_ROWS]):
        source = ptr8(first + row * depth)
        target = ptr8(out + row * depth)
        top = 0
        for i in range(depth):
            x = source[i] ^ 128
            if x > top:
                top = x
        total = 0
        for i in range(depth):
            total += (terms[top - (source[i] ^ 128)] >> 11) + 1 >> 1
        # The sum as 1.f · 2^bits; half = (1 + f)/2 in Q0.31.
        bits = 12
        while total <= 0x3FFFFFFF:
            total <<= 1
            bits -= 1
        bits -= 1
        half = total
        # 48/17 - 32/17·half, then x += 4·x·(1 - half·x), three times, in Q2.29.
        x = begin + int(_high(half, -1010580540))
        for _ in range(3):
            x += int(_high(x, (1 << 29) - int(_high(half, x)))) << 2
        if x > most >> 1:
            x = most
        else:
            x <<= 1
        shift = bits + 23
        for i in range(depth):
            y = int(_high(x, terms[top - (source[i] ^ 128)]))
            if shift:
                y = (y >> (shift - 1)) + 1 >> 1
            y -= 128
            if y > 127:
                y = 127
            target[i] = y
