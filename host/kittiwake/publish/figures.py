"""Figures: mean, deviation and z-score in units, formed from the exact sums that the board sent.

Pure. The board computes integers only; here they become what the guide's detector would have printed: every figure is
the exact value, rounded once. Floats do it where they cannot be wrong; next to a tie, Decimal with fifty digits does.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

_DIGITS = 50
_NEAR_TIE = 1e-9


def value(x: int, scale: Fraction, offset: Fraction) -> float:
    """A sample in units, the nearest float.

    Args:
        x: the sample, LSB.
        scale: units an LSB.
        offset: units at x = 0.

    Returns:
        The sample in units.
    """
    # Division of integers rounds once, like float() of the fraction that they make.
    a, b, c, d = scale.numerator, scale.denominator, offset.numerator, offset.denominator
    return (c * b + a * x * d) / (b * d)


def window_figures(
    n: int, total: int, squares: int, x: int | None, scale: Fraction, offset: Fraction
) -> tuple[float, float | None, float | None]:
    """Mean, sample standard deviation and z-score of a window, rounded to two decimals as the guide publishes them.

    Args:
        n: samples in the window, at least 1.
        total: their sum, LSB.
        squares: the sum of their squares, LSB².
        x: the sample whose z-score is wanted, LSB, in the window or not; None for none.
        scale: units an LSB.
        offset: units at x = 0.

    Returns:
        (mean, stdev, z_score) in units, units and standard deviations; stdev is None with one sample, z_score where it
        was not asked for or the deviation is 0.

    Source: the rolling z-score, docs/detectors/zscore.md: V = n·Q − S², D = n·x − S, stdev² = V / (n (n − 1)).
    """
    a, b, c, d = scale.numerator, scale.denominator, offset.numerator, offset.denominator
    mean = round((c * b * n + a * total * d) / (b * d * n), 2)
    if n < 2:
        return mean, None, None
    spread = n * squares - total * total
    stdev = rounded_root(spread * a * a, n * (n - 1) * b * b)
    if x is None or not spread:
        return mean, stdev, None
    distance = n * x - total
    z = rounded_root(distance * distance * (n - 1), n * spread)
    return mean, stdev, -z if (distance < 0) != (a < 0) else z


def level_figures(
    fast: int, slow: int, variance: int, scale: Fraction, offset: Fraction
) -> tuple[float, float, float | None]:
    """Slow mean, deviation, and how many deviations the fast mean stands from the slow one, rounded to two decimals.

    Args:
        fast: the faster mean of drift or novelty, Q16 of LSB.
        slow: the slower one, Q16 of LSB.
        variance: Q16 of LSB².
        scale: units an LSB.
        offset: units at x = 0.

    Returns:
        (mean, stdev, score) in units, units and deviations; score is None where the deviation is 0.
    """
    a, b = scale.numerator, scale.denominator
    mean = round(value(slow, scale / 65536, offset), 2)
    stdev = rounded_root(variance * a * a, b * b << 16)
    if not variance:
        return mean, stdev, None
    distance = fast - slow
    score = rounded_root(distance * distance, variance << 16)
    return mean, stdev, -score if (distance < 0) != (a < 0) else score


def rounded_root(numerator: int, denominator: int) -> float:
    """The square root of a fraction that is not negative, rounded to two decimals, halves as the float next to it."""
    root = math.sqrt(numerator / denominator)
    hundredths = root * 100
    # The float is within two units in the last place: it decides alone unless a tie is that near.
    if abs(hundredths - math.floor(hundredths) - 0.5) > _NEAR_TIE * (1 + hundredths * 1e-3) and hundredths < 1e12:
        return round(root, 2)
    with localcontext() as context:
        context.prec = _DIGITS
        return round(float((Decimal(numerator) / denominator).sqrt()), 2)
