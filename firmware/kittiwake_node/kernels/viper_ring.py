"""Keep the newest samples, and count crossings of a level, in viper.

Must not know what the samples are kept for. State layout: see the package's docstring.
"""

import micropython


@micropython.viper
def keep(state: ptr32, ring: ptr16, buf: ptr16):
    """As plain_ring.keep. Does not allocate; may run in an interrupt that does not share the state."""
    length = state[0]
    pos = state[1]
    i = state[2]
    stop = state[3]
    while i < stop:
        ring[pos] = buf[i]
        pos += 1
        if not (pos - length):
            pos = 0
        i += 1
    state[1] = pos


@micropython.viper
def cross(state: ptr32, buf: ptr16):
    """As plain_ring.cross. Does not allocate; may run in an interrupt that does not share the state."""
    level = state[0]
    side = state[1]
    i = state[2]
    stop = state[3]
    count = state[4]
    while i < stop:
        now = 1 + (((int(buf[i]) ^ 0x8000) - level) >> 31)  # 0 below the level, 1 at it and above
        if now - side:
            count += 1
            side = now
        i += 1
    state[1] = side
    state[4] = count
