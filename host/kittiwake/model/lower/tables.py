"""Functions of one byte, made on the host: 256 entries each, indexed by the input byte as an unsigned number.

Knows arithmetic, no graph. Entry i belongs to the int8 value i for i < 128, i - 256 above.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

from kittiwake.model.lower import fixed

_INFINITY = 0x7F800000  # bits of the float


def signed(byte: int) -> int:
    """The int8 value of a byte."""
    return byte - 256 if byte > 127 else byte


def of_bytes(function: Callable[[int], int]) -> bytes:
    """Tabulate a function from int8 to int8 or uint8."""
    return bytes(function(signed(byte)) & 0xFF for byte in range(256))


def clamp(low: int, high: int) -> bytes:
    """The table of a fused activation."""
    return of_bytes(lambda x: max(low, min(high, x)))


def _squashing(function: Callable[[int], int], scale: float, zero_point: int, output: Callable[[int], int]) -> bytes:
    m, shift = fixed.quantize_multiplier(scale * (1 << 27))
    radius = fixed.input_radius(4, shift)

    def one(x: int) -> int:
        x -= zero_point
        if x <= -radius:
            return -128
        if x >= radius:
            return 127
        return fixed.clamp8(output(function(fixed.multiply(x, m, shift))))

    return of_bytes(one)


def logistic(scale: float, zero_point: int) -> bytes:
    """LOGISTIC of int8 with output 1/256, zero point -128."""
    return _squashing(fixed.logistic, scale, zero_point, lambda q: fixed.divide_by_pot(q, 23) - 128)


def tanh(scale: float, zero_point: int) -> bytes:
    """TANH of int8 with output 1/128, zero point 0."""
    return _squashing(fixed.tanh, scale, zero_point, lambda q: fixed.divide_by_pot(q, 24))


def requantize(
    scale: float, zero_point: int, to_scale: float, to_zero_point: int, low: int, high: int, from_: int = 0
) -> bytes:
    """Tabulate QUANTIZE between bytes, and RELU with a change of scale.

    Args:
        scale: of the input.
        zero_point: of the input.
        to_scale: of the output.
        to_zero_point: of the output.
        low: least value of the output.
        high: its largest.
        from_: 0 when the input is int8; 256 when it is uint8.

    Returns:
        256 bytes.
    """
    m, shift = fixed.quantize_multiplier(scale / to_scale)

    def one(x: int) -> int:
        x = x % from_ if from_ else x
        return max(low, min(high, fixed.multiply(x - zero_point, m, shift) + to_zero_point))

    return of_bytes(one)


def dequantize(scale: float, zero_point: int, unsigned: bool) -> bytes:
    """DEQUANTIZE: 256 floats of single precision, little-endian."""
    values = []
    for byte in range(256):
        x = byte if unsigned else signed(byte)
        values.append(fixed.float32(scale * (x - zero_point)))
    return struct.pack("<256f", *values)


def float_thresholds(scale: float) -> bytes:
    """Tabulate QUANTIZE of floats: from which magnitude on a float is k steps of the scale or more from zero.

    A quotient in single precision, rounded half away from zero, never falls as the float grows, nor do its bits; so
    that what is between two thresholds needs no division.

    Args:
        scale: of the output.

    Returns:
        256 words, the bits of floats without their sign; the first is 0.
    """
    words = [0]
    for steps in range(1, 256):
        low, high = words[-1], _INFINITY  # the least float that gives as many steps is above low, high at the most
        while high - low > 1:
            middle = (low + high) // 2
            if _steps_of(middle, scale) >= steps:
                high = middle
            else:
                low = middle
        words.append(high)
    return struct.pack("<256I", *words)


def _steps_of(bits: int, scale: float) -> int:
    (magnitude,) = struct.unpack("<f", struct.pack("<I", bits))
    quotient = magnitude / scale
    return 256 if quotient > 256 else fixed.round_half_away(fixed.float32(quotient))


def leaky_relu(alpha: float, scale: float, zero_point: int, to_scale: float, to_zero_point: int) -> bytes:
    """LEAKY_RELU: one multiplier on either side of zero.

    Args:
        alpha: slope below zero, at least 0.
        scale: of the input.
        zero_point: of the input.
        to_scale: of the output.
        to_zero_point: of the output.

    Returns:
        256 bytes.
    """
    below = fixed.quantize_multiplier(scale * alpha / to_scale)
    above = fixed.quantize_multiplier(scale / to_scale)

    def one(x: int) -> int:
        x -= zero_point
        return fixed.clamp8(fixed.multiply(x, *(above if x >= 0 else below)) + to_zero_point)

    return of_bytes(one)


def elu(scale: float, zero_point: int, to_scale: float, to_zero_point: int) -> bytes:
    """ELU, which TFLite Micro computes in single precision: exp(x) - 1 below zero.

    Args:
        scale: of the input.
        zero_point: of the input.
        to_scale: of the output.
        to_zero_point: of the output.

    Returns:
        256 bytes.
    """
    inverse = fixed.float32(1 / to_scale)

    def steps(real: float) -> float:
        if real < 0:
            real = fixed.float32(fixed.float32(math.exp(real)) - 1)
        return fixed.float32(real * inverse)

    return _by_floats(steps, scale, zero_point, to_zero_point)


def through_floats(
    functions: Sequence[Callable[[float], float]], scale: float, zero_point: int, to_scale: float, to_zero_point: int
) -> bytes:
    """DEQUANTIZE, functions in single precision, and QUANTIZE.

    Args:
        functions: in their order.
        scale: of the input.
        zero_point: of the input.
        to_scale: of the output.
        to_zero_point: of the output.

    Returns:
        256 bytes.
    """

    def steps(real: float) -> float:
        for function in functions:
            real = fixed.float32(function(real))
        return fixed.float32(real / to_scale)

    return _by_floats(steps, scale, zero_point, to_zero_point)


def _by_floats(steps: Callable[[float], float], scale: float, zero_point: int, to_zero_point: int) -> bytes:
    """A table by way of single precision: `steps` gives of a real number how many steps of the output's scale it is."""

    def one(x: int) -> int:
        real = max(-1000.0, min(1000.0, steps(fixed.float32(scale * (x - zero_point)))))
        return fixed.clamp8(fixed.round_half_away(real) + to_zero_point)

    return of_bytes(one)


FLOAT_FUNCTIONS: dict[str, Callable[[float], float]] = {"ELU": lambda x: math.expm1(x) if x < 0 else x}


def scaled_terms(zero_point: int, m: int, shift: int, sign: int = 1) -> bytes:
    """One input's share of a sum for each of its bytes: 256 int32; with the sign -1 for what is subtracted."""
    values = [sign * fixed.multiply((signed(byte) - zero_point) << 20, m, shift) for byte in range(256)]
    return struct.pack("<256i", *values)


def softmax_exponentials(beta: float, scale: float) -> bytes:
    """exp(beta * scale * -d) for d = 0 .. 255, Q0.31; 0 where SOFTMAX leaves the term out (exp never is 0)."""
    real = min(beta * scale * (1 << 26), float(fixed.INT32_MAX))
    m, shift = fixed.quantize_multiplier(real)
    radius = fixed.input_radius(5, shift)
    values = []
    for d in range(256):
        term = 0
        if d <= radius:
            term = fixed.exp_negative(fixed.high_mul(fixed.wrap(-d << shift), m), 5)
        values.append(term)
    return struct.pack("<256i", *values)


def log_softmax_differences(scale: float) -> bytes:
    """Tabulate scale * d for d = 0 .. 255, Q5.26; 17 at the most, which is beyond what an output can say."""
    m, shift = fixed.quantize_multiplier(min(scale * (1 << 26), float(fixed.INT32_MAX)))
    radius = fixed.input_radius(5, shift)
    most = 17 << 26
    values = [min(most, -fixed.multiply(-d, m, shift)) if d <= radius else most for d in range(256)]
    return struct.pack("<256i", *values)
