"""The novelty detector in viper: the same numbers as plain_novelty, with no value outside ±(2^31 - 1).

Must not rely on wrap-around or on the sign of a load. State layout: see the package's docstring. The arithmetic of the
means and of V is explained in viper_drift.

The cheap rejection: an alarm is e² > floor(T²·w / 2^8) with w = floor(V / 2^8), the same as 2^8·e² > T²·w. Let
t = T >> 5, so that T² >= 2^10·t². For the size at hand take h, v = floor(V / 2^(6 + 2·h)) below 2^14, and
y = ceil(|e| / 2^h). Then y² <= t²·v implies e² <= 4^h·y² <= 4^h·t²·v <= 4^h·t²·w / 4^(h - 1) = 4·t²·w,
and 2^8·e² <= 2^10·t²·w <= T²·w: no alarm.
T is below 2^13, so t²·v is below 2^30. For |e| stands |(F >> 8) - (M >> 8)| + 1, which is never less.
"""

import micropython
from micropython import const

from .viper_exact import above

# Indexes of 32-bit words ...
_COUNT = const(0)
_ORIGIN = const(4)
_V0 = const(5)
_V1 = const(6)
_V2 = const(7)
_BOOST = const(8)
# ... and of 16-bit ones.
_F0 = const(2)
_F1 = const(3)
_M0 = const(4)
_M1 = const(5)
_HOLD = const(6)
_SCALE = const(7)
_BINS4 = const(18)
_BINS8 = const(19)
_SEEN = const(20)
_BASE = const(21)
_LEAST = const(22)
_STEP = const(23)
_MOST = const(24)
_HOLDOFF = const(25)
_NEW_LEVEL = const(26)
_NEW_STEP = const(27)
_LEARNING = const(28)
_WARMUP = const(29)
_SHIFTS = const(30)
_FADE = const(31)
_AFTER4 = const(32)
_AFTER8 = const(48)
_COUNT_MOST = const(1 << 29)
_M12 = const(0xFFF)
_M16 = const(0xFFFF)
_M24 = const(0xFFFFFF)


@micropython.viper
def find(words, buf: ptr16, start: int, stop: int) -> int:
    """As plain_novelty.find. Does not allocate; may run in an interrupt that does not share the state."""
    state = ptr16(words)
    wide = ptr32(words)
    i = start
    outcome = 0  # -1: an alarm at i - 1; 1: sample i outside the bins
    count = wide[_COUNT]
    fast = ((int(state[_F1]) - 0x8000) << 16) | int(state[_F0])
    slow = ((int(state[_M1]) - 0x8000) << 16) | int(state[_M0])
    v0 = wide[_V0] | ((wide[_V1] & 0x3FF) << 14)
    v1 = (wide[_V1] >> 10) | (wide[_V2] << 20)
    scale = int(state[_SCALE])
    origin = wide[_ORIGIN] - 0x40000
    boost = wide[_BOOST]
    base = int(state[_BASE])
    least = int(state[_LEAST])
    fade = int(state[_FADE])
    bins4 = int(state[_BINS4])
    bins8 = int(state[_BINS8])
    last = int(state[_SHIFTS])
    s = last & 0xFF
    last >>= 8
    left = 16 - s
    up = (1 << s) - 1
    # Silent samples to come, of the warm-up or after an alarm: never both.
    mute = int(state[_WARMUP]) - count
    if mute <= 0:
        mute = int(state[_HOLD])
    k = 0
    while k < last:
        if not (count >> (k + 1)):
            break
        k += 1
    down = 24 - k
    mask = (1 << k) - 1
    while stop - i:
        x = (int(buf[i]) ^ 0x8000) - 0x8000
        bin_ = (x - origin) >> scale
        if bin_ >> 4:
            outcome = 1
            break
        i += 1
        fast += (x << left) - ((fast + up) >> s)  # both within ±2^30
        t = base
        y = bins4 >> 12
        e = bins8 >> 12
        if not (((int(state[_SEEN]) & int(state[_AFTER4 + y]) & int(state[_AFTER8 + e])) >> bin_) & 1):
            d = count + i - start - 1
            v = 0
            if not ((int(state[_SEEN]) >> bin_) & 1):
                v = int(state[_NEW_LEVEL])
                state[_SEEN] = int(state[_SEEN]) | (1 << bin_)
            if d >= 4:
                if not ((int(state[_AFTER4 + y]) >> bin_) & 1):
                    v += int(state[_NEW_STEP])
                    state[_AFTER4 + y] = int(state[_AFTER4 + y]) | (1 << bin_)
            if d >= 8:
                if not ((int(state[_AFTER8 + e]) >> bin_) & 1):
                    v += int(state[_NEW_STEP])
                    state[_AFTER8 + e] = int(state[_AFTER8 + e]) | (1 << bin_)
            if d >= int(state[_LEARNING]):
                t -= v
        bins8 = ((bins8 << 4) | y) & _M16
        bins4 = ((bins4 << 4) | bin_) & _M16
        boost -= boost >> fade
        if mute:
            mute -= 1
        else:
            t += boost >> 8
            if t < least:
                t = least
            d = (fast >> 8) - (slow >> 8)
            if d >> 31:
                d = 0 - d
            d += 1  # at least |(F - M) >> 8|, at most 2^24 + 1
            if not v1:
                v = v0 >> 10
                if not (v >> 6):
                    v = 64  # the floor of V, one LSB²
                y = (d + 3) >> 2
            elif v1 >> 18:
                v = v1 >> 10
                y = (d + 0x3FFF) >> 14
            elif v1 >> 12:
                v = v1 >> 4
                y = (d + 0x7FF) >> 11
            else:
                v = (v1 << 2) | (v0 >> 22)
                y = (d + 0xFF) >> 8
            if y >> 15:
                v = -1
            else:
                e = t >> 5
                v = v * (e * e) - y * y
            if v >> 31:
                # In doubt: the full product.
                wide[_V0] = (v0 >> 8) & 0x3FFF
                wide[_V1] = (v1 << 2) | (v0 >> 22)
                wide[_V2] = 0
                if not v1:
                    if not (v0 >> 16):
                        wide[_V0] = 0x100
                d = (fast >> 8) - (slow >> 8) + (((fast & 0xFF) - (slow & 0xFF)) >> 8)
                if d >> 31:
                    d = 0 - d
                if int(above(words, 0x100, t * t, d)):
                    outcome = -1
                    mute = int(state[_HOLDOFF])
                    boost += int(state[_STEP]) << 8
                    y = int(state[_MOST]) << 8
                    if boost > y:
                        boost = y
        if k - last:
            if (count + i - start) >> (k + 1):
                k += 1
                down = 24 - k
                mask = (1 << k) - 1
        e = (x << 15) - ((slow + 1) >> 1)  # (x·2^16 - M) >> 1, within ±(2^31 - 1)
        if k:
            slow += e >> (k - 1)
        e >>= 7
        # square >> k is added to v1:v0, square & mask stays in e.
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
        if outcome:
            break
    count += i - start
    if count > _COUNT_MOST:
        count = _COUNT_MOST
    wide[_COUNT] = count
    state[_F1] = (fast >> 16) + 0x8000
    state[_F0] = fast & _M16
    state[_M1] = (slow >> 16) + 0x8000
    state[_M0] = slow & _M16
    if count < int(state[_WARMUP]):
        mute = 0
    state[_HOLD] = mute
    state[_BINS4] = bins4
    state[_BINS8] = bins8
    wide[_BOOST] = boost
    wide[_V0] = v0 & 0x3FFF
    wide[_V1] = (v0 >> 14) | ((v1 & 0xFFFFF) << 10)
    wide[_V2] = v1 >> 20
    if outcome > 0:
        return -1 - i
    return i + outcome
