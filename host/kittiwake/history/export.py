"""A history as Parquet, for whoever analyses elsewhere: figures of a channel, and the records of finished days.

It knows files and columns; what is asked is `asking`'s. Decimals hold the sums, which may have more than 63 bits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.history import rollups
from kittiwake.history.answers import Message
from kittiwake.history.asking import History
from kittiwake.history.merge import SUMMARY

_GROUP_ROWS = 20_000
# Column -> its type's name in pyarrow, of records and of figures.
_SUMS = {"n": "int64", "s": "sum", "q": "sum", "min": "int64", "max": "int64", "anomalies": "int64"}
_RECORD = {
    "device": "string",
    "journal": "string",
    "seq": "int64",
    "kind": "string",
    "channel": "string",
    "ts": "time",
    "is_repaired": "bool",
    "arrived": "time",
    "boot": "int64",
    "uptime_ms": "int64",
    "value": "double",
    "unit": "string",
    **_SUMS,
    "payload": "string",
}
_FIGURES = {
    "ts": "time",
    "width_s": "int64",
    "channel": "string",
    "unit": "string",
    "n": "int64",
    "mean": "double",
    "stdev": "double",
    "low": "double",
    "high": "double",
    **_SUMS,
}


@dataclass(frozen=True)
class Day:
    """A finished day and its file.

    Attributes:
        path: of the file.
        records: in it.
        is_new: written now; else it was there, with as many.
    """

    path: Path
    records: int
    is_new: bool


def fields(channel: str, bucket: rollups.Bucket) -> dict[str, object]:
    """Give a bucket as plain values, of the names that JSON, CSV and Parquet have.

    Args:
        channel: its name.
        bucket: of that channel.
    """
    s = bucket.sums
    return {
        "ts": bucket.start,
        "width_s": bucket.width_s,
        "channel": channel,
        "unit": bucket.unit,
        "n": s.n,
        "mean": bucket.mean,
        "stdev": bucket.stdev,
        "low": bucket.low,
        "high": bucket.high,
        "anomalies": s.anomalies,
        "s": s.s,
        "q": s.q,
        "min": s.least,
        "max": s.most,
    }


def write_figures(path: Path, lines: Iterable[tuple[str, rollups.Bucket]]) -> None:
    """Write buckets as a Parquet file.

    Args:
        path: of the file; what is there is replaced.
        lines: channel and bucket each.

    Raises:
        ConfigError: pyarrow is not installed.
        KittiwakeError: the file cannot be written.
    """
    _write(path, _FIGURES, (fields(channel, bucket) for channel, bucket in lines))


def write_days(history: History, folder: Path, now: datetime) -> Iterator[Day]:
    """Write the records of each day (UTC) that is over, a file a day; one that came to have more is written anew.

    Args:
        history: to ask.
        folder: for the files, DATE.parquet; made when it is not there.
        now: the time now.

    Yields:
        Each day when its file is there.

    Raises:
        ConfigError: pyarrow is not installed.
        KittiwakeError: a file cannot be written.
    """
    _check()
    import pyarrow.parquet

    for day, records in history.days():
        if day >= now.astimezone(UTC).date():
            continue
        path = folder / f"{day.isoformat()}.parquet"
        is_new = not path.exists() or pyarrow.parquet.read_metadata(path).num_rows != records
        if is_new:
            start = datetime.combine(day, time(), UTC)
            _write(path, _RECORD, map(_record, history.between(start, start + timedelta(days=1))))
        yield Day(path, records, is_new)


def _record(m: Message) -> dict[str, object]:
    summary = rollups.of_summary(m.body) if m.kind == SUMMARY else None
    sums = summary[0] if summary is not None else (None,) * len(_SUMS)
    value = m.body.get("mean") if m.kind == SUMMARY else m.body.get("value")
    unit = m.body.get("unit")
    return {
        "device": m.device,
        "journal": m.journal,
        "seq": m.seq,
        "kind": m.kind,
        "channel": m.channel,
        "ts": m.ts,
        "is_repaired": m.is_repaired,
        "arrived": m.arrived,
        "boot": m.body["boot"],
        "uptime_ms": m.body["uptime_ms"],
        "payload": m.payload,
        "value": float(value) if isinstance(value, (int, float)) else None,
        "unit": unit if isinstance(unit, str) else None,
        **dict(zip(_SUMS, sums, strict=True)),
    }


def _check() -> None:
    if find_spec("pyarrow") is None:
        raise ConfigError("Parquet needs pyarrow", "pip install 'kittiwake[parquet]'")


def _write(path: Path, columns: Mapping[str, str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a file in groups of rows, so that memory is bounded; it is there whole or not at all."""
    _check()
    import pyarrow
    import pyarrow.parquet

    types = {
        "string": pyarrow.string(),
        "int64": pyarrow.int64(),
        "double": pyarrow.float64(),
        "bool": pyarrow.bool_(),
        "time": pyarrow.timestamp("ms", "UTC"),
        "sum": pyarrow.decimal128(38, 0),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    decimals = [name for name, kind in columns.items() if kind == "sum"]
    partial = path.with_name(f".{path.name}.part")
    remaining = iter(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pyarrow.parquet.ParquetWriter(partial, schema, compression="zstd") as writer:
            while group := list(islice(remaining, _GROUP_ROWS)):
                writer.write_table(pyarrow.Table.from_pylist([_exact(row, decimals) for row in group], schema=schema))
        os.replace(partial, path)
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):  # the first error says more
            partial.unlink(missing_ok=True)


def _exact(row: Mapping[str, object], decimals: Sequence[str]) -> dict[str, object]:
    """The row with its sums as decimals: pyarrow takes no integer of more than 64 bits."""
    return {**row, **{name: Decimal(value) for name in decimals if isinstance(value := row[name], int)}}
