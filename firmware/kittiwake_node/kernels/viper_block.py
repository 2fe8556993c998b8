"""Blocks of samples to a network's input by viper: each less the block's mean, scaled, as int8.

Must not know what the network tells. The definition is plain_block.
"""

import micropython
from micropython import const

_MEAN = const(1)
_MULTIPLIER = const(2)
_SHIFT = const(3)
_ZERO = const(4)


@micropython.viper
def total(buf: ptr16, count: int) -> int:
    """As plain_block.total. Does not allocate."""
    added = 0
    for i in range(count):
        added += buf[i] ^ 0x8000
    return added


@micropython.viper
def quantise(state: ptr32, buf: ptr16, out: ptr8):
    """As plain_block.quantise. Does not allocate; `out` must hold as many bytes as samples."""
    mean = state[_MEAN]
    multiplier = state[_MULTIPLIER]
    shift = state[_SHIFT]
    zero = state[_ZERO]
    half = 1 << (shift - 1)
    for i in range(state[0]):
        value = (((buf[i] ^ 0x8000) - mean) * multiplier + half >> shift) + zero
        if value < 0:
            value = 0
        if value > 255:
            value = 255
        out[i] = value ^ 128
