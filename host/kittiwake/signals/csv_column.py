"""Recorded series from CSV files: one column, as whole numbers, with exact quantisation where they are not.

Decimal text is taken as the exact rational number that it writes, so results depend on no float. Knows files and
numbers; not what detects in them.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from kittiwake.errors import ConfigError, UsageError

INT16 = (-32768, 32767)


@dataclass(frozen=True)
class Column:
    """One column of a file, read and checked.

    Attributes:
        name: its header, or its number as text in a file without one.
        values: the exact values, in the file's order.
        lines: the line of the file, from 1, that each value stands in.
    """

    name: str
    values: list[Fraction]
    lines: list[int]


def read_column(path: str | Path, column: str | int | None = None) -> Column:
    """Read one column of a CSV file.

    The separator is `;` when the first line has one, else `,`. The first line is a header when any of its fields is not
    a number. Empty lines are skipped; a line that is too short, and an empty field, count as non-numbers.

    Args:
        path: the file, UTF-8 with or without a byte-order mark.
        column: a name of the header; or a number from 0 where no name matches; or None in a file of one column.

    Returns:
        The column; at least one value.

    Raises:
        UsageError: the file is not there, cannot be read, or has no such column (those it has are listed).
        ConfigError: a value is not a number (its line is named), or there are none.
    """
    rows = _rows(Path(path))
    try:
        first_line, first = next(rows)
    except StopIteration:
        raise ConfigError(f"{path} is empty", "give a CSV file with a column of numbers") from None
    has_header = any(_number(field) is None for field in first)
    names = [field.strip() for field in first] if has_header else [str(i) for i in range(len(first))]
    index = _find(path, names, column)
    values: list[Fraction] = []
    lines: list[int] = []
    if not has_header and (value := _number(first[index])) is not None:
        values.append(value)
        lines.append(first_line)
    for line, row in rows:
        field = row[index] if index < len(row) else ""
        value = _number(field)
        if value is None:
            what = f"{field.strip()!r} is" if field.strip() else "there is"
            raise ConfigError(
                f"{path}, line {line}: {what} no number in column {names[index]!r}", "mend or cut the line"
            )
        values.append(value)
        lines.append(line)
    if not values:
        raise ConfigError(f"{path} has a header and no values", "give a CSV file with a column of numbers")
    return Column(names[index], values, lines)


def read_times(path: str | Path, column: str = "timestamp") -> list[str] | None:
    """Read the times that stand beside a series, as text.

    Args:
        path: the file, as `read_column` takes it.
        column: the header of the times.

    Returns:
        One text a sample, or None when the file has no such column.

    Raises:
        UsageError, ConfigError: as `read_column`.
    """
    rows = _rows(Path(path))
    _, header = next(rows, (0, []))
    names = [field.strip() for field in header]
    if column not in names:
        return None
    index = names.index(column)
    return [row[index].strip() if index < len(row) else "" for _, row in rows]


def as_integers(column: Column, path: str | Path = "the file", low: int = INT16[0], high: int = INT16[1]) -> array[int]:
    """Take whole numbers as they are (`7` and `7.0`, not `7.5`).

    Args:
        column: as read.
        path: for messages.
        low: the smallest value that fits the sample type, itself included.
        high: the largest value that fits the sample type, itself included.

    Returns:
        array('h') where the range fits it, else array('i').

    Raises:
        ConfigError: a value is no whole number or out of range; its line is named.
    """
    samples = array("h" if INT16[0] <= low and high <= INT16[1] else "i")
    for value, line in zip(column.values, column.lines, strict=True):
        if value.denominator != 1:
            raise ConfigError(
                f"{path}, line {line}: {_text(value)} is not a whole number", "quantise with --range LO HI --bits B"
            )
        if not low <= value <= high:
            raise ConfigError(
                f"{path}, line {line}: {_text(value)} is outside {low} to {high}", "scale with --range LO HI --bits B"
            )
        samples.append(int(value))
    return samples


def quantise(column: Column, low: Fraction, high: Fraction, bits: int, path: str | Path = "the file") -> array[int]:
    """Map low..high onto 0..2^bits - 1: round-half-even((v - low) / (high - low) * (2^bits - 1)); 0 when high = low.

    Exact: the values, the bounds and the rounding are rational arithmetic.

    Args:
        column: as read.
        low: the lower bound, itself included; see `parse_bound`.
        high: the upper bound, itself included.
        bits: 1 to 24.
        path: for messages.

    Returns:
        array('h') for up to 15 bits, else array('i').

    Raises:
        ConfigError: the bounds or bits are nonsense, or a value lies outside; its line is named.
    """
    if high < low:
        raise ConfigError(f"--range {_text(low)} {_text(high)}: LO is above HI", "give LO first")
    if not 1 <= bits <= 24:
        raise ConfigError(f"--bits {bits} is not within 1 to 24", "12 is what most converters give")
    samples = array("h" if bits <= 15 else "i")
    scale = Fraction((1 << bits) - 1) / (high - low) if high > low else Fraction(0)
    for value, line in zip(column.values, column.lines, strict=True):
        if not low <= value <= high:
            raise ConfigError(
                f"{path}, line {line}: {_text(value)} is outside --range {_text(low)} {_text(high)}", "widen the range"
            )
        # Fractions reduce after every operation; whole numbers over one denominator are five times as fast.
        above = (value.numerator * low.denominator - low.numerator * value.denominator) * scale.numerator
        samples.append(_rounded(above, value.denominator * low.denominator * scale.denominator))
    return samples


def parse_bound(text: str) -> Fraction:
    """Turn a bound given as decimal text (`-1.5`, `2e3`) into the exact number it writes.

    Raises:
        UsageError: it is no finite number.
    """
    value = _number(text)
    if value is None:
        raise UsageError(f"{text!r} is not a number", "give --range two numbers, such as --range -2 2")
    return value


def _rounded(numerator: int, denominator: int) -> int:
    """Round numerator / denominator, both not negative, half to even."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole & 1))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line from 1, fields) of the lines that are not empty."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter=";" if ";" in first else ",", skipinitialspace=True)
            for row in reader:
                if any(field.strip() for field in row):
                    yield reader.line_num, row
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", "name a CSV file") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a CSV file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} is not a CSV file of text: {error}", "export it as CSV in UTF-8") from error


def _find(path: str | Path, names: list[str], column: str | int | None) -> int:
    listed = ", ".join(names)
    if column is None:
        if len(names) == 1:
            return 0
        raise UsageError(f"{path} has {len(names)} columns", f"choose one with --column: {listed}")
    text = str(column).strip()
    if text in names:
        return names.index(text)
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    raise UsageError(f"{path} has no column {text!r}", f"it has {listed}" + (", or 0 and up" if len(names) > 1 else ""))


def _number(text: str) -> Fraction | None:
    """Give the exact value of decimal text; None when it is no finite number."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    # Decimal also takes digit groups, other scripts' digits and exponents that would fill the memory.
    if not value.is_finite() or "_" in text or not text.isascii() or abs(value.adjusted()) > 400:
        return None
    return Fraction(value)


def _text(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else repr(float(value))
