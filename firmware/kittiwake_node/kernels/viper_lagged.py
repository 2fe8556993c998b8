"""The lagged rolling z-score in viper: each sample is tested against the window before it.

Must not rely on wrap-around or on the sign of a load. State layout: see the package's docstring; n <= 1024. The
arithmetic and the cheap rejection are viper_zscore's; here |D| is not bounded by V, so a D that is too large for the
bound's products goes to the full test.
"""

import micropython
from micropython import const

from .viper_exact import above

_N = const(0)
_POS = const(1)
_COUNT = const(2)
_S0 = const(3)
_V0 = const(5)
_V1 = const(6)
_V2 = const(7)
_A = const(8)
_B = const(9)
_KR = const(10)
_F0 = const(11)
_F1 = const(12)
_START = const(13)
_STOP = const(14)
_M14 = const(0x3FFF)
_M30 = const(0x3FFFFFFF)


@micropython.viper
def find(words, ring: ptr16, buf: ptr16) -> int:
    """As plain_lagged.find. Does not allocate; may run in an interrupt that does not share the state."""
    state = ptr32(words)
    n = state[_N]
    m = n + 1
    pos = state[_POS]
    i = state[_START]
    stop = state[_STOP]
    first = i
    live = i + n - state[_COUNT]  # from here on the window is full before the sample
    s = state[_S0]
    v0 = state[_V0]
    v1 = state[_V1]
    v2 = state[_V2]
    floor = _M30  # the floor of V, or as much of it as fits: also a lower bound of what V counts for
    if not (state[_F1] >> 16):
        floor = (state[_F1] << 14) | state[_F0]
    r0 = state[_KR]
    kappa = r0 & 0x7FF
    r0 >>= 11
    r1 = r0 + 1
    r2 = r0 + 4
    c0 = (1 << r0) - 1
    c1 = (1 << r1) - 1
    c2 = (1 << r2) - 1
    found = 0
    while stop - i:
        u = int(buf[i]) ^ 0x8000
        d = n * u - s  # |d| < 2^26
        e = d
        if e >> 31:
            e = 0 - e
        if v2:
            y = (((e + 63) >> 6) * kappa + c2) >> r2
            v = (v2 << 24) | (v1 >> 6)
        elif v1 >> 16:
            y = (((e + 63) >> 6) * kappa + c1) >> r1
            v = v1
        else:
            v = (v1 << 14) | v0
            if (v - floor) >> 31:
                v = floor
            y = 0x8000
            if not (e >> 20):
                y = (e * kappa + c0) >> r0
        if y >> 15:
            v = -1
        else:
            v -= y * y
        if v >> 31:
            if i >= live:
                state[_V0] = v0
                state[_V1] = v1
                state[_V2] = v2
                if not v2:
                    y = state[_F1]
                    if v1 < y or (v1 == y and v0 < state[_F0]):
                        state[_V0] = state[_F0]
                        state[_V1] = y
                found = int(above(words, state[_A], state[_B], e))
        o = int(ring[pos])
        ring[pos] = u
        if found:
            state[_START] = o
        o = u - o
        pos += 1
        if not (pos - n):
            pos = 0
        s += o
        d += d - m * o  # D before and after the change: 2·(D - o) - (n - 1)·o; |d| < 2^27
        y = v0 + o * (d & _M14)
        v0 = y & _M14
        v1 += o * (d >> 14) + (y >> 14)
        if v1 >> 30:
            v2 += v1 >> 30
            v1 &= _M30
        i += 1
        if found:
            break
    state[_POS] = pos
    state[_S0] = s
    state[_V0] = v0
    state[_V1] = v1
    state[_V2] = v2
    o = state[_COUNT] + i - first
    if o > n:
        o = n
    state[_COUNT] = o
    return i - found
