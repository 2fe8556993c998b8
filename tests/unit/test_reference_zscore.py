"""The oracle is judged too: its fast form against the definition, its floats against `decimal` and `statistics`."""

import random
import statistics
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from kittiwake.reference.exact import rounded_sqrt
from kittiwake.reference.zscore import ZScore, alerts


@pytest.mark.parametrize(
    ("n", "t"), [(2, Fraction(1, 2)), (5, Fraction(3, 2)), (20, Fraction(5, 2)), (33, Fraction(4))]
)
def test_alerts_of_random_series_equal_the_definition(n, t):
    chance = random.Random(n)
    samples = [round(chance.gauss(100, 2 + i % 50) * (9 if chance.random() < 0.02 else 1)) for i in range(3000)]
    definition = ZScore(n, t)
    wanted = [alert for alert in map(definition.push, samples) if alert]
    assert len(wanted) > 10
    assert list(alerts(samples, n, t)) == wanted


def test_alerts_equal_the_guides_detector_where_floats_are_far_from_the_threshold():
    chance = random.Random(1)
    samples = [420 + round(chance.gauss(0, 30)) + (500 if chance.random() < 0.05 else 0) for _ in range(2000)]
    wanted = []
    for i in range(19, len(samples)):
        window = samples[i - 19 : i + 1]
        mean, stdev = statistics.mean(window), statistics.stdev(window)
        if stdev and abs(samples[i] - mean) / stdev > 2.5:
            wanted.append((i, mean, stdev, (samples[i] - mean) / stdev))
    found = [(a.index, a.mean, a.stdev, a.z) for a in alerts(samples, 20, Fraction(5, 2))]
    assert len(wanted) > 20
    assert [row[0] for row in found] == [row[0] for row in wanted]
    for got, want in zip(found, wanted, strict=True):
        assert got[1:] == pytest.approx(want[1:], rel=1e-12)


def test_alerts_with_an_exact_tie_flags_nothing():
    samples = [0] * 10 + [1] * 6  # n = 16: |z| of the last 1 is sqrt(10·15 / (16·6)) = 5/4
    assert not [a for a in alerts(samples, 16, Fraction(5, 4)) if a.index == 15]
    assert [a for a in alerts(samples, 16, Fraction(124, 100)) if a.index == 15]


@pytest.mark.parametrize("series", [[], [1], [7] * 50])
def test_alerts_of_series_without_deviation_are_none(series):
    assert list(alerts(series, 20, Fraction(1, 100))) == []


def test_rounded_sqrt_is_the_nearest_double():
    chance = random.Random(4)
    with localcontext() as context:
        context.prec = 60
        for _ in range(2000):
            value = Fraction(
                chance.getrandbits(chance.randint(1, 90)) + 1, chance.getrandbits(chance.randint(1, 60)) + 1
            )
            exact = (Decimal(value.numerator) / Decimal(value.denominator)).sqrt()
            assert rounded_sqrt(value) == float(exact)
    assert rounded_sqrt(Fraction(0)) == 0.0
    assert rounded_sqrt(Fraction(9, 4)) == 1.5
    with pytest.raises(ValueError):
        rounded_sqrt(Fraction(-1))
