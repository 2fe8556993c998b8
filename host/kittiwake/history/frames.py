"""What a history answers with, as pandas frames. It knows columns; what is asked is `asking`'s.

Integers stay exact: sums, which may have more than 63 bits, are Python's own in columns of objects, and a column in
which an integer is absent here and there is one of pandas's integers with gaps, not one of doubles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kittiwake.errors import ConfigError
from kittiwake.history import rollups
from kittiwake.history.answers import Message
from kittiwake.history.export import fields

if TYPE_CHECKING:
    import pandas

_TIME = "datetime64[ms, UTC]"
# Column -> its type in pandas.
_FIGURES = {
    "ts": _TIME,
    "width_s": "int64",
    "unit": "object",
    "n": "int64",
    "mean": "float64",
    "stdev": "float64",
    "low": "float64",
    "high": "float64",
    "anomalies": "int64",
    "s": "object",
    "q": "object",
    "min": "int64",
    "max": "int64",
}
_MESSAGE = {
    "device": "object",
    "journal": "object",
    "seq": "int64",
    "kind": "object",
    "channel": "object",
    "ts": _TIME,
    "is_repaired": "bool",
    "arrived": _TIME,
}
_INT64 = 1 << 63


def figures_frame(buckets: Iterable[rollups.Bucket]) -> pandas.DataFrame:
    """Make a frame of figures, a row a bucket.

    Args:
        buckets: as `History.summaries` gives them.

    Returns:
        Columns ts (start, UTC), width_s, unit, n, mean, stdev, low, high, anomalies, and in LSB s, q, min, max.

    Raises:
        ConfigError: pandas is not installed.
    """
    rows = [fields("", bucket) for bucket in buckets]
    return _frame({name: [row[name] for row in rows] for name in _FIGURES}, _FIGURES)


def messages_frame(messages: Iterable[Message]) -> pandas.DataFrame:
    """Make a frame of records, a row each.

    Args:
        messages: as `History.messages` or `History.between` gives them.

    Returns:
        Columns device, journal, seq, kind, channel, ts (UTC, repaired or not), is_repaired, arrived, and one for every
        other field that a message has, in the order in which they come; what a message does not have is missing.

    Raises:
        ConfigError: pandas is not installed.
    """
    rows = list(messages)
    bodies = [row.body for row in rows]
    columns: dict[str, list[object]] = {name: [getattr(row, name) for row in rows] for name in _MESSAGE}
    others = dict.fromkeys(name for body in bodies for name in body if name not in _MESSAGE)
    columns |= {name: [body.get(name) for body in bodies] for name in others}
    return _frame(columns, {**{name: _type_of(columns[name]) for name in others}, **_MESSAGE})


def _frame(columns: Mapping[str, Sequence[object]], types: Mapping[str, str]) -> pandas.DataFrame:
    if find_spec("pandas") is None:
        raise ConfigError("a frame needs pandas", "pip install 'kittiwake[pandas]'")
    import pandas

    return pandas.DataFrame({name: pandas.Series(values, dtype=types[name]) for name, values in columns.items()})


def _type_of(values: Sequence[object]) -> str:
    """The type of a message's field, which has one JSON type in every kind of message (docs/spec/mqtt.md)."""
    kinds = {type(value) for value in values if value is not None}
    has_gaps = None in values
    if kinds == {int} and all(-_INT64 <= value < _INT64 for value in values if isinstance(value, int)):
        return "Int64" if has_gaps else "int64"
    if kinds == {float}:
        return "float64"
    if kinds == {bool}:
        return "boolean" if has_gaps else "bool"
    return "object"
