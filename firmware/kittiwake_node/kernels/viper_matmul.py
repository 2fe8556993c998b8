"""Products of two matrices of bytes by viper, both of them computed.

Must not know who calls it. Descriptor: docs/spec/model-plan.md. Scaling: see viper_conv.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_A = const(0)
_B = const(1)
_OUTPUT = const(2)
_ROWS = const(3)
_COLS = const(4)
_INNER = const(5)
_A_ROW = const(6)
_A_STEP = const(7)
_B_COL = const(8)
_B_STEP = const(9)
_A_ZERO = const(10)
_B_ZERO = const(11)
_M = const(12)
_RIGHT = const(13)
_LEFT = const(14)
_ZERO = const(15)


@micropython.viper
def matmul(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_matmul.matmul. Does not allocate."""
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
    a_step = d[_A_STEP]
    b_step = d[_B_STEP]
    a_zero = d[_A_ZERO]
    b_zero = d[_B_ZERO]
    m_low = d[_M] & 0xFFFF
    m_high = d[_M] >> 16
    right = d[_RIGHT]
    left = d[_LEFT]
    zero = (d[_ZERO] - 128) * 2 + 1
    for row in range(d[_ROWS]):
        for col in range(d[_COLS]):
            plan = ptr8(a + row * d[_A_ROW])
            scratch = ptr8(b + col * d[_B_COL])
            at = 0
            n = d[_INNER]
            while n:
                at = ((plan[0] ^ 128) - a_zero) * ((scratch[0] ^ 128) - b_zero) + at
                plan = ptr8(int(plan) + a_step)
                scratch = ptr8(int(scratch) + b_step)
                n -= 1
            at <<= left
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
