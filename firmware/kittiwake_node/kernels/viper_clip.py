"""Count samples at or beyond the ends of their range, in viper.

Must not know what made them. State layout: see the package's docstring.
"""

import micropython


@micropython.viper
def count(state: ptr32, buf: ptr16) -> int:
    """As plain_clip.count. Does not allocate; may run in an interrupt that does not share the state."""
    low = state[0]
    high = state[1]
    i = state[2]
    stop = state[3]
    found = 0
    while i < stop:
        u = int(buf[i]) ^ 0x8000  # x + 2^15, whichever sign the load gave
        # Negative where u > low and u < high, the sign of both differences.
        found += 1 + (((low - u) & (u - high)) >> 31)
        i += 1
    return found
