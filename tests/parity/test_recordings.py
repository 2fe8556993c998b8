"""The firmware's z-score against the reference over recorded signals, when a folder of them is at hand."""

from fractions import Fraction

import pytest

from kittiwake.reference import zscore
from kittiwake.runs import detect
from kittiwake.signals import csv_column
from kittiwake.target import open_target

SETTINGS = [(20, Fraction(5, 2)), (256, Fraction(11, 2))]


@pytest.fixture(scope="module")
def board():
    with open_target("unix") as target:
        yield target


def assert_same_alerts(board, samples, n, t):
    seen = [(a["index"], a["x"], a["s"], a["q"]) for a in detect.zscore_alerts(board, samples, n, t)]
    expected = [(a.index, a.x, a.sum, a.sum_sq) for a in zscore.alerts(samples, n, t)]
    assert seen == expected
    return len(expected)


@pytest.mark.parametrize(("n", "t"), SETTINGS)
def test_zscore_on_fan_recordings_raises_the_reference_alerts(data_dir, board, n, t):
    files = sorted((data_dir / "fan_esp32").glob("*.csv"))
    assert len(files) == 8
    total = 0
    for path in files:
        for axis in ("x", "y", "z"):
            total += assert_same_alerts(board, csv_column.as_integers(csv_column.read_column(path, axis), path), n, t)
    assert total > 0


@pytest.mark.parametrize(("n", "t"), SETTINGS)
def test_zscore_on_nab_series_raises_the_reference_alerts(data_dir, board, n, t):
    files = sorted((data_dir / "nab" / "data").glob("*/*.csv"))
    assert len(files) == 58
    total = 0
    for path in files:
        column = csv_column.read_column(path, "value")
        samples = csv_column.quantise(column, min(column.values), max(column.values), 12, path)
        total += assert_same_alerts(board, samples, n, t)
    assert total > 0
