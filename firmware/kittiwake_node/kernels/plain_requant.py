"""Fixed-point steps that the int8 kernels share, by definition: reading words, scaling an accumulator.

Must not know layers. Products exceed the small integers of a 32-bit board, so there these functions allocate.
"""

import struct


def word(plan, at):
    """Read a word of the plan, at least 0 and below 2^32."""
    return struct.unpack_from("<I", plan, at)[0]


def signed_word(plan, at):
    """Read a word of the plan, -2^31 to 2^31 - 1."""
    return struct.unpack_from("<i", plan, at)[0]


def words(plan, at, count):
    """Read a descriptor."""
    return struct.unpack_from("<%dI" % count, plan, at)


def find(ref, plan, scratch, state):
    """Resolve an address word.

    Args:
        ref: space (0 scratch, 1 state, 2 plan) in bits 28 and 29, offset below.
        plan, scratch, state: buffers.

    Returns:
        (buffer, offset). Allocates.
    """
    return (scratch, state, plan)[ref >> 28], ref & 0xFFFFFFF


def signed(byte):
    """The int8 value of a byte."""
    return byte - 256 if byte > 127 else byte


def high_mul(a, b):
    """(a * b * 2 + 2^31) >> 32 in words of any length: twice the upper half, rounded half up."""
    return (a * b + (1 << 30)) >> 31


def scale(x, m, right, left):
    """Scale an accumulator by m * 2^(left - right - 31), rounded half up and then half away from zero.

    Args:
        x: the accumulator; |x| << left below 2^30.
        m: multiplier, 0 to 2^31 - 1.
        right, left: shifts, 0 to 31, one of them 0.

    Returns:
        The scaled integer.
    """
    x = high_mul(x << left, m)
    if right:
        x = (x + (1 << (right - 1)) - (1 if x < 0 else 0)) >> right
    return x


def saturate(x):
    """Clamp to int8, as a byte."""
    return max(-128, min(127, x)) & 0xFF
