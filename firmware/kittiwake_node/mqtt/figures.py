"""Figures: value, mean, deviation and z-score in units, from a record's exact sums, as the text that is published.

Pure, and for boards that speak MQTT themselves. Each is the double next to the exact figure, rounded to two places
where the guide's detector rounds (docs/explanation/direct-mqtt.md): what the gateway publishes of the same record.
"""

from . import decimals
from .jsontext import Raw

if False:  # for mypy alone
    from kittiwake_types import Fraction


def value(x: int, scale: "Fraction", offset: "Fraction") -> "Raw":
    """A sample in units.

    Args:
        x: the sample, LSB.
        scale: units an LSB, (numerator, denominator).
        offset: units at zero, the same.
    """
    (a, b), (c, d) = scale, offset
    return Raw(decimals.text_of(c * b + a * x * d, b * d))


def of_window(
    n: int, total: int, squares: int, x: int | None, scale: "Fraction", offset: "Fraction"
) -> "tuple[Raw, Raw | None, Raw | None]":
    """Mean, deviation and z-score of a window.

    Args:
        n: samples in it, at least 1.
        total: their sum, LSB.
        squares: sum of their squares, LSB².
        x: the sample whose z-score is wanted; None for none.
        scale: as of `value`.
        offset: as of `value`.

    Returns:
        (mean, stdev, z_score), None for what there is none of.

    Raises:
        ValueError, ZeroDivisionError: no window has such sums.
    """
    (a, b), (c, d) = scale, offset
    mean = _rounded(c * b * n + a * total * d, b * d * n)
    if n < 2:
        return mean, None, None
    spread = n * squares - total * total
    stdev = _rounded_root(spread * a * a, n * (n - 1) * b * b, False)
    if x is None or not spread:
        return mean, stdev, None
    distance = n * x - total
    is_below = (distance < 0) != (a < 0)
    return mean, stdev, _rounded_root(distance * distance * (n - 1), n * spread, is_below)


def of_levels(
    fast: int, slow: int, variance: int, scale: "Fraction", offset: "Fraction"
) -> "tuple[Raw, Raw, Raw | None]":
    """Slow mean, deviation, and deviations from the slow mean to the fast one, of drift or novelty.

    Args:
        fast: the fast mean, Q16 of LSB.
        slow: the slow mean, Q16 of LSB.
        variance: Q16 of LSB².
        scale: as of `value`.
        offset: as of `value`.

    Returns:
        (mean, stdev, score), score None where the deviation is 0.
    """
    (a, b), (c, d) = scale, offset
    mean = _rounded(c * (b << 16) + a * slow * d, (b << 16) * d)
    stdev = _rounded_root(variance * a * a, b * b << 16, False)
    if not variance:
        return mean, stdev, None
    distance = fast - slow
    return mean, stdev, _rounded_root(distance * distance, variance << 16, (distance < 0) != (a < 0))


def _rounded(numerator: int, denominator: int) -> "Raw":
    if denominator <= 0:
        raise ZeroDivisionError
    mantissa, exponent = decimals.nearest(abs(numerator), denominator)
    return Raw(decimals.text_of_rounded(mantissa, exponent, numerator < 0))


def _rounded_root(numerator: int, denominator: int, is_negative: bool) -> "Raw":
    mantissa, exponent = decimals.nearest_root(numerator, denominator)
    return Raw(decimals.text_of_rounded(mantissa, exponent, is_negative))
