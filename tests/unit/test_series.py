"""Reading columns and quantising them: separators, headers, exactness, and every wrong file in one line."""

import csv
from array import array
from decimal import ROUND_HALF_EVEN, Decimal, getcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kittiwake.errors import ConfigError, UsageError
from kittiwake.signals import csv_column


def _file(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "s.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("a,b\n1,2\n3,4\n", "b", [2, 4]),
        ("a;b\n1;2\n3;4\n", "b", [2, 4]),
        ("a,b\r\n1,2\r\n3,4", "a", [1, 3]),
        ("a,b\n1,2\n3,4\n", "1", [2, 4]),
        ("a,b\n1,2\n3,4\n", 0, [1, 3]),
        ("1,2\n3,4\n", "1", [2, 4]),
        ("1\n2\n3\n", None, [1, 2, 3]),
        ("v\n1\n\n2\n  \n3\n", None, [1, 2, 3]),
        (' a , "b" \n 1 , -2 \n', "b", [-2]),
        ('"time, local";v\n1,5;7\n', "v", [7]),
        ("\ufeffa,b\n1,2\n", "a", [1]),
        ("t,v\n2015-02-26 21:42:53,35\n", "v", [35]),
        ("v\n1e3\n-0.5\n+.25\n7.0\n", "v", [1000, Fraction(-1, 2), Fraction(1, 4), 7]),
    ],
)
def test_series_read_column_gives_exact_values(tmp_path, text, column, expected):
    assert csv_column.read_column(_file(tmp_path, text), column).values == expected


def test_series_decimal_text_is_not_rounded_to_a_float(tmp_path):
    column = csv_column.read_column(_file(tmp_path, "v\n0.1\n0.30000000000000000001\n"))
    assert column.values == [Fraction(1, 10), Fraction(30000000000000000001, 10**20)]


def test_series_lines_count_from_one_in_the_file(tmp_path):
    assert csv_column.read_column(_file(tmp_path, "v\n\n1\n\n2\n")).lines == [3, 5]


@pytest.mark.parametrize(
    ("text", "column", "error", "said"),
    [
        ("", None, ConfigError, "is empty"),
        ("\n\n", None, ConfigError, "is empty"),
        ("a,b\n", "a", ConfigError, "no values"),
        ("a,b\n1,2\n", "c", UsageError, "no column 'c'; it has a, b"),
        ("a,b\n1,2\n", "2", UsageError, "no column '2'"),
        ("a,b\n1,2\n", "-1", UsageError, "no column '-1'"),
        ("a,b\n1,2\n", None, UsageError, "2 columns; choose one with --column: a, b"),
        ("v\n1\nx\n", "v", ConfigError, "line 3: 'x' is no number"),
        ("v\n1\nnan\n", "v", ConfigError, "line 3"),
        ("v\n1\ninf\n", "v", ConfigError, "line 3"),
        ("v\n1\n1_000\n", "v", ConfigError, "line 3"),
        ("v\n1\n1e999999999\n", "v", ConfigError, "line 3"),
        ("v\n1\n\u0663\n", "v", ConfigError, "line 3"),
        ("a,b\n1,2\n3\n", "b", ConfigError, "line 3: there is no number in column 'b'"),
        ("a,b\n1,2\n3,\n", "b", ConfigError, "line 3: there is no number"),
    ],
)
def test_series_wrong_file_is_named_with_its_line(tmp_path, text, column, error, said):
    with pytest.raises(error) as caught:
        csv_column.read_column(_file(tmp_path, text), column)
    assert said in str(caught.value)
    assert caught.value.mend


def test_series_missing_folder_or_binary_file_is_an_error_of_ours(tmp_path):
    with pytest.raises(UsageError, match="is not there"):
        csv_column.read_column(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        csv_column.read_column(tmp_path)
    (tmp_path / "b.csv").write_bytes(b"v\n\xff\xfe\x00\n")
    with pytest.raises(ConfigError, match="not a CSV file"):
        csv_column.read_column(tmp_path / "b.csv")


def _column(*values):
    return csv_column.Column("v", [Fraction(v) for v in values], list(range(2, 2 + len(values))))


def test_series_integers_are_taken_as_they_are():
    assert csv_column.as_integers(_column(-32768, 0, 32767)) == array("h", [-32768, 0, 32767])
    assert csv_column.as_integers(_column(1 << 20), low=-(1 << 23), high=(1 << 23) - 1) == array("i", [1 << 20])


@pytest.mark.parametrize(
    ("value", "said"), [(32768, "line 3: 32768 is outside -32768 to 32767"), ("7.5", "line 3: 7.5 is not a whole")]
)
def test_series_integer_that_does_not_fit_names_its_line(value, said):
    with pytest.raises(ConfigError, match=said):
        csv_column.as_integers(_column(1, value))


@pytest.mark.parametrize(
    ("value", "low", "high", "bits", "expected"),
    [
        ("0", "0", "1", 12, 0),
        ("1", "0", "1", 12, 4095),
        ("0.5", "0", "1", 12, 2048),  # 2047.5 to even
        ("0.5", "0", "3", 1, 0),
        ("1.5", "0", "3", 1, 0),  # 0.5 to even
        ("0.5", "0", "1", 2, 2),  # 1.5 to even
        ("-2", "-2", "2", 8, 0),
        ("7", "7", "7", 12, 0),  # hi = lo
        ("0.1", "0", "0.3", 2, 1),  # exactly 1, where floats give 1.0000000000000002
    ],
)
def test_series_quantise_rounds_half_to_even_exactly(value, low, high, bits, expected):
    bounds = csv_column.parse_bound(low), csv_column.parse_bound(high)
    assert csv_column.quantise(_column(value), *bounds, bits)[0] == expected


@settings(max_examples=300, deadline=None)
@given(st.decimals(-1000, 1000, places=6), st.decimals(-1000, 1000, places=6), st.decimals(0, 1), st.integers(1, 24))
def test_series_quantise_agrees_with_decimal_arithmetic(one, other, share, bits):
    getcontext().prec = 80
    low, high = min(one, other), max(one, other)
    value = round(low + (high - low) * share, 9)
    if not low <= value <= high:
        return
    scaled = (value - low) / (high - low) * (2**bits - 1) if high > low else Decimal(0)
    # 80 digits: a tie is represented exactly, and nothing else rounds to one.
    expected = int(scaled.quantize(Decimal(1), ROUND_HALF_EVEN))
    assert csv_column.quantise(_column(value), Fraction(low), Fraction(high), bits)[0] == expected


@pytest.mark.parametrize(
    ("values", "low", "high", "bits", "said"),
    [
        (["0", "2"], 0, 1, 12, "line 3: 2 is outside --range 0 1"),
        (["0"], 1, 0, 12, "LO is above HI"),
        (["0"], 0, 1, 0, "--bits 0"),
        (["0"], 0, 1, 25, "--bits 25"),
    ],
)
def test_series_quantise_of_nonsense_is_refused(values, low, high, bits, said):
    with pytest.raises(ConfigError, match=said):
        csv_column.quantise(_column(*values), Fraction(low), Fraction(high), bits)


@pytest.mark.parametrize("text", ["", "x", "nan", "1,5", "0x10"])
def test_series_bound_that_is_no_number_is_refused(text):
    with pytest.raises(UsageError, match="is not a number"):
        csv_column.parse_bound(text)


def test_series_reads_every_recorded_file(data_dir):
    files = sorted((data_dir / "nab/data").rglob("*.csv"))
    assert len(files) == 58
    for path in files:
        column = csv_column.read_column(path, "value")
        with path.open() as file:
            assert [float(v) for v in column.values] == [float(row["value"]) for row in csv.DictReader(file)]
        assert max(csv_column.quantise(column, min(column.values), max(column.values), 12)) in (0, 4095)
    fans = sorted((data_dir / "fan_esp32").glob("*.csv"))
    assert fans
    for path in fans:
        for axis in "xyz":
            assert len(csv_column.as_integers(csv_column.read_column(path, axis))) > 1000
