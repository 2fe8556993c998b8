"""SOFTMAX of int8 by viper.

Must not know who calls it. Descriptor: docs/spec/model-plan.md. Every value is at most 2^31 - 1 in magnitude between
steps; sums that would reach 2^31 are formed from their halves, so that words of 32 and 64 bits agree. Products,
(a·b + 2^30) >> 31, are formed in place: a call would hand over and return numbers that are no small integers, which
take heap.
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
        # The sum as 1.f · 2^bits; what is left of it is (1 + f)/2 in Q0.31.
        bits = 12
        while total <= 0x3FFFFFFF:
            total <<= 1
            bits -= 1
        bits -= 1
        # x = 48/17 - 32/17·half, then x += 4·x·(1 - half·x), three times, in Q2.29.
        x = begin
        a = total
        b = -1010580540
        for turn in range(7):
            a_low = a & 0xFFFF
            b_low = b & 0xFFFF
            rest = (a_low * (b_low >> 8) + (a_low * (b_low & 0xFF) >> 8)) >> 8
            p = a_low * (b >> 16)
            q = (a >> 16) * b_low
            rest = ((p & 0x7FFF) + (q & 0x7FFF) + rest + 16384) >> 15
            y = (a >> 16) * (b >> 16) * 2 + (p >> 15) + (q >> 15) + rest
            if turn & 1:
                a = x
                b = (1 << 29) - y
            else:
                if turn:
                    y <<= 2
                x += y
                a = total
                b = x
        if x > most >> 1:
            x = most
        else:
            x <<= 1
        a_low = x & 0xFFFF
        a = x >> 16
        shift = bits + 23
        for i in range(depth):
            b = terms[top - (source[i] ^ 128)]
            b_low = b & 0xFFFF
            rest = (a_low * (b_low >> 8) + (a_low * (b_low & 0xFF) >> 8)) >> 8
            p = a_low * (b >> 16)
            q = a * b_low
            rest = ((p & 0x7FFF) + (q & 0x7FFF) + rest + 16384) >> 15
            y = a * (b >> 16) * 2 + (p >> 15) + (q >> 15) + rest
            if shift:
                y = (y >> (shift - 1)) + 1 >> 1
            y -= 128
            if y > 127:
                y = 127
            target[i] = y
