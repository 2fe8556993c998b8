"""Fixed-point arithmetic as TFLite Micro does it: multipliers, double rounding, and functions of one byte as tables.

Knows integers only; no graph and no plan. Sources: Jacob et al., "Quantization and Training of Neural Networks
for Efficient Integer-Arithmetic-Only Inference" (2017), section 2.2; gemmlowp's documented fixed-point functions. The
oracle of every function here is TFLite Micro itself (tests/parity/test_models.py).
"""

from __future__ import annotations

import math
import struct

INT32_MAX = (1 << 31) - 1
INT32_MIN = -(1 << 31)
_Q0_ONE = INT32_MAX
_Q2_ONE = 1 << 29
_OUT_OF_REACH = 1000  # a shift that leaves nothing of an accumulator, which is refused for it


def float32(value: float) -> float:
    """Round to single precision; beyond its range to an infinity, as C does."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Write a factor as m * 2^(shift - 31) with m in [2^30, 2^31), or (0, 0) where it is too small to matter.

    Args:
        real: at least 0.

    Returns:
        (m, shift).
    """
    if real == 0:
        return 0, 0
    if math.isinf(real):
        return INT32_MAX, _OUT_OF_REACH
    fraction, shift = math.frexp(real)
    m = math.floor(fraction * (1 << 31) + 0.5)
    if m == 1 << 31:
        m //= 2
        shift += 1
    return (0, 0) if shift < -31 else (m, shift)


def wrap(x: int) -> int:
    """Reduce to 32 bits, signed, as a C int does on the machines that matter."""
    return (x + (1 << 31)) % (1 << 32) - (1 << 31)


def high_mul(a: int, b: int) -> int:
    """Twice the product's upper half, rounded half up, saturated: one rounding of the two."""
    return min((a * b + (1 << 30)) >> 31, INT32_MAX)


def divide_by_pot(x: int, exponent: int) -> int:
    """Divide by 2^exponent, rounded half away from zero: the other rounding."""
    if exponent == 0:
        return x
    return (x + (1 << (exponent - 1)) - (x < 0)) >> exponent


def multiply(x: int, m: int, shift: int) -> int:
    """Scale an accumulator by m * 2^(shift - 31), with both roundings."""
    return divide_by_pot(high_mul(wrap(x << max(shift, 0)), m), max(-shift, 0))


def clamp8(x: int) -> int:
    """Saturate to a signed byte."""
    return max(-128, min(127, x))


def round_half_away(x: float) -> int:
    """Round as C's round does."""
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def activation_range(
    activation: str, scale: float, zero_point: int, bounds: tuple[int, int] = (-128, 127)
) -> tuple[int, int]:
    """Bounds of a fused activation in the output's own integers.

    Args:
        activation: "none", "relu", "relu_n1_to_1" or "relu6".
        scale: of the output.
        zero_point: of the output.
        bounds: of the output's type.

    Returns:
        (least, most), within the bounds.
    """

    def quantized(value: float) -> int:
        return zero_point + round_half_away(float32(value / float32(scale)))

    low = {"relu": 0.0, "relu6": 0.0, "relu_n1_to_1": -1.0}.get(activation)
    high = {"relu6": 6.0, "relu_n1_to_1": 1.0}.get(activation)
    return (
        bounds[0] if low is None else max(bounds[0], quantized(low)),
        bounds[1] if high is None else min(bounds[1], quantized(high)),
    )


def _shift_saturated(x: int, bits: int) -> int:
    return max(INT32_MIN, min(INT32_MAX, x << bits))


def _exp_small(a: int) -> int:
    """exp(a) for a in [-1/4, 0), Q0.31: the Taylor polynomial of degree 4 about -1/8."""
    constant = 1895147668  # exp(-1/8)
    x = a + (1 << 28)
    x2 = high_mul(x, x)
    x3 = high_mul(x2, x)
    x4 = high_mul(x2, x2)
    cubic = high_mul(divide_by_pot(x4, 2) + x3, 715827883) + x2  # 1/3
    return constant + high_mul(constant, x + divide_by_pot(cubic, 1))


# exp(-2^e) for e = -2 .. 4, Q0.31
_EXP_OF_POWERS = (
    (-2, 1672461947),
    (-1, 1302514674),
    (0, 790015084),
    (1, 290630308),
    (2, 39332535),
    (3, 720401),
    (4, 242),
)


def exp_negative(a: int, integer_bits: int) -> int:
    """exp(a) for a <= 0 given in Q(integer_bits), as Q0.31: by the fraction of a quarter and the bits above."""
    if a == 0:
        return _Q0_ONE
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    rest = (a & (quarter - 1)) - quarter
    result = _exp_small(_shift_saturated(rest, integer_bits))
    whole = rest - a
    for exponent, factor in _EXP_OF_POWERS:
        if integer_bits > exponent and whole >> (fraction_bits + exponent) & 1:
            result = high_mul(result, factor)
    return result


def _newton(a: int) -> int:
    """2 / (1 + a) for a in [0, 1), Q0.31, as Q2.29: three steps of Newton and Raphson."""
    total = a + _Q0_ONE
    half = (total + 1) >> 1
    x = 1515870810 + high_mul(half, -1010580540)  # 48/17 - 32/17 * half
    for _ in range(3):
        x += _shift_saturated(high_mul(x, _Q2_ONE - high_mul(half, x)), 2)
    return x


def reciprocal(a: int) -> int:
    """1 / (1 + a) for a in [0, 1), Q0.31."""
    return _shift_saturated(_newton(a), 1)


def logistic(a: int) -> int:
    """1 / (1 + exp(-a)), a in Q4.27, result Q0.31."""
    if a == 0:
        return 1 << 30
    positive = reciprocal(exp_negative(-abs(a), 4))
    return positive if a > 0 else _Q0_ONE - positive


def tanh(a: int) -> int:
    """The hyperbolic tangent, a in Q4.27, result Q0.31."""
    if a == 0:
        return 0
    magnitude = _shift_saturated(_newton(exp_negative(-abs(a), 5)) - _Q2_ONE, 2)
    return magnitude if a > 0 else -magnitude


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Largest input difference that does not overflow Q(integer_bits) after scaling."""
    return ((1 << integer_bits) - 1 << (31 - integer_bits)) >> left_shift if left_shift >= 0 else INT32_MAX
