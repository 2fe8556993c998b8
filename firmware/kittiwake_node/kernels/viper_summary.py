"""Count, extremes and exact sums in viper, alike on 32- and 64-bit machines.

Must not know how long an interval is. State layout: see the package's docstring.
"""

import micropython
from micropython import const

_COUNT = const(0)
_LOW = const(1)
_HIGH = const(2)
_S0 = const(3)
_S1 = const(4)
_Q0 = const(5)
_Q1 = const(6)
_Q2 = const(7)
_START = const(8)
_STOP = const(9)
_M15 = const(0x7FFF)
_M30 = const(0x3FFFFFFF)


@micropython.viper
def feed(state: ptr32, buf: ptr16):
    """As plain_summary.feed. Does not allocate; may run in an interrupt that does not share the state."""
    i = state[_START]
    stop = state[_STOP]
    low = state[_LOW]
    high = state[_HIGH]
    # At most 2^14 samples a call: s grows by less than 2^30, q0 and q1 by at most 2^29.
    s = state[_S0]
    q0 = state[_Q0]
    q1 = state[_Q1]
    state[_COUNT] = state[_COUNT] + stop - i
    while i < stop:
        u = int(buf[i]) ^ 0x8000
        if u < low:
            low = u
        if u > high:
            high = u
        s += u
        u -= 0x8000
        u *= u  # at most 2^30
        q0 += u & _M15
        q1 += u >> 15
        i += 1
    state[_LOW] = low
    state[_HIGH] = high
    state[_S0] = s & _M30
    state[_S1] = state[_S1] + (s >> 30)
    q1 += q0 >> 15
    state[_Q0] = q0 & _M15
    state[_Q1] = q1 & _M30
    state[_Q2] = state[_Q2] + (q1 >> 30)


@micropython.viper
def feed_wide(state: ptr32, buf: ptr32):
    """As plain_summary.feed_wide. Does not allocate; may run in an interrupt that does not share the state."""
    i = state[_START]
    stop = state[_STOP]
    low = state[_LOW]
    high = state[_HIGH]
    s0 = state[_S0]
    s1 = state[_S1]
    q0 = state[_Q0]
    q1 = state[_Q1]
    q2 = state[_Q2]
    state[_COUNT] = state[_COUNT] + stop - i
    while i < stop:
        u = (buf[i] + 0x800000) & 0xFFFFFF
        if u < low:
            low = u
        if u > high:
            high = u
        s0 += u
        if s0 >> 30:
            s1 += 1
            s0 &= _M30
        # x = h·2^12 + l, so x² = h²·2^24 + h·l·2^13 + l², with |h| <= 2^11 and l of 12 bits.
        h = (u >> 12) - 0x800
        u &= 0xFFF
        m = h * u
        u *= u
        h *= h
        q0 += (u & _M15) + ((m & 3) << 13)
        q1 += (u >> 15) + (m >> 2) + (q0 >> 15)
        q0 &= _M15
        q2 += (q1 >> 30) + (h >> 21)
        q1 = (q1 & _M30) + ((h & 0x1FFFFF) << 9)  # below 2^31
        q2 += q1 >> 30
        q1 &= _M30
        i += 1
    state[_LOW] = low
    state[_HIGH] = high
    state[_S0] = s0
    state[_S1] = s1
    state[_Q0] = q0
    state[_Q1] = q1
    state[_Q2] = q2
