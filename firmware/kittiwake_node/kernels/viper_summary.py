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
