"""Figures from sums against the statistics module over the very window."""

import random
import statistics
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from kittiwake.publish import figures

ONE, ZERO = Fraction(1), Fraction(0)


def sums(window):
    return len(window), sum(window), sum(x * x for x in window)


@pytest.mark.parametrize(
    ("scale", "offset"), [(ONE, ZERO), (Fraction(1, 100), ZERO), (Fraction(-3, 4095), Fraction(7, 2))]
)
def test_window_figures_of_random_windows_equal_the_statistics_module(scale, offset):
    rng = random.Random(4)
    for _ in range(200):
        window = [rng.randint(-32768, 32767) for _ in range(rng.randint(2, 40))]
        values = [offset + scale * x for x in window]
        mean, stdev = statistics.mean(values), statistics.stdev(values)
        expected = (
            round(float(mean), 2),
            round(stdev, 2),
            round(float(values[-1] - mean) / stdev, 2),
        )
        assert figures.window_figures(*sums(window), window[-1], scale, offset) == expected


def test_window_figures_of_a_constant_window_have_no_z_score():
    assert figures.window_figures(*sums([5] * 20), 5, ONE, ZERO) == (5.0, 0.0, None)


def test_window_figures_of_one_sample_have_no_deviation():
    assert figures.window_figures(1, 5, 25, 5, ONE, ZERO) == (5.0, None, None)


def test_window_figures_by_hand():
    # Window 1, 2, 3, 4, 10: mean 4, squares 130, variance (130 - 5·16)/4 = 12.5, stdev 3.5355, z = 6/3.5355 = 1.697.
    assert figures.window_figures(5, 20, 130, 10, ONE, ZERO) == (4.0, 3.54, 1.7)


def test_value_of_hundredths_is_the_nearest_float():
    assert figures.value(1234, Fraction(1, 100), ZERO) == 12.34


def test_rounded_root_of_anything_is_the_exact_root_rounded_once():
    rng = random.Random(9)
    fractions = [
        (rng.randrange(10 ** rng.randint(1, 40)), rng.randrange(1, 10 ** rng.randint(1, 20))) for _ in range(20000)
    ]
    # Halves of hundredths, and their nearest neighbours, where a float alone would go wrong.
    for k in range(1, 1000):
        square = Fraction(2 * k + 1, 200) ** 2
        fractions += [(square.numerator * 10**30 + d, square.denominator * 10**30) for d in (-1, 0, 1)]
    for numerator, denominator in fractions:
        with localcontext() as context:
            context.prec = 60
            exact = round(float((Decimal(numerator) / denominator).sqrt()), 2)
        assert figures.rounded_root(numerator, denominator) == exact
