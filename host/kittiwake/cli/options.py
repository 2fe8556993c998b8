"""Options that every verb reading a column of a file shares, and reading the column by them."""

from __future__ import annotations

from array import array
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from kittiwake.errors import UsageError

Column = Annotated[str, typer.Option("--column", "-c", help="Column, by its name or its number from 0.")]
Range = Annotated[
    tuple[str, str] | None,
    typer.Option("--range", metavar="LO HI", help="Quantise: LO becomes 0 and HI becomes 2^B - 1."),
]
Bits = Annotated[int, typer.Option("--bits", help="Bits of a quantised sample.", min=1, max=23)]
Window = Annotated[int | None, typer.Option("--n", help="Window of the z-score, samples: 256 where nothing is said.")]
Threshold = Annotated[
    str | None, typer.Option("--t", metavar="P/Q", help="Threshold; of a z-score 5/2 for n up to 20, else 11/2.")
]
Detector = Annotated[str, typer.Option(help="Which detector: zscore, drift, novelty or baseline.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the detector, e.g. sensitivity=120; repeat it."),
]
_WINDOW = 256


def threshold(text: str | None, n: int) -> Fraction:
    """Parse a threshold, or give the default for the window.

    Args:
        text: P/Q; None for the default.
        n: window, samples.

    Raises:
        UsageError: it is no fraction of whole numbers.
    """
    from kittiwake.runs.detect import default_threshold

    if text is None:
        return default_threshold(n)
    try:
        t = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"threshold {text!r} is not a fraction", "give it as P/Q, such as 5/2") from None
    if t <= 0:
        raise UsageError(f"threshold {text} is not positive", "give it as P/Q, such as 5/2")
    return t


def detector(kind: str, n: int | None, t: str | None, settings: list[str] | None) -> dict[str, Any]:
    """Form a detector's settings as a node's configuration has them; the firmware checks them.

    Args:
        kind: of the detector.
        n: window, samples; None where nothing is said.
        t: threshold; None where nothing is said.
        settings: NAME=VALUE each.

    Raises:
        UsageError: a setting is not NAME=VALUE, or the threshold no fraction.
    """
    form: dict[str, Any] = {"kind": kind}
    for text in settings or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {text!r} is not NAME=VALUE", "give it as in --set patience=50")
        form[name] = int(value) if value.lstrip("-").isdigit() else value
    if n is not None:
        form["n"] = n
    if kind == "zscore":
        form.setdefault("n", _WINDOW)
    if t is not None or kind == "zscore":
        fraction = threshold(t, form["n"] if kind == "zscore" else 0)
        form.setdefault("t", f"{fraction.numerator}/{fraction.denominator}")
    return form


def read(path: Path, column: str, range_: tuple[str, str] | None, bits: int) -> array[int]:
    """Read a column as int16 samples, quantised when a range is given.

    Args:
        path: of the file.
        column: its name or number.
        range_: what becomes 0 and 2^bits - 1; None for whole numbers as they are.
        bits: of a quantised sample.

    Raises:
        KittiwakeError: names the line at fault.
    """
    from kittiwake.signals import csv_column

    values = csv_column.read_column(path, column)
    if range_ is None:
        return csv_column.as_integers(values, path)
    low, high = (csv_column.parse_bound(text) for text in range_)
    return csv_column.quantise(values, low, high, bits, path)
