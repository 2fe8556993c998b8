"""Int8 layers by their definition in TFLite's quantisation specification, for clarity only: nested sums and fractions.

Must not know plans or kernels. Arrays are flat lists, channels innermost. Source: Jacob et al. (2017), section 2.2, and
the double rounding of TFLite Micro's reference kernels: half up at 2^-31, then half away from zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction


def scaled(total: int, factor: float) -> int:
    """An accumulator times a real factor, the factor held in 31 bits, both roundings as TFLite Micro does them.

    Args:
        total: the accumulator.
        factor: input scale times weight scale over output scale, in double precision, below 1.

    Returns:
        The scaled accumulator.
    """
    mantissa, exponent = math.frexp(factor)
    mantissa = math.floor(Fraction(mantissa) * (1 << 31) + Fraction(1, 2))
    once = math.floor(Fraction(total * mantissa, 1 << 31) + Fraction(1, 2))
    twice = Fraction(once, 1 << -exponent)
    away = math.floor(abs(twice) + Fraction(1, 2))
    return away if twice >= 0 else -away


def saturated(value: int) -> int:
    """Clamp to int8."""
    return max(-128, min(127, value))


def quantised(value: float, scale: float, zero: int) -> int:
    """A float as int8: the quotient in single precision, rounded half away from zero, plus the zero point.

    Args:
        value: a finite number of single precision.
        scale: of single precision, above 0.
        zero: the zero point.

    Returns:
        The int8 value.
    """
    exact = abs(Fraction(value) / Fraction(scale))
    if exact >= 1024:  # far beyond any byte
        return saturated(zero + (1024 if value > 0 else -1024))
    # Single precision has 24 bits, from the first that is set; below 1/4 none of them makes a step.
    places = 25 - math.floor(2 * exact).bit_length()
    single = Fraction(round(exact * 2**places), 2**places)
    steps = math.floor(single + Fraction(1, 2))
    return saturated(zero + (steps if value > 0 else -steps))


def convolution(
    x: Sequence[int],
    shape: tuple[int, int, int],
    weights: Sequence[Sequence[int]],
    filter_: tuple[int, int],
    stride: tuple[int, int],
    before: tuple[int, int],
    size: tuple[int, int],
    bias: Sequence[int],
    factors: Sequence[float],
    zero: int,
    out_zero: int,
    depthwise: bool = False,
) -> list[int]:
    """Convolve, dense or depthwise.

    Args:
        x: the image.
        shape: its height, width and channels.
        weights: one list an output channel: filter positions row by row, and within one the input's channels (dense).
        filter_: height and width.
        stride: down and across.
        before: rows and columns of padding in front, whose value is the zero point.
        size: height and width of the output.
        bias: one an output channel.
        factors: from accumulator to output, one an output channel.
        zero: zero point of the image.
        out_zero: zero point of the output.
        depthwise: output channel c sees input channel c alone.

    Returns:
        The output.
    """
    height, width, depth = shape
    result = []
    for y in range(size[0]):
        for column in range(size[1]):
            for c, row in enumerate(weights):
                total = bias[c]
                seen = [c] if depthwise else range(depth)
                for fy in range(filter_[0]):
                    for fx in range(filter_[1]):
                        at_y, at_x = y * stride[0] + fy - before[0], column * stride[1] + fx - before[1]
                        if not (0 <= at_y < height and 0 <= at_x < width):
                            continue
                        for i, channel in enumerate(seen):
                            w = row[(fy * filter_[1] + fx) * len(seen) + i]
                            total += w * (x[(at_y * width + at_x) * depth + channel] - zero)
                result.append(saturated(scaled(total, factors[c]) + out_zero))
    return result
