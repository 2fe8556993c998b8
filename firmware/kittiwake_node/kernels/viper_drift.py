"""The drift detector in viper: the same numbers as plain_drift, with no value outside ±(2^31 - 1).

Must not rely on wrap-around or on the sign of a load. State layout: see the package's docstring.

Means F and M are int32 (Q16). Differences have 33 bits and are never formed; what is needed of them is:

    (x·2^16 - F) >> s  =  x·2^(16 - s) - ((F + 2^s - 1) >> s)        because x·2^16 is a multiple of 2^s
    (F - M) >> 8       =  (F >> 8) - (M >> 8) + (((F & 255) - (M & 255)) >> 8)

V (below 2^48, Q16) is taken apart into 24 bits and 24 bits, v1 and v0. With the square s = a·2^k + r, its update is

    V + ((s - a - V) >> k)  =  V + a - ((V + a - r + 2^k - 1) >> k)

The cheap rejection is that of viper_zscore: kappa >= q/p·2^f, y·2^E >= d·q/p, v·4^E <= V; y² <= v implies that
q²·d² <= p²·V, hence no detection. There d is |(F >> 8) - (M >> 8)| + 1, which is never less than |(F - M) >> 8|.
"""

import micropython
from micropython import const

from .viper_exact import above

_COUNT = const(0)
_HOLD = const(1)
_F1 = const(2)
_F0 = const(3)
_M1 = const(4)
_V0 = const(5)
_V1 = const(6)
_V2 = const(7)
_M0 = const(8)
_SHIFTS = const(9)
_PQ = const(10)
_KR = const(11)
_WARMUP = const(12)
_HOLDOFF = const(13)
_FLOOR = const(14)
_COUNT_MOST = const(1 << 29)
_M12 = const(0xFFF)
_M24 = const(0xFFFFFF)


@micropython.viper
def find(words, buf: ptr16, start: int, stop: int) -> int:
    """As plain_drift.find. Does not allocate; may run in an interrupt that does not share the state."""
    state = ptr32(words)
    i = start
    found = 0
    fast = ((state[_F1] - 0x8000) << 16) | state[_F0]
    slow = ((state[_M1] - 0x8000) << 16) | state[_M0]
    v0 = state[_V0] | ((state[_V1] & 0x3FF) << 14)
    v1 = (state[_V1] >> 10) | (state[_V2] << 20)
    last = state[_SHIFTS]
    s = last & 0xFF
    last >>= 8
    left = 16 - s
    up = (1 << s) - 1
    r0 = state[_KR]
    kappa = r0 & 0x7FF
    r0 >>= 11
    r1 = r0 + 4
    c0 = (1 << r0) - 1
    c1 = (1 << r1) - 1
    count = state[_COUNT]
    floor = state[_FLOOR] << 16  # below 2^28
    # Silent samples to come, of the warm-up or after a detection: never both.
    mute = state[_WARMUP] - count
    if mute <= 0:
        mute = state[_HOLD]
    k = 0
    while k < last:
        if not (count >> (k + 1)):
            break
        k += 1
    down = 24 - k
    mask = (1 << k) - 1
    while stop - i:
        x = (int(buf[i]) ^ 0x8000) - 0x8000
        i += 1
        fast += (x << left) - ((fast + up) >> s)  # both within ±2^30
        if mute:
            mute -= 1
        else:
            d = (fast >> 8) - (slow >> 8)
            if d >> 31:
                d = 0 - d
            d += 1  # at least |(F - M) >> 8|, at most 2^24 + 1
            if v1 >> 6:
                y = (((d + 31) >> 5) * kappa + c1) >> r1  # E = 9, h = 5
                v = (v1 << 6) | (v0 >> 18)
            else:
                v = (v1 << 24) | v0  # E = h = 0
                if (v - floor) >> 31:
                    v = floor
                y = 0x8000
                if not (d >> 20):
                    y = (d * kappa + c0) >> r0
            if y >> 15:
                v = -1
            else:
                v -= y * y
            if v >> 31:
                # In doubt: the full product, on V or its floor.
                state[_V0] = v0 & 0x3FFF
                state[_V1] = (v0 >> 14) | ((v1 & 0xFFFFF) << 10)
                state[_V2] = v1 >> 20
                if not (v1 >> 6):
                    if ((v1 << 24) | v0) < floor:
                        state[_V0] = 0
                        state[_V1] = floor >> 14
                y = state[_PQ]
                v = y >> 8
                y &= 0xFF
                d = (fast >> 8) - (slow >> 8) + (((fast & 0xFF) - (slow & 0xFF)) >> 8)
                if d >> 31:
                    d = 0 - d
                if int(above(words, v * v, y * y, d)):
                    found = 1
        if k - last:
            y = count + i - start
            if y >> (k + 1):
                k += 1
                down = 24 - k
                mask = (1 << k) - 1
        e = (x << 15) - ((slow + 1) >> 1)  # (x·2^16 - M) >> 1, within ±(2^31 - 1)
        if k:
            slow += e >> (k - 1)
        e >>= 7
        # a = square >> k into v1:v0, r = square & mask.
        if (e + 0x8000) >> 16:
            y = e >> 12
            e &= _M12
            v = (y * e) << 1
            e = e * e + ((v & _M12) << 12)  # the low part, with its carry still in it: below 2^25
            y = y * y + (v >> 12)
            v0 += (e >> k) + ((y & mask) << down)
            v1 += y >> k
        else:
            e *= e  # at most 2^30
            v0 += e >> k
        y = v0 - (e & mask) + mask  # at least 0, and below 2^31
        v0 -= (y >> k) + ((v1 & mask) << down)
        v1 += (v0 >> 24) - (v1 >> k)
        v0 &= _M24
        if found:
            mute = state[_HOLDOFF]
            break
    count += i - start
    if count > _COUNT_MOST:
        count = _COUNT_MOST
    state[_COUNT] = count
    if count < state[_WARMUP]:
        mute = 0
    state[_HOLD] = mute
    state[_F1] = (fast >> 16) + 0x8000
    state[_F0] = fast & 0xFFFF
    state[_M1] = (slow >> 16) + 0x8000
    state[_M0] = slow & 0xFFFF
    state[_V0] = v0 & 0x3FFF
    state[_V1] = (v0 >> 14) | ((v1 & 0xFFFFF) << 10)
    state[_V2] = v1 >> 20
    return i - found
