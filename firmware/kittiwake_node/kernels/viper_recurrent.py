"""Layers with a memory of 16 bits by viper: products of bytes that become halfwords, and the cell of an LSTM.

Must not know who calls it. Descriptors: docs/spec/model-plan.md. Unsigned bytes and the scaling: see viper_conv; the
curve of both squashing functions: plain_recurrent.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = const(0)
_DENSE16_OUTPUT = const(1)
_STREAM = const(2)
_OUTPUTS = const(3)
_INPUTS = const(4)
_FILLED = const(5)
_COLS = const(6)
_IN_COL = const(7)
_OUT_COL = const(8)
_LINE = const(9)
_WIDE = const(10)
_SVDF_STATE = const(0)
_SVDF_OUTPUT = const(1)
_WEIGHTS = const(2)
_BIASES = const(3)
_SVDF_UNITS = const(4)
_RANK = const(5)
_MEMORY = const(6)
_SVDF_M = const(7)
_SVDF_RIGHT = const(8)
_SVDF_ZERO = const(9)
_X_GATES = const(0)
_H_GATES = const(1)
_CELL = const(2)
_HIDDEN = const(3)
_LSTM_OUTPUT = const(4)
_LSTM_UNITS = const(5)
_CURVE = const(6)
_TIMES = const(7)
_ROUNDED = const(8)
_CLIP = const(9)
_INPUT_RIGHT = const(10)
_LSTM_M = const(11)
_LSTM_RIGHT = const(12)
_LSTM_ZERO = const(13)


@micropython.viper
def dense16(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_recurrent.dense16. Does not allocate."""
    d = ptr32(int(plan) + at)
    first = d[_INPUT] & _OFFSET
    if d[_INPUT] >> _SPACE == 0:
        first += int(scratch)
    elif d[_INPUT] >> _SPACE == 1:
        first += int(state)
    else:
        first += int(plan)
    out = d[_DENSE16_OUTPUT] & _OFFSET
    if d[_DENSE16_OUTPUT] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    stream = int(plan) + d[_STREAM]
    line = int(scratch) + d[_LINE]
    turns = d[_FILLED] >> 3
    wide = d[_WIDE]
    for col in range(d[_COLS]):
        # Gather.
        plan = ptr8(first + col * d[_IN_COL])
        scratch = ptr8(line)
        total = 0
        for k in range(d[_INPUTS]):
            at = plan[k] ^ 128
            scratch[k] = at
            total += at
        for k in range(d[_INPUTS], d[_FILLED]):
            scratch[k] = 0
        total = total * 128 + (1 << 29)
        # One output after the other.
        plan = ptr8(stream)
        target = ptr16(out + col * d[_OUT_COL])
        for c in range(d[_OUTPUTS]):
            at = ptr32(plan)[0] - total
            plan = ptr8(int(plan) + 4)
            scratch = ptr8(line)
            n = turns
            while n:
                at = plan[0] * scratch[0] + at
                at = plan[1] * scratch[1] + at
                at = plan[2] * scratch[2] + at
                at = plan[3] * scratch[3] + at
                at = plan[4] * scratch[4] + at
                at = plan[5] * scratch[5] + at
                at = plan[6] * scratch[6] + at
                at = plan[7] * scratch[7] + at
                plan = ptr8(int(plan) + 8)
                scratch = ptr8(int(scratch) + 8)
                n -= 1
            if plan[5]:
                at <<= plan[5]
            if wide:
                low = at & 0xFFFF
                high = at >> 16
                k = (low * plan[1] + (low * plan[0] >> 8)) >> 8
                n = plan[2] + (plan[3] << 8)
                low *= n
                at = high * (plan[0] + (plan[1] << 8))
                k = ((at & 0x7FFF) + (low & 0x7FFF) + k + 16384) >> 15
                at = high * n * 2 + (at >> 15) + (low >> 15) + k
            else:
                k = ((at * plan[0] >> 8) + at * plan[1]) >> 8
                at = (((k + at * plan[2]) >> 8) + at * plan[3] + 64) >> 7
            at += at
            if at < 0:
                at -= 1
            at = ((at >> plan[4]) + 1) >> 1
            if at > 32767:
                at = 32767
            elif at < -32768:
                at = -32768
            target[c] = at
            plan = ptr8(int(plan) + 8)


@micropython.viper
def lstm(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_recurrent.lstm. Does not allocate."""
    d = ptr32(int(plan) + at)
    base = int(scratch)
    if d[_X_GATES] >> _SPACE:
        base = int(state)
    x = ptr16(base + (d[_X_GATES] & _OFFSET))
    base = int(scratch)
    if d[_H_GATES] >> _SPACE:
        base = int(state)
    h = ptr16(base + (d[_H_GATES] & _OFFSET))
    cells = ptr16(int(state) + (d[_CELL] & _OFFSET))
    hidden = ptr8(int(state) + (d[_HIDDEN] & _OFFSET))
    base = int(scratch)
    if d[_LSTM_OUTPUT] >> _SPACE:
        base = int(state)
    target = ptr8(base + (d[_LSTM_OUTPUT] & _OFFSET))
    curve = ptr16(int(plan) + d[_CURVE])
    units = d[_LSTM_UNITS]
    # The sums of both gates' shares become what the gates let through, in place.
    for i in range(4 * units):
        at = (x[i] ^ 0x8000) + (h[i] ^ 0x8000) - 0x10000
        if at > 32767:
            at = 32767
        elif at < -32768:
            at = -32768
        at *= 3
        negative = 0
        if at < 0:
            at = 0 - at
            negative = 1
        if i < 2 * units or i >= 3 * units:
            k = at >> 9
            if k >= 255:
                n = 0x7FFF << 10
            else:
                n = (curve[k] << 9) + (at & 511) * (curve[k + 1] - curve[k])
            if negative:
                n = (1 << 25) - n + 511
            else:
                n += 512
            x[i] = n >> 10
        else:
            k = at >> 8
            if k >= 255:
                n = 0xFFFF << 8
            else:
                n = (curve[k] << 8) + (at & 255) * (curve[k + 1] - curve[k])
            if negative:
                n = (1 << 23) - n + 127
            else:
                n = n - (1 << 23) + 128
            x[i] = n >> 8
    times = d[_TIMES]
    rounded = d[_ROUNDED]
    half = 1 << rounded >> 1
    clip = d[_CLIP]
    fresh_right = d[_INPUT_RIGHT]
    fresh_half = 1 << fresh_right >> 1
    m_low = d[_LSTM_M] & 0xFFFF
    m_high = d[_LSTM_M] >> 16
    right = d[_LSTM_RIGHT]
    zero = (d[_LSTM_ZERO] - 128) * 2 + 1
    for i in range(units):
        # Kept of the old cell, let in of the new: products in Q30, halved, then rounded half away from zero.
        k = (x[units + i] * ((cells[i] ^ 0x8000) - 0x8000) + 1) >> 1
        at = k + 8192
        if k < 0:
            at -= 1
        at >>= 14
        k = (x[i] * ((x[2 * units + i] ^ 0x8000) - 0x8000) + 1) >> 1
        n = k + fresh_half
        if k < 0:
            if fresh_half:
                n -= 1
        n >>= fresh_right
        if n > 32767:
            n = 32767
        elif n < -32768:
            n = -32768
        at += n
        if at > 32767:
            at = 32767
        elif at < -32768:
            at = -32768
        if clip:
            if at >= clip:
                at = clip - 1
            elif at <= 0 - clip:
                at = 1 - clip
        cells[i] = at
        at = (at * times + half) >> rounded
        negative = 0
        if at < 0:
            at = 0 - at
            negative = 1
        k = at >> 8
        if k >= 255:
            n = 0xFFFF << 8
        else:
            n = (curve[k] << 8) + (at & 255) * (curve[k + 1] - curve[k])
        if negative:
            n = (1 << 23) - n + 127
        else:
            n = n - (1 << 23) + 128
        at = (n >> 8) * x[3 * units + i]
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
        hidden[i] = at
        target[i] = at


@micropython.viper
def svdf16(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_recurrent.svdf16. Does not allocate."""
    d = ptr32(int(plan) + at)
    features = int(state) + (d[_SVDF_STATE] & _OFFSET)
    base = int(scratch)
    if d[_SVDF_OUTPUT] >> _SPACE:
        base = int(state)
    target = ptr8(base + (d[_SVDF_OUTPUT] & _OFFSET))
    weights = ptr16(int(plan) + d[_WEIGHTS])
    biases = ptr32(int(plan) + d[_BIASES])
    rank = d[_RANK]
    memory = d[_MEMORY]
    row = 2 * d[_SVDF_UNITS] * rank
    sign = int(1) << 31
    m_low = d[_SVDF_M] & 0xFFFF
    m_high = d[_SVDF_M] >> 16
    right = d[_SVDF_RIGHT]
    zero = d[_SVDF_ZERO] - 128
    for unit in range(d[_SVDF_UNITS]):
        at = (biases[unit] ^ sign) - sign
        for _f in range(rank):
            kept = ptr16(features)
            n = memory
            while n:
                at = ((weights[0] ^ 0x8000) - 0x8000) * ((kept[0] ^ 0x8000) - 0x8000) + at
                weights = ptr16(int(weights) + 2)
                kept = ptr16(int(kept) + row)
                n -= 1
            features += 2
        # A sum may take all of 32 bits, so that it cannot be doubled for the second rounding, as elsewhere.
        low = at & 0xFFFF
        high = at >> 16
        rest = (low * (m_low >> 8) + (low * (m_low & 0xFF) >> 8)) >> 8
        low *= m_high
        at = high * m_low
        rest = ((at & 0x7FFF) + (low & 0x7FFF) + rest + 16384) >> 15
        at = high * m_high * 2 + (at >> 15) + (low >> 15) + rest
        if right:
            half = 1 << (right - 1)
            if at < 0:
                half -= 1
            at = (at + half) >> right
        at += zero
        if at > 127:
            at = 127
        elif at < -128:
            at = -128
        target[unit] = at
