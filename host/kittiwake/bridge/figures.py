"""Figures: mean, deviation and z-score in units, formed from the exact sums that the board sent.

Pure. The board computes integers only; here they become what the guide's detector would have printed. Decimal with
fifty digits stands between: every figure is the exact value, rounded once.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

_DIGITS = 50


def value(x: int, scale: Fraction, offset: Fraction) -> float:
    """A sample in units, the nearest float.

    Args:
        x: the sample, LSB.
        scale: units an LSB.
        offset: units at x = 0.
    """
    return float(offset + scale * x)


def window_figures(
    n: int, total: int, squares: int, x: int | None, scale: Fraction, offset: Fraction
) -> tuple[float, float | None, float | None]:
    """Mean, sample standard deviation and z-score of a window, rounded to two decimals as the guide publishes them.

    Args:
        n: samples in the window, at least 1.
        total: their sum, LSB.
        squares: the sum of their squares, LSB².
        x: the sample whose z-score is wanted, LSB; None for none.
        scale, offset: see `value`.

    Returns:
        (mean, stdev, z_score) in units, units and standard deviations; stdev is None with one sample, z_score where it
        was not asked for or the deviation is 0.

    Source: numerics of the rolling z-score, firmware/DESIGN.md: V = n·Q − S², D = n·x − S, stdev² = V / (n (n − 1)).
    """
    mean = round(float(offset + scale * Fraction(total, n)), 2)
    if n < 2:
        return mean, None, None
    spread = n * squares - total * total
    with localcontext() as context:
        context.prec = _DIGITS
        root = (Decimal(spread) / (n * (n - 1))).sqrt()
        size = abs(scale)
        stdev = round(float(root * size.numerator / size.denominator), 2)
        if x is None or not spread:
            return mean, stdev, None
        z = Decimal(n * x - total) / n / root
    return mean, stdev, round(float(-z if scale < 0 else z), 2)


def level_figures(
    fast: int, slow: int, variance: int, scale: Fraction, offset: Fraction
) -> tuple[float, float, float | None]:
    """Slow mean, deviation, and how many deviations the fast mean stands from the slow one, rounded to two decimals.

    Args:
        fast, slow: the two means of drift or novelty, Q16 of LSB.
        variance: Q16 of LSB².
        scale, offset: see `value`.

    Returns:
        (mean, stdev, score) in units, units and deviations; score is None where the deviation is 0.
    """
    mean = round(float(offset + scale * Fraction(slow, 1 << 16)), 2)
    with localcontext() as context:
        context.prec = _DIGITS
        root = (Decimal(variance) / (1 << 16)).sqrt()
        size = abs(scale)
        stdev = round(float(root * size.numerator / size.denominator), 2)
        if not variance:
            return mean, stdev, None
        score = Decimal(fast - slow) / (1 << 16) / root
    return mean, stdev, round(float(-score if scale < 0 else score), 2)
