"""Options that every verb reading a column of a file shares, and reading the column by them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from kittiwake.errors import UsageError

Column = Annotated[str, typer.Option("--column", "-c", help="Column, by its name or its number from 0.")]
Range = Annotated[
    tuple[str, str] | None,
    typer.Option("--range", metavar="LO HI", help="Quantise: LO becomes 0 and HI becomes 2^B - 1."),
]
Bits = Annotated[int, typer.Option("--bits", help="Bits of a quantised sample.", min=1, max=23)]
Window = Annotated[int, typer.Option("--n", help="Window of the z-score, samples.")]
Threshold = Annotated[str | None, typer.Option("--t", metavar="P/Q", help="Threshold; 5/2 for n up to 20, else 11/2.")]


def threshold(text: str | None, n: int) -> Fraction:
    """Parse a threshold, or give the default for the window.

    Raises:
        UsageError: it is no fraction of whole numbers.
    """
    from kittiwake.detect import default_threshold

    if text is None:
        return default_threshold(n)
    try:
        t = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"threshold {text!r} is not a fraction", "give it as P/Q, such as 5/2") from None
    if t <= 0:
        raise UsageError(f"threshold {text} is not positive", "give it as P/Q, such as 5/2")
    return t


def read(path: Path, column: str, range_: tuple[str, str] | None, bits: int):
    """Read a column as int16 samples, quantised when a range is given. Raises KittiwakeError with the line at fault."""
    from kittiwake import series

    values = series.read_column(path, column)
    if range_ is None:
        return series.as_integers(values, path)
    low, high = (series.parse_bound(text) for text in range_)
    return series.quantise(values, low, high, bits, path)
