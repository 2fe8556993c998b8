"""LOG_SOFTMAX of int8 by viper.

Must not know who calls it. Descriptor: docs/spec/model-plan.md. Every value is at most 2^31 - 1 in magnitude between
steps, so that words of 32 and 64 bits agree. The products of a row's logarithm, (a·b + 2^30) >> 31, are formed at one
place, one after the other: a call would hand over and return numbers that are no small integers, which take heap.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# In Q0.31, as plain_logsoftmax names them; of those above 2^30, which are no small integers, the half.
_HALF_OF_LOG_2 = const(744261118)
_HALF_OF_ROOT = const(759250125)
_HALF_OF_ROOT_OF_ROOT = const(902905650)
_CUBE = const(117049297)
_SQUARE = const(127690142)
_CONSTANT = const(1057819769)
_LINEAR = const(638450708)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_ROWS = const(2)
_CLASSES = const(3)
_EXPONENTIALS = const(4)
_DIFFERENCES = const(5)


@micropython.viper
def log_softmax(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_logsoftmax.log_softmax. Does not allocate."""
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
    differences = ptr32(int(plan) + d[_DIFFERENCES])
    depth = d[_CLASSES]
    most = 0x3FFFFFFF
    most += most + 1
    begin = 757935405
    begin += begin
    root = _HALF_OF_ROOT
    root += root
    log_2 = _HALF_OF_LOG_2
    log_2 += log_2
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
        # The logarithm of the sum, as plain_logsoftmax.logarithm.
        a = total
        b = root
        x = power = middle = q = square = above = below = half = inverse = 0
        for number in range(18):
            a_low = a & 0xFFFF
            b_low = b & 0xFFFF
            rest = (a_low * (b_low >> 8) + (a_low * (b_low & 0xFF) >> 8)) >> 8
            low = a_low * (b >> 16)
            high = (a >> 16) * b_low
            rest = ((low & 0x7FFF) + (high & 0x7FFF) + rest + 16384) >> 15
            y = (a >> 16) * (b >> 16) * 2 + (low >> 15) + (high >> 15) + rest
            if number >= 9 and number < 16:
                # The inverse, as in viper_softmax.
                if number & 1:
                    if number > 9:
                        y <<= 2
                    inverse += y
                    a = half
                    b = inverse
                else:
                    a = inverse
                    b = (1 << 29) - y
                if number == 15:
                    a = above
                    if inverse > most >> 1:
                        b = most
                    else:
                        b = inverse << 1
            elif number == 0:
                bits = 11
                while total <= 0x3FFFFFFF:
                    total <<= 1
                    y <<= 1
                    bits -= 1
                power = bits << 25
                x = y
                a = total
            elif number == 1:
                if x > 0x3FFFFFFF:
                    power += (1 << 25) - (1 << 23)
                    x = total
                else:
                    power += 1 << 23
                    x = most
                    if y <= 0x3FFFFFFF:
                        x = y << 1
                middle = (x >> 1) + _HALF_OF_ROOT_OF_ROOT + 1
                q = x - _HALF_OF_ROOT_OF_ROOT - _HALF_OF_ROOT_OF_ROOT - 1 << 1
                a = q
                b = q
            elif number == 2:
                square = y
                b = x
            elif number == 3:
                above = y
                b = square
            elif number == 4:
                a = y
                b = _CUBE
            elif number == 5:
                above += y
                if above < 0:
                    above -= 1
                above = above + 32 >> 6
                a = square
                b = _SQUARE
            elif number == 6:
                a = middle
                b = _CONSTANT + q + y
            elif number == 7:
                below = y
                a = q
                b = _LINEAR
            elif number == 8:
                half = (below + y >> 1) + 0x3FFFFFFF + 1
                inverse = begin
                a = half
                b = -1010580540
            elif number == 16:
                below = y
                a = power
                b = log_2
            else:
                below += y
        log = (below << 1) + (1 << 21)
        for i in range(depth):
            y = 127 - (differences[top - (source[i] ^ 128)] + log >> 22)
            if y < -128:
                y = -128
            target[i] = y
