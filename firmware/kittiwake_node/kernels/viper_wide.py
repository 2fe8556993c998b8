"""The rolling z-score in viper for samples of 17 to 24 bits, both forms; n <= 256.

Must not rely on wrap-around or on the sign of a load. State layout: see the package's docstring; ring and buf are of
32-bit words, u = x + 2^23. S and D have 33 bits, so both are carried in halves, S = sh·2^12 + sl over u = uh·2^12 + ul:

    D = dh·2^12 + dl,   dh = n·uh - sh,   dl = n·ul - sl,   all below 2^21,
    G = D + D_oldest = gt·2^24 + gh·2^12 + gl   with gh and gl of 12 bits, not negative, and |gt| < 2^10,
    V += (oh·2^12 + ol)·G   for oh·2^12 + ol = u - oldest, column by column: every product is below 2^26.

V (below 2^62) is carried as 24, 24 and 14 bits: va, vb, vc. The cheap rejection is viper_zscore's, with

    V < 2^36:  E = 6, h = 2     2^36 <= V < 2^48:  E = h = 12     V >= 2^48:  E = 18, h = 12
"""

import micropython
from micropython import const

_N = const(0)
_POS = const(1)
_COUNT = const(2)
_S0 = const(3)
_S1 = const(4)
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
_M12 = const(0xFFF)
_M24 = const(0xFFFFFF)
_OFFSET = const(0x800000)


def find(words, ring, buf):
    """As plain_wide.find. Does not allocate; may run in an interrupt that does not share the state."""
    return _find(words, ring, buf, 0)


def find_lagged(words, ring, buf):
    """As plain_wide.find_lagged. Does not allocate; may run in an interrupt that does not share the state."""
    return _find(words, ring, buf, 1)


@micropython.viper
def _find(words, ring, buf, lagged: int) -> int:
    state = ptr32(words)
    slots = ptr32(ring)
    samples = ptr32(buf)
    n = state[_N]
    pos = state[_POS]
    i = state[_START]
    stop = state[_STOP]
    first = i
    live = i + n - 1 + lagged - state[_COUNT]
    sh = (state[_S1] << 14) | (state[_S0] >> 12)
    sl = state[_S0] & _M12
    va = state[_V0] | ((state[_V1] & 0x3FF) << 14)
    vb = (state[_V1] >> 10) | ((state[_V2] & 0xF) << 20)
    vc = state[_V2] >> 4
    r0 = state[_KR]
    kappa = r0 & 0x7FF
    r0 >>= 11
    floor = 0
    if lagged:
        floor = (state[_F1] << 2) | (state[_F0] >> 12)
    c0 = (1 << (r0 + 4)) - 1
    c1 = (1 << r0) - 1
    c2 = (1 << (r0 + 6)) - 1
    found = 0
    while stop - i:
        uh = (samples[i] + _OFFSET) & _M24  # x + 2^23, whichever sign the load gave
        o = slots[pos]
        slots[pos] = uh
        pos += 1
        if not (pos - n):
            pos = 0
        ul = uh & _M12
        uh >>= 12
        dh = n * uh - sh  # D before the change
        dl = n * ul - sl
        uh -= o >> 12  # the halves of u - oldest, |uh| <= 2^12
        ul -= o & _M12
        sh += uh
        sl += ul
        # The V that the test is on: before the change with lagged, after it without.
        wa = va
        wb = vb
        wc = vc
        gl = dl + dl - (n + 1) * ul
        gh = dh + dh - (n + 1) * uh + (gl >> 12)
        gl &= _M12
        gt = gh >> 12
        gh &= _M12
        y = uh * gl + ul * gh
        v = va + ul * gl + ((y & _M12) << 12)
        va = v & _M24
        v = (v >> 24) + (y >> 12)
        y = uh * gt
        v += vb + uh * gh + ul * gt + ((y & _M12) << 12)
        vb = v & _M24
        vc += (v >> 24) + (y >> 12)
        if not lagged:
            dh -= uh
            dl -= ul
            wa = va
            wb = vb
            wc = vc
        # |D| = dh·2^12 + dl, with dl of 12 bits.
        dh += dl >> 12
        dl &= _M12
        if dh >> 31:
            dl = 0 - dl
            dh = (dl >> 12) - dh
            dl &= _M12
        y = 0x8000
        if wc:
            y = ((dh + 1) * kappa + c2) >> (r0 + 6)
            v = (wc << 12) | (wb >> 12)
        elif wb >> 12:
            y = ((dh + 1) * kappa + c1) >> r0
            v = wb
        else:
            v = (wb << 12) | (wa >> 12)
            if (v - floor) >> 31:
                v = floor
            if not (dh >> 10):
                y = ((((dh << 12) + dl + 3) >> 2) * kappa + c0) >> (r0 + 4)
        if y >> 15:
            v = -1
        else:
            v -= y * y
        if v >> 31:
            if i >= live:
                state[_V0] = wa & 0x3FFF
                state[_V1] = (wa >> 14) | ((wb & 0xFFFFF) << 10)
                state[_V2] = (wb >> 20) | (wc << 4)
                if lagged:
                    if not state[_V2]:
                        y = state[_F1]
                        if state[_V1] < y or (state[_V1] == y and state[_V0] < state[_F0]):
                            state[_V0] = state[_F0]
                            state[_V1] = y
                found = int(_above(words, dh, dl))
        i += 1
        if found:
            if lagged:
                state[_START] = o
            break
    sh += sl >> 12
    sl &= _M12
    state[_POS] = pos
    state[_S0] = ((sh & 0x3FFF) << 12) | sl
    state[_S1] = sh >> 14
    state[_V0] = va & 0x3FFF
    state[_V1] = (va >> 14) | ((vb & 0xFFFFF) << 10)
    state[_V2] = (vb >> 20) | (vc << 4)
    y = state[_COUNT] + i - first
    if y > n:
        y = n
    state[_COUNT] = y
    return i - found


@micropython.viper
def _above(words, dh: int, dl: int) -> int:
    """Whether A·D² > B·V for D = dh·2^12 + dl below 2^33; A, B < 2^24; V < 2^62. Limbs of 12 bits."""
    state = ptr32(words)
    a0 = state[_A] & _M12
    a1 = state[_A] >> 12
    b0 = state[_B] & _M12
    b1 = state[_B] >> 12
    w0 = state[_V0]
    w3 = state[_V1]
    w5 = state[_V2]
    w1 = (w0 >> 12) | ((w3 & 0x3FF) << 2)
    w0 &= _M12
    w2 = (w3 >> 10) & _M12
    w3 = (w3 >> 22) | ((w5 & 0xF) << 8)
    w4 = (w5 >> 4) & _M12
    w5 >>= 16
    d1 = dh & _M12
    d2 = dh >> 12
    t = dl * dl
    e0 = t & _M12
    t = (t >> 12) + ((dl * d1) << 1)
    e1 = t & _M12
    t = (t >> 12) + ((dl * d2) << 1) + d1 * d1
    e2 = t & _M12
    t = (t >> 12) + ((d1 * d2) << 1)
    e3 = t & _M12
    t = (t >> 12) + d2 * d2
    e4 = t & _M12
    e5 = t >> 12
    t = a0 * e0 - b0 * w0
    some = t & _M12
    t = (t >> 12) + a0 * e1 + a1 * e0 - b0 * w1 - b1 * w0
    some |= t & _M12
    t = (t >> 12) + a0 * e2 + a1 * e1 - b0 * w2 - b1 * w1
    some |= t & _M12
    t = (t >> 12) + a0 * e3 + a1 * e2 - b0 * w3 - b1 * w2
    some |= t & _M12
    t = (t >> 12) + a0 * e4 + a1 * e3 - b0 * w4 - b1 * w3
    some |= t & _M12
    t = (t >> 12) + a0 * e5 + a1 * e4 - b0 * w5 - b1 * w4
    some |= t & _M12
    t = (t >> 12) + a1 * e5 - b1 * w5
    if t > 0:
        return 1
    if t == 0:
        if some:
            return 1
    return 0
