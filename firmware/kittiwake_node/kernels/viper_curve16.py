"""Curves over int16 activations by viper: LOGISTIC, TANH and SOFTMAX, straight lines between a table's knots.

Must not know who calls it. Descriptors: docs/spec/model-plan.md. Scaling: see viper_conv.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_COUNT = const(2)
_SOFTMAX16_ROWS = const(2)
_CURVE = const(3)
_CLASSES = const(3)
_CURVE16_M = const(4)
_EXPONENTIALS = const(4)
_CURVE16_RIGHT = const(5)
_RECIPROCALS = const(5)
_IS_TANH = const(6)
_SOFTMAX16_M = const(6)
_SOFTMAX16_RIGHT = const(7)
_SOFTMAX16_LEFT = const(8)


@micropython.viper
def curve16(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_curve16.curve16. Does not allocate."""
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
    curve = ptr16(int(plan) + d[_CURVE])
    m = d[_CURVE16_M]
    right = d[_CURVE16_RIGHT]
    half = 1 << right >> 1
    # A knot is 2^bits units from the next: tanh goes along the same curve at twice the pace.
    bits = 9 - d[_IS_TANH]
    mask = (1 << bits) - 1
    source = ptr16(first)
    target = ptr16(out)
    for i in range(d[_COUNT]):
        at = (((source[i] ^ 0x8000) - 0x8000) * m + half) >> right
        negative = 0
        if at < 0:
            at = 0 - at
            negative = 1
        k = at >> bits
        if k >= 255:
            n = 0x7FFF << 10
            if bits == 8:
                n = 0xFFFF << 8
        else:
            n = (curve[k] << bits) + (at & mask) * (curve[k + 1] - curve[k])
        if bits == 8:
            if negative:
                n = (1 << 23) - n + 127
            else:
                n = n - (1 << 23) + 128
            n >>= 8
        else:
            if negative:
                n = (1 << 25) - n + 511
            else:
                n += 512
            n >>= 10
        target[i] = n


@micropython.viper
def softmax16(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_curve16.softmax16. Does not allocate."""
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
    exponentials = ptr16(int(plan) + d[_EXPONENTIALS])
    reciprocals = ptr16(int(plan) + d[_RECIPROCALS])
    classes = d[_CLASSES]
    m_low = d[_SOFTMAX16_M] & 0xFFFF
    m_high = d[_SOFTMAX16_M] >> 16
    for row in range(d[_SOFTMAX16_ROWS]):
        source = ptr16(first + 2 * row * classes)
        target = ptr16(out + 2 * row * classes)
        top = 0
        for i in range(classes):
            if source[i] ^ 0x8000 > top:
                top = source[i] ^ 0x8000
        total = 0
        for i in range(classes):
            at = (source[i] ^ 0x8000) - top << d[_SOFTMAX16_LEFT]
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
            at = (((at >> d[_SOFTMAX16_RIGHT]) + 1) >> 1) + 65535
            if at < 0:
                at = 0
            k = at >> 7
            at = exponentials[k] + ((at & 127) * (exponentials[k + 1] - exponentials[k]) + 64 >> 7)
            target[i] = at
            total += at
        # The sum as (1 + x)·2^(15 - headroom), x in 65536ths.
        shift = 30
        while total <= 0x3FFFFFFF:
            total <<= 1
            shift -= 1
        at = ((total >> 13) + 1 >> 1) - 0x10000
        if at > 65535:
            at = 65535
        k = at >> 7
        inverse = reciprocals[k] + ((at & 127) * (reciprocals[k + 1] - reciprocals[k]) + 64 >> 7)
        for i in range(classes):
            at = (target[i] * inverse + (1 << shift >> 1)) >> shift
            if at > 32767:
                at = 32767
            target[i] = at
