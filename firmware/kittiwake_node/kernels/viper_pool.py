"""Pooling int8 layers by viper: average, largest, and the mean over whole axes.

Must not know who calls it. Descriptors: docs/spec/model-plan.md. Scaling: see viper_conv.
"""

import micropython
from micropython import const

_SPACE = const(28)
_OFFSET = const(0xFFFFFFF)


@micropython.viper
def average(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pool.average. Does not allocate."""
    _pool(at, plan, scratch, state, 1)


@micropython.viper
def largest(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pool.largest. Does not allocate."""
    _pool(at, plan, scratch, state, 0)


@micropython.viper
def _pool(at: int, plan: ptr8, scratch: ptr8, state: ptr8, averages: int):
    d = ptr32(int(plan) + at)
    first = d[0] & _OFFSET
    if d[0] >> _SPACE == 0:
        first += int(scratch)
    elif d[0] >> _SPACE == 1:
        first += int(state)
    else:
        first += int(plan)
    out = d[1] & _OFFSET
    if d[1] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    across = d[14]
    for row in range(d[3]):
        top = row * d[9] - d[11]
        bottom = top + d[7]
        if top < 0:
            top = 0
        if bottom > d[5]:
            bottom = d[5]
        for col in range(d[4]):
            left = col * d[10] - d[12]
            right = left + d[8]
            if left < 0:
                left = 0
            if right > d[6]:
                right = d[6]
            base = first + top * d[13] + left * across
            target = ptr8(out + row * d[15] + col * d[16])
            count = (bottom - top) * (right - left)
            # Rows of a window that follow each other without a gap are one run.
            runs = bottom - top
            run = right - left
            if run * across == d[13]:
                run *= runs
                runs = 1
            for c in range(d[2]):
                at = 0
                for y in range(runs):
                    scratch = ptr8(base + c + y * d[13])
                    n = run
                    if averages:
                        while n:
                            at += scratch[0] ^ 128
                            scratch = ptr8(int(scratch) + across)
                            n -= 1
                    else:
                        while n:
                            if scratch[0] ^ 128 > at:
                                at = scratch[0] ^ 128
                            scratch = ptr8(int(scratch) + across)
                            n -= 1
                if averages:
                    at -= 128 * count
                    # Viper's division rounds towards minus infinity: keep both numbers positive.
                    if at > 0:
                        at = (at + (count >> 1)) // count
                    else:
                        at = 0 - ((count >> 1) - at) // count
                else:
                    at -= 128
                target[c] = at


@micropython.viper
def mean(at: int, plan: ptr8, scratch: ptr8, state: ptr8):
    """As plain_pool.mean. Does not allocate."""
    d = ptr32(int(plan) + at)
    first = d[0] & _OFFSET
    if d[0] >> _SPACE == 0:
        first += int(scratch)
    elif d[0] >> _SPACE == 1:
        first += int(state)
    else:
        first += int(plan)
    out = d[1] & _OFFSET
    if d[1] >> _SPACE:
        out += int(state)
    else:
        out += int(scratch)
    target = ptr8(out)
    m_low = d[14] & 0xFFFF
    m_high = d[14] >> 16
    zero = (d[17] - 128) * 2 + 1
    start = d[18] - (1 << 29) - 128 * d[8] * d[9] * d[10]
    step = d[13]
    for i in range(d[2]):
        for j in range(d[3]):
            for k in range(d[4]):
                base = first + i * d[5] + j * d[6] + k * d[7]
                at = start
                for p in range(d[8]):
                    for q in range(d[9]):
                        scratch = ptr8(base + p * d[11] + q * d[12])
                        n = d[10]
                        while n:
                            at += scratch[0] ^ 128
                            scratch = ptr8(int(scratch) + step)
                            n -= 1
                at <<= d[16]
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
                at = ((at >> d[15]) + zero) >> 1
                if at > 127:
                    at = 127
                elif at < -128:
                    at = -128
                target[0] = at
                target = ptr8(int(target) + 1)
