"""Fixed-point steps that the int8 kernels share, by definition: reading words, scaling an accumulator.

Must not know layers. Products exceed the small integers of a 32-bit board, so there these functions allocate.
"""

import struct

if False:  # for mypy alone
    from kittiwake_types import Memory

MOST_OF_HALVES = 32767


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


def half(buffer: "Memory", at: int) -> int:
    """The int16 value of two bytes.

    Args:
        buffer: any.
        at: index of the lower one.
    """
    value: int = buffer[at] | buffer[at + 1] << 8
    return value - 65536 if value > MOST_OF_HALVES else value


def element(buffer: "Memory", at: int, width: int) -> int:
    """The int8 or int16 value at a place.

    Args:
        buffer: any.
        at: index of its lowest byte.
        width: 1 or 2, its bytes.
    """
    return half(buffer, at) if width == 2 else signed(buffer[at])


def put_half(buffer: "Memory", at: int, x: int, low: int = -32768, high: int = 32767) -> None:
    """Write an int16 value, held within bounds.

    Args:
        buffer: written.
        at: index of the lower byte.
        x: any integer.
        low: the least value.
        high: the largest.
    """
    x = max(low, min(high, x))
    buffer[at] = x & 0xFF
    buffer[at + 1] = x >> 8 & 0xFF


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


def logistic(plan: "Memory", curve: int, x: int) -> int:
    """The logistic function in 32768ths.

    Args:
        plan: the model's plan.
        curve: offset of its knots, 256 of 16 bits, 512 units apart.
        x: in units of 1/12288.
    """
    value = _between(plan, curve, abs(x), 9)
    return (value + 512 if x >= 0 else (1 << 25) - value + 511) >> 10


def tanh(plan: "Memory", curve: int, x: int) -> int:
    """The hyperbolic tangent in 32768ths: 2·logistic(2x) - 1, the same curve at twice the pace.

    Args:
        plan: the model's plan.
        curve: as of `logistic`.
        x: in units of 1/12288.
    """
    value = _between(plan, curve, abs(x), 8)
    return (value - (1 << 23) + 128 if x >= 0 else (1 << 23) - value + 127) >> 8


def _between(plan: "Memory", curve: int, x: int, bits: int) -> int:
    knot = x >> bits
    if knot >= 255:
        return 0x7FFF << 10 if bits == 9 else 0xFFFF << 8
    a, b = [plan[curve + 2 * k] | plan[curve + 2 * k + 1] << 8 for k in (knot, knot + 1)]
    return (a << bits) + (x & (1 << bits) - 1) * (b - a)
