"""Floats to halfwords and back by viper, by the bits of floats; no arithmetic on floats.

Must not know who calls it. Descriptors: docs/spec/model-plan.md; arithmetic: plain_floats16. Floats are read byte by
byte, so they may lie anywhere.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_OUTPUT = const(1)
_COUNT = const(2)
_MANTISSA = const(3)
_EXPONENT = const(4)


@micropython.viper
def quantise16(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_floats16.quantise16. Does not allocate."""
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
    divisor = d[_MANTISSA]
    target = ptr16(out)
    plan = ptr8(first)
    for i in range(d[_COUNT]):
        at = plan[0] | plan[1] << 8 | (plan[2] | 128) << 16
        shift = plan[2] >> 7 | (plan[3] & 127) << 1
        steps = 0
        if shift:
            shift = 23 - shift + d[_EXPONENT]
            if at < divisor:
                at <<= 1
                shift += 1
            if shift < 8:
                steps = 0x10000
            elif shift < 26:
                # The quotient's 24 bits, one after the other, then rounded half to even.
                at -= divisor
                steps = 1
                for _k in range(23):
                    at <<= 1
                    steps <<= 1
                    if at >= divisor:
                        at -= divisor
                        steps += 1
                at = at + at - divisor
                if at > 0:
                    steps += 1
                elif at == 0:
                    steps += steps & 1
                steps = (steps + (1 << shift >> 1)) >> shift
        if plan[3] > 127:
            steps = 0 - steps
        if steps > 32767:
            steps = 32767
        elif steps < -32768:
            steps = -32768
        target[i] = steps
        plan = ptr8(int(plan) + 4)


@micropython.viper
def widen16(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_floats16.widen16. Does not allocate."""
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
    m_low = d[_MANTISSA] & 0xFFF
    m_high = d[_MANTISSA] >> 12
    source = ptr16(first)
    target = ptr8(out)
    for i in range(d[_COUNT]):
        at = (source[i] ^ 0x8000) - 0x8000
        sign = 0
        if at < 0:
            at = 0 - at
            sign = 128
        # The product as high·2^12 + low; of its bits, the first 24 stay.
        low = at * m_low
        high = at * m_high + (low >> 12)
        low &= 0xFFF
        shift = 0
        if at:
            while high >> shift > 0xFFF:
                shift += 1
            if shift > 12:
                at = high >> (shift - 12)
                low |= (high & (1 << (shift - 12)) - 1) << 12
            else:
                at = high << (12 - shift) | low >> shift
            low &= (1 << shift) - 1
            low = low + low - (1 << shift)
            if shift:
                if low > 0:
                    at += 1
                elif low == 0:
                    at += at & 1
            if at > 0xFFFFFF:
                at >>= 1
                shift += 1
            shift += d[_EXPONENT]
        target[0] = at
        target[1] = at >> 8
        target[2] = at >> 16 & 127 | (shift & 1) << 7
        target[3] = shift >> 1 | sign
        target = ptr8(int(target) + 4)
