"""The rolling z-score in viper: exact with 31-bit words, and cheap for a sample that is nowhere near the threshold.

Must not rely on wrap-around or on the sign of a load: viper's int has 64 bits on the unix port and 32 on boards. Every
intermediate value below stays within ±(2^31 - 1), with the bound written beside it. State layout: see the package's
docstring; n <= 1024.

## The cheap rejection, and why it never rejects an anomaly

A sample is anomalous exactly when A·D² > B·V. Let rho = A / B and d = |D|. The state carries kappa and f with
kappa >= sqrt(rho)·2^f, 512 <= kappa <= 1024. For the size at hand take E, h and r = f + E - h from

    V < 2^30:  E = 0,  h = 0     2^30 <= V < 2^44:  E = 7,  h = 6     V >= 2^44:  E = 10,  h = 6

and compute s = ceil(d / 2^h), y = ceil(s·kappa / 2^r), v = floor(V / 4^E). Then

    y·2^E >= s·kappa·2^(E - r) = (s·2^h)·kappa / 2^f >= d·sqrt(rho)      and      v·4^E <= V,

so y² <= v implies rho·D² <= y²·4^E <= v·4^E <= V: not anomalous. Only when y² > v, about when |z| > 0.99·t, does
`above` decide, on the full product. Rounding can only send a sample to it, never past it.
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
_START = const(13)
_STOP = const(14)
_M14 = const(0x3FFF)
_M30 = const(0x3FFFFFFF)


@micropython.viper
def find(words, ring: ptr16, buf: ptr16) -> int:
    """As plain_zscore.find. Does not allocate; may run in an interrupt that does not share the state."""
    state = ptr32(words)  # `words` stays an object: a pointer handed to above would become an allocated integer
    n = state[_N]
    m = n - 1
    pos = state[_POS]
    i = state[_START]
    stop = state[_STOP]
    first = i
    live = i + m - state[_COUNT]  # from here on the window is full once the sample is in it
    s = state[_S0]
    v0 = state[_V0]
    v1 = state[_V1]
    v2 = state[_V2]
    r0 = state[_KR]
    kappa = r0 & 0x7FF
    r0 >>= 11
    r1 = r0 + 1
    r2 = r0 + 4
    c0 = (1 << r0) - 1
    c1 = (1 << r1) - 1
    c2 = (1 << r2) - 1
    # Tests are by truth (`if d >> 31`), not by comparison, which costs viper a boolean on the way.
    while stop - i:
        u = int(buf[i]) ^ 0x8000  # x + 2^15, whichever sign the load gave
        o = u - int(ring[pos])  # |o| < 2^16
        ring[pos] = u
        pos += 1
        if not (pos - n):
            pos = 0
        s += o  # < 2^26
        d = n * u - s  # |d| < 2^26
        g = d + d - m * o  # D + D_oldest: |g| < 2^27
        # V += o·g, in pieces: |o·(g & M14)| < 2^30 and |o·(g >> 14)| <= 2^29.
        y = v0 + o * (g & _M14)
        v0 = y & _M14
        v1 += o * (g >> 14) + (y >> 14)  # between -2^30 and 2^31
        if v1 >> 30:
            v2 += v1 >> 30
            v1 &= _M30
        if d >> 31:
            d = 0 - d
        if v2:
            y = (((d + 63) >> 6) * kappa + c2) >> r2  # the sum before the shift: < 2^30 + 2^23
            v = (v2 << 24) | (v1 >> 6)  # V < 2^50, so v2 < 2^6
        elif v1 >> 16:
            y = (((d + 63) >> 6) * kappa + c1) >> r1
            v = v1
        else:
            y = (d * kappa + c0) >> r0  # D² <= (n - 1)·V < 2^40, so d < 2^20
            v = (v1 << 14) | v0
        if not (y >> 15):
            if not ((v - y * y) >> 31):
                i += 1
                continue
        if i >= live:
            state[_V0] = v0
            state[_V1] = v1
            state[_V2] = v2
            if int(above(words, state[_A], state[_B], d)):
                stop = i + 1  # counts the sample as fed
                break
        i += 1
    state[_POS] = pos
    state[_S0] = s
    state[_V0] = v0
    state[_V1] = v1
    state[_V2] = v2
    o = state[_COUNT] + stop - first
    if o > n:
        o = n
    state[_COUNT] = o
    return i
