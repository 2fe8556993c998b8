"""Pooling layers of int16 activations by viper: average, largest, and the mean over whole axes.

Must not know who calls it. Descriptors: docs/spec/model-plan.md. Scaling: see viper_conv.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_CHANNELS = const(2)
_KEPT_SIZES = const(2)
_ROWS = const(3)
_COLS = const(4)
_HEIGHT = const(5)
_KEPT_STRIDES = const(5)
_WIDTH = const(6)
_FILTER_HEIGHT = const(7)
_FILTER_WIDTH = const(8)
_JOINED_SIZES = const(8)
_STRIDE_DOWN = const(9)
_STRIDE_ACROSS = const(10)
_JOINED_STRIDES = const(11)
_PAD_ABOVE = const(11)
_PAD_LEFT = const(12)
_IN_ROW = const(13)
_IN_COL = const(14)
_M = const(14)
_OUT_ROW = const(15)
_RIGHT = const(15)
_LEFT = const(16)
_OUT_COL = const(16)
_AVERAGES = const(17)
_LOW = const(18)
_HIGH = const(19)


@micropython.viper
def pool16(at: int, plan: ptr8, scratch: ptr16, state: ptr8):
    """As plain_pool16.pool16. Does not allocate."""
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
    across = d[_IN_COL]
    averages = d[_AVERAGES]
    for row in range(d[_ROWS]):
        top = row * d[_STRIDE_DOWN] - d[_PAD_ABOVE]
        bottom = top + d[_FILTER_HEIGHT]
        if top < 0:
            top = 0
        if bottom > d[_HEIGHT]:
            bottom = d[_HEIGHT]
        for col in range(d[_COLS]):
            left = col * d[_STRIDE_ACROSS] - d[_PAD_LEFT]
            right = left + d[_FILTER_WIDTH]
            if left < 0:
                left = 0
            if right > d[_WIDTH]:
                right = d[_WIDTH]
            base = first + top * d[_IN_ROW] + left * across
            target = ptr16(out + row * d[_OUT_ROW] + col * d[_OUT_COL])
            count = (bottom - top) * (right - left)
            for c in range(d[_CHANNELS]):
                at = 0
                for y in range(bottom - top):
                    scratch = ptr16(base + c + c + y * d[_IN_ROW])
                    n = right - left
                    if averages:
                        while n:
                            at += scratch[0] ^ 0x8000
                            scratch = ptr16(int(scratch) + across)
                            n -= 1
                    else:
                        while n:
                            if scratch[0] ^ 0x8000 > at:
                                at = scratch[0] ^ 0x8000
                            scratch = ptr16(int(scratch) + across)
                            n -= 1
                if averages:
                    at -= 0x8000 * count
                    # Viper's division rounds towards minus infinity: keep both numbers positive.
                    if at > 0:
                        at = (at + (count >> 1)) // count
                    else:
                        at = 0 - ((count >> 1) - at) // count
                else:
                    at -= 0x8000
                if at > d[_HIGH] - 0x8000:
                    at = d[_HIGH] - 0x8000
                elif at < d[_LOW] - 0x8000:
                    at = d[_LOW] - 0x8000
                target[c] = at


@micropython.viper
def mean16(at: int, plan: ptr8, scratch: ptr16, state: ptr8):
    """As plain_pool16.mean16. Does not allocate."""
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
    target = ptr16(out)
    m_low = d[_M] & 0xFFFF
    m_high = d[_M] >> 16
    step = d[_JOINED_STRIDES + 2]
    for i in range(d[_KEPT_SIZES]):
        for j in range(d[_KEPT_SIZES + 1]):
            for k in range(d[_KEPT_SIZES + 2]):
                base = first + i * d[_KEPT_STRIDES] + j * d[_KEPT_STRIDES + 1] + k * d[_KEPT_STRIDES + 2]
                at = 0
                for p in range(d[_JOINED_SIZES]):
                    for q in range(d[_JOINED_SIZES + 1]):
                        scratch = ptr16(base + p * d[_JOINED_STRIDES] + q * d[_JOINED_STRIDES + 1])
                        n = d[_JOINED_SIZES + 2]
                        while n:
                            at += (scratch[0] ^ 0x8000) - 0x8000
                            scratch = ptr16(int(scratch) + step)
                            n -= 1
                at <<= d[_LEFT]
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
                at = ((at >> d[_RIGHT]) + 1) >> 1
                if at > 32767:
                    at = 32767
                elif at < -32768:
                    at = -32768
                target[0] = at
                target = ptr16(int(target) + 2)
