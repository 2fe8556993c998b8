"""Elementwise int8 layers by viper: sums and products of two arrays.

Must not know who calls it. Descriptors: docs/spec/model-plan.md. Scaling: see viper_conv.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)


@micropython.viper
def add(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise.add. Does not allocate."""
    d = ptr32(int(plan) + at)
    a = d[0] & _OFFSET
    if d[0] >> _SPACE == 0:
        a += int(scratch)
    elif d[0] >> _SPACE == 1:
        a += int(state)
    else:
        a += int(plan)
    b = d[1] & _OFFSET
    if d[1] >> _SPACE == 0:
        b += int(scratch)
    elif d[1] >> _SPACE == 1:
        b += int(state)
    else:
        b += int(plan)
    out = d[2] & _OFFSET
    if d[2] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    target = ptr8(out)
    a_terms = ptr32(int(plan) + d[15])
    b_terms = ptr32(int(plan) + d[16])
    sign = int(1) << 31
    m_low = d[17] & 0xFFFF
    m_high = d[17] >> 16
    right = d[18]
    zero = (d[20] - 128) * 2 + 1
    for i in range(d[3]):
        for j in range(d[4]):
            for k in range(d[5]):
                plan = ptr8(a + i * d[7] + j * d[8] + k * d[9])
                scratch = ptr8(b + i * d[11] + j * d[12] + k * d[13])
                n = d[6]
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
                    plan = ptr8(int(plan) + d[10])
                    scratch = ptr8(int(scratch) + d[14])
                    n -= 1


@micropython.viper
def mul(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise.mul. Does not allocate."""
    d = ptr32(int(plan) + at)
    a = d[0] & _OFFSET
    if d[0] >> _SPACE == 0:
        a += int(scratch)
    elif d[0] >> _SPACE == 1:
        a += int(state)
    else:
        a += int(plan)
    b = d[1] & _OFFSET
    if d[1] >> _SPACE == 0:
        b += int(scratch)
    elif d[1] >> _SPACE == 1:
        b += int(state)
    else:
        b += int(plan)
    out = d[2] & _OFFSET
    if d[2] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    target = ptr8(out)
    # Both factors are at most 255 either way, and so small that the narrow way of viper_conv would do; but a left
    # shift may take their product to 2^30.
    a_zero = d[15]
    b_zero = d[16]
    m_low = d[17] & 0xFFFF
    m_high = d[17] >> 16
    right = d[18]
    left = d[19]
    zero = (d[20] - 128) * 2 + 1
    for i in range(d[3]):
        for j in range(d[4]):
            for k in range(d[5]):
                plan = ptr8(a + i * d[7] + j * d[8] + k * d[9])
                scratch = ptr8(b + i * d[11] + j * d[12] + k * d[13])
                n = d[6]
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
                    plan = ptr8(int(plan) + d[10])
                    scratch = ptr8(int(scratch) + d[14])
                    n -= 1
