"""Correctly rounded floats of exact values: what a perfect machine would print.

Knows rationals and their square roots, nothing of detectors.
"""

from fractions import Fraction
from math import isqrt

_MANTISSA_BITS = 53


def rounded(value: Fraction) -> float:
    """Return the float nearest to a rational, ties to even (Python's integer division is correctly rounded)."""
    return value.numerator / value.denominator


def rounded_sqrt(value: Fraction) -> float:
    """Return the float nearest to the square root of a rational of ordinary size, ties to even.

    Args:
        value: not negative; its root within the normal range of doubles.

    Raises:
        ValueError: value is negative.
    """
    if value < 0:
        raise ValueError(f"square root of {value}")
    if value == 0:
        return 0.0
    # Scale by an even power of two so that the integer root has at least two bits more than a mantissa, then mark it as
    # inexact in the last bit: rounding that integer rounds the true root, because the mark is no tie.
    shift = 2 * (_MANTISSA_BITS + 3) - (value.numerator.bit_length() - value.denominator.bit_length())
    shift += shift & 1
    scaled = value.numerator << shift if shift >= 0 else value.numerator
    divisor = value.denominator if shift >= 0 else value.denominator << -shift
    quotient, left = divmod(scaled, divisor)
    root = isqrt(quotient)
    if left or root * root != quotient:
        root |= 1
    half = shift // 2
    return float(Fraction(root, 1 << half)) if half >= 0 else float(root << -half)
