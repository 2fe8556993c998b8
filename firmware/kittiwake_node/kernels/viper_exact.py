"""The comparison a·d² > b·V in viper, exact, for the few samples that a cheap bound cannot reject.

Must not know what is compared. V stands in words 5 to 7 of the state, as the package's docstring lays it out.
"""

import micropython
from micropython import const

_M13 = const(0x1FFF)


@micropython.viper
def above(words, a: int, b: int, d: int) -> int:
    """Return 1 when a·d² > b·V, else 0.

    Args:
        words: the state; V = words[5] + words[6]·2^14 + words[7]·2^44, below 2^52.
        a: factor, 0 to 2^26 - 1.
        b: factor, 0 to 2^26 - 1.
        d: 0 to 2^26 - 1.

    Does not allocate; may run in an interrupt. Limbs of 13 bits: every product is below 2^26.
    """
    state = ptr32(words)
    a0 = a & _M13
    a1 = a >> 13
    b0 = b & _M13
    b1 = b >> 13
    v0 = state[5]
    v1 = state[6]
    w0 = v0 & _M13
    w1 = ((v0 >> 13) | (v1 << 1)) & _M13
    w2 = (v1 >> 12) & _M13
    w3 = (v1 >> 25) | (state[7] << 5)
    d1 = d >> 13
    d &= _M13
    t = d * d
    e0 = t & _M13
    t = (t >> 13) + ((d * d1) << 1)
    e1 = t & _M13
    t = (t >> 13) + d1 * d1
    e2 = t & _M13
    e3 = t >> 13
    # The difference column by column, each below 2^28 with its carry; `some` gathers the digits passed.
    t = a0 * e0 - b0 * w0
    some = t & _M13
    t = (t >> 13) + a0 * e1 + a1 * e0 - b0 * w1 - b1 * w0
    some |= t & _M13
    t = (t >> 13) + a0 * e2 + a1 * e1 - b0 * w2 - b1 * w1
    some |= t & _M13
    t = (t >> 13) + a0 * e3 + a1 * e2 - b0 * w3 - b1 * w2
    some |= t & _M13
    t = (t >> 13) + a1 * e3 - b1 * w3
    if t > 0:
        return 1
    if t == 0:
        if some:
            return 1
    return 0
