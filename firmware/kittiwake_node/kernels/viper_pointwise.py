"""Elementwise int8 layers by viper: sums and products of two arrays.

Must not know who calls it. Descriptors: docs/spec/model-plan.md. Scaling: see viper_conv.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_A = const(0)
_B = const(1)
_OUTPUT = const(2)
_SIZES = const(3)
_A_STRIDES = const(7)
_B_STRIDES = const(11)
_A_TERMS = const(15)
_A_ZERO = const(15)
_B_TERMS = const(16)
_B_ZERO = const(16)
_M = const(17)
_RIGHT = const(18)
_LEFT = const(19)
_ZERO = const(20)


@micropython.viper
def add(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise.add. Does not allocate."""
    d = ptr32(int(plan) + at)
    a = d[_A] & _OFFSET
    if d[_A] >> _SPACE == 0:
        a += int(scratch)
    elif d[_A] >> _SPACE == 1:
        a += int(state)
    else:
        a += int(plan)
    b = d[_B] & _OFFSET
    if d[_B] >> _SPACE == 0:
        b += int(scratch)
    elif d[_B] >> _SPACE == 1:
        b += int(state)
    else:
        b += int(plan)
    out = d[_OUTPUT] & _OFFSET
    if d[_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    target = ptr8(out)
    a_terms = ptr32(int(plan) + d[_A_TERMS])
    b_terms = ptr32(int(plan) + d[_B_TERMS])
    sign = int(1) << 31
    m_low = d[_M] & 0xFFFF
    m_high = d[_M] >> 16
    right = d[_RIGHT]
    zero = (d[_ZERO] - 128) * 2 + 1
    for i in range(d[_SIZES]):
        for j in range(d[_SIZES + 1]):
            for k in range(d[_SIZES + 2]):
                plan = ptr8(a + i * d[_A_STRIDES] + j * d[_A_STRIDES + 1] + k * d[_A_STRIDES + 2])
                scratch = ptr8(b + i * d[_B_STRIDES] + j * d[_B_STRIDES + 1] + k * d[_B_STRIDES + 2])
                n = d[_SIZES + 3]
                while n:
                    at = (a_terms[plan[0]] ^ sign) - sign + (b_terms[scratch[0]] ^ sign) - sign
                    low = at & 0xFFFF
                    high = at >> 16
                    rest = (low * (m_low >> 8) + (low * (m_low & 0xFF) >> 8)) >> 8
                    low *= m_high
                    at = high * m_low
                    rest = ((at & 0x7FFF) + (low & 0x7FFF) + rest + 16384) >> 15
                    at = high * m_high * 2 + (at >> 15) + (low >> 15) + rest
                    at += at
                    if at < 0:
                        at -= 1
                    at = ((at >> right) + zero) >> 1
                    if at > 127:
                        at = 127
                    elif at < -128:
                        at = -128
                    target[0] = at
                    target = ptr8(int(target) + 1)
                    plan = ptr8(int(plan) + d[_A_STRIDES + 3])
                    scratch = ptr8(int(scratch) + d[_B_STRIDES + 3])
                    n -= 1


@micropython.viper
def mul(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise.mul. Does not allocate."""
    d = ptr32(int(plan) + at)
    a = d[_A] & _OFFSET
    if d[_A] >> _SPACE == 0:
        a += int(scratch)
    elif d[_A] >> _SPACE == 1:
        a += int(state)
    else:
        a += int(plan)
    b = d[_B] & _OFFSET
    if d[_B] >> _SPACE == 0:
        b += int(scratch)
    elif d[_B] >> _SPACE == 1:
        b += int(state)
    else:
        b += int(plan)
    out = d[_OUTPUT] & _OFFSET
    if d[_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    target = ptr8(out)
    # Both factors are at most 255 either way, and so small that the narrow way of viper_conv would do; but a left
    # shift may take their product to 2^30.
    a_zero = d[_A_ZERO]
    b_zero = d[_B_ZERO]
    m_low = d[_M] & 0xFFFF
    m_high = d[_M] >> 16
    right = d[_RIGHT]
    left = d[_LEFT]
    zero = (d[_ZERO] - 128) * 2 + 1
    for i in range(d[_SIZES]):
        for j in range(d[_SIZES + 1]):
            for k in range(d[_SIZES + 2]):
                plan = ptr8(a + i * d[_A_STRIDES] + j * d[_A_STRIDES + 1] + k * d[_A_STRIDES + 2])
                scratch = ptr8(b + i * d[_B_STRIDES] + j * d[_B_STRIDES + 1] + k * d[_B_STRIDES + 2])
                n = d[_SIZES + 3]
                while n:
                    at = ((plan[0] ^ 128) - a_zero) * ((scratch[0] ^ 128) - b_zero) << left
                    low = at & 0xFFFF
                    high = at >> 16
                    rest = (low * (m_low >> 8) + (low * (m_low & 0xFF) >> 8)) >> 8
                    low *= m_high
                    at = high * m_low
                    rest = ((at & 0x7FFF) + (low & 0x7FFF) + rest + 16384) >> 15
                    at = high * m_high * 2 + (at >> 15) + (low >> 15) + rest
                    at += at
                    if at < 0:
                        at -= 1
                    at = ((at >> right) + zero) >> 1
                    if at > 127:
                        at = 127
                    elif at < -128:
                        at = -128
                    target[0] = at
                    target = ptr8(int(target) + 1)
                    plan = ptr8(int(plan) + d[_A_STRIDES + 3])
                    scratch = ptr8(int(scratch) + d[_B_STRIDES + 3])
                    n -= 1
