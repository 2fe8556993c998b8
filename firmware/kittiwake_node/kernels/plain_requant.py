"""Fixed-point steps that the int8 kernels share, by definition: reading words, scaling an accumulator.

Must not know layers. Products exceed the small integers of a 32-bit board, so there these functions allocate.
"""

import struct

if False:  # for mypy alone
    from kittiwake_types import Memory


def word(plan: "Memory", at: int) -> int:
    """Read a word of the plan, at least 0 and below 2^32.

    Args:
        plan: the model's plan.
        at: offset of the word, in bytes.
    """
    value: int = struct.unpack_from("<I", plan, at)[0]
    return value


def signed_word(plan: "Memory", at: int) -> int:
    """Read a word of the plan, -2^31 to 2^31 - 1.

    Args:
        plan: the model's plan.
        at: offset of the word, in bytes.
    """
    value: int = struct.unpack_from("<i", plan, at)[0]
    return value


def words(plan: "Memory", at: int, count: int) -> tuple[int, ...]:
    """Read a descriptor. Allocates.

    Args:
        plan: the model's plan.
        at: offset of the descriptor, in bytes.
        count: of its words.
    """
    return struct.unpack_from("<%dI" % count, plan, at)


def find(ref: int, plan: "Memory", scratch: "Memory", state: "Memory") -> "tuple[Memory, int]":
    """Resolve an address word.

    Args:
        ref: space (0 scratch, 1 state, 2 plan) in bits 28 and 29, offset below.
        plan: the model's plan.
        scratch: RAM of the invoke.
        state: RAM of the model.

    Returns:
        (buffer, offset). Allocates.
    """
    return (scratch, state, plan)[ref >> 28], ref & 0xFFFFFFF


def signed(byte: int) -> int:
    """The int8 value of a byte.

    Args:
        byte: 0 to 255.
    """
    return byte - 256 if byte > 127 else byte


def high_mul(a: int, b: int) -> int:
    """(a * b * 2 + 2^31) >> 32 in words of any length: twice the upper half, rounded half up.

    Args:
        a: int32.
        b: int32.
    """
    return (a * b + (1 << 30)) >> 31


def scale(x: int, m: int, right: int, left: int) -> int:
    """Scale an accumulator by m * 2^(left - right - 31), rounded half up and then half away from zero.

    Args:
        x: the accumulator; |x| << left below 2^30.
        m: multiplier, 0 to 2^31 - 1.
        right: shift, 0 to 31.
        left: shift, 0 to 31; one of both is 0.

    Returns:
        The scaled integer.
    """
    x = high_mul(x << left, m)
    if right:
        x = (x + (1 << (right - 1)) - (1 if x < 0 else 0)) >> right
    return x


def saturate(x: int) -> int:
    """Clamp to int8.

    Args:
        x: any integer.

    Returns:
        The byte, 0 to 255.
    """
    return max(-128, min(127, x)) & 0xFF
