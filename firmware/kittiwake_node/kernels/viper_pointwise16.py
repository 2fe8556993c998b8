"""Elementwise layers of int16 activations by viper: sums, products, and changes of scale.

Must not know who calls it. Descriptors: docs/spec/model-plan.md. Scaling: see viper_conv.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_A = const(0)
_RESCALE16_OUTPUT = const(1)
_B = const(1)
_ADD16_OUTPUT = const(2)
_COUNT = const(2)
_SIZES = const(3)
_IN_WIDTH = const(3)
_OUT_WIDTH = const(4)
_RESCALE16_ZERO = const(5)
_RESCALE16_M = const(6)
_A_STRIDES = const(7)
_RESCALE16_RIGHT = const(7)
_RESCALE16_LEFT = const(8)
_BELOW_M = const(9)
_BELOW_RIGHT = const(10)
_B_STRIDES = const(11)
_BELOW_LEFT = const(11)
_OUT_ZERO = const(12)
_RESCALE16_LOW = const(13)
_RESCALE16_HIGH = const(14)
_A_NEGATIVE = const(15)
_MUL16_M = const(15)
_B_NEGATIVE = const(16)
_MUL16_RIGHT = const(16)
_B_M = const(17)
_MUL16_LOW = const(17)
_B_RIGHT = const(18)
_MUL16_HIGH = const(18)
_ADD16_M = const(19)
_ADD16_RIGHT = const(20)
_ADD16_LOW = const(21)
_ADD16_HIGH = const(22)


@micropython.viper
def add16(at: int, plan: ptr16, scratch: ptr16, state: ptr16):
    """As plain_pointwise16.add16. Does not allocate."""
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
    out = d[_ADD16_OUTPUT] & _OFFSET
    if d[_ADD16_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    target = ptr16(out)
    b_low = d[_B_M] & 0xFFFF
    b_high = d[_B_M] >> 16
    b_right = d[_B_RIGHT]
    m_low = d[_ADD16_M] & 0xFFFF
    m_high = d[_ADD16_M] >> 16
    right = d[_ADD16_RIGHT]
    least = d[_ADD16_LOW] - 0x8000
    most = d[_ADD16_HIGH] - 0x8000
    for i in range(d[_SIZES]):
        for j in range(d[_SIZES + 1]):
            for k in range(d[_SIZES + 2]):
                plan = ptr16(a + i * d[_A_STRIDES] + j * d[_A_STRIDES + 1] + k * d[_A_STRIDES + 2])
                scratch = ptr16(b + i * d[_B_STRIDES] + j * d[_B_STRIDES + 1] + k * d[_B_STRIDES + 2])
                n = d[_SIZES + 3]
                while n:
                    at = (scratch[0] ^ 0x8000) - 0x8000 << 15
                    low = at & 0xFFFF
                    high = at >> 16
                    rest = (low * (b_low >> 8) + (low * (b_low & 0xFF) >> 8)) >> 8
                    low *= b_high
                    at = high * b_low
                    rest = ((at & 0x7FFF) + (low & 0x7FFF) + rest + 16384) >> 15
                    at = high * b_high * 2 + (at >> 15) + (low >> 15) + rest
                    at += at
                    if at < 0:
                        at -= 1
                    at = ((at >> b_right) + 1) >> 1
                    if d[_B_NEGATIVE]:
                        at = 0 - at
                    low = (plan[0] ^ 0x8000) - 0x8000 << 14
                    if d[_A_NEGATIVE]:
                        low = 0 - low
                    at += low
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
                    at = ((at >> right) + 1) >> 1
                    if at > most:
                        at = most
                    elif at < least:
                        at = least
                    target[0] = at
                    target = ptr16(int(target) + 2)
                    plan = ptr16(int(plan) + d[_A_STRIDES + 3])
                    scratch = ptr16(int(scratch) + d[_B_STRIDES + 3])
                    n -= 1


@micropython.viper
def mul16(at: int, plan: ptr16, scratch: ptr16, state: ptr16):
    """As plain_pointwise16.mul16. Does not allocate."""
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
    out = d[_ADD16_OUTPUT] & _OFFSET
    if d[_ADD16_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    target = ptr16(out)
    m_low = d[_MUL16_M] & 0xFFFF
    m_high = d[_MUL16_M] >> 16
    right = d[_MUL16_RIGHT]
    least = d[_MUL16_LOW] - 0x8000
    most = d[_MUL16_HIGH] - 0x8000
    for i in range(d[_SIZES]):
        for j in range(d[_SIZES + 1]):
            for k in range(d[_SIZES + 2]):
                plan = ptr16(a + i * d[_A_STRIDES] + j * d[_A_STRIDES + 1] + k * d[_A_STRIDES + 2])
                scratch = ptr16(b + i * d[_B_STRIDES] + j * d[_B_STRIDES + 1] + k * d[_B_STRIDES + 2])
                n = d[_SIZES + 3]
                while n:
                    at = ((plan[0] ^ 0x8000) - 0x8000) * ((scratch[0] ^ 0x8000) - 0x8000)
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
                    at = ((at >> right) + 1) >> 1
                    if at > most:
                        at = most
                    elif at < least:
                        at = least
                    target[0] = at
                    target = ptr16(int(target) + 2)
                    plan = ptr16(int(plan) + d[_A_STRIDES + 3])
                    scratch = ptr16(int(scratch) + d[_B_STRIDES + 3])
                    n -= 1


@micropython.viper
def rescale16(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pointwise16.rescale16. Does not allocate."""
    d = ptr32(int(plan) + at)
    first = d[_INPUT] & _OFFSET
    if d[_INPUT] >> _SPACE == 0:
        first += int(scratch)
    elif d[_INPUT] >> _SPACE == 1:
        first += int(state)
    else:
        first += int(plan)
    out = d[_RESCALE16_OUTPUT] & _OFFSET
    if d[_RESCALE16_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    zero = d[_RESCALE16_ZERO] - 0x8000
    out_zero = (d[_OUT_ZERO] - 0x8000) * 2 + 1
    least = d[_RESCALE16_LOW] - 0x8000
    most = d[_RESCALE16_HIGH] - 0x8000
    for i in range(d[_COUNT]):
        if d[_IN_WIDTH] == 2:
            at = (ptr16(first)[i] ^ 0x8000) - 0x8000 - zero
        else:
            at = (ptr8(first)[i] ^ 128) - 128 - zero
        if at < 0:
            m_low = d[_BELOW_M] & 0xFFFF
            m_high = d[_BELOW_M] >> 16
            right = d[_BELOW_RIGHT]
            at <<= d[_BELOW_LEFT]
        else:
            m_low = d[_RESCALE16_M] & 0xFFFF
            m_high = d[_RESCALE16_M] >> 16
            right = d[_RESCALE16_RIGHT]
            at <<= d[_RESCALE16_LEFT]
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
        at = ((at >> right) + out_zero) >> 1
        if at > most:
            at = most
        elif at < least:
            at = least
        if d[_OUT_WIDTH] == 2:
            ptr16(out)[i] = at
        else:
            ptr8(out)[i] = at
