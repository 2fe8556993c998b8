"""What follows from rows that are new in a store: roll-ups, channels, and times for records that came without one.

It knows no database: a store offers its tables as `Tables`, and calls this in the transaction that inserts the rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from kittiwake.history import rollups
from kittiwake.history.row import TS_MOST_MS, Row

SUMMARY = "summary"


@dataclass
class Written:
    """What became of rows.

    Attributes:
        new: rows that were not there.
        known: copies of rows that were, and say the same.
        altered: copies that say something else; the first is kept.
        repaired: rows that got their time.
    """

    new: int = 0
    known: int = 0
    altered: int = 0
    repaired: int = 0


class NewRow(NamedTuple):
    """A row that a store has just inserted, and the numbers that it has for the row's journal and stream."""

    journal: int
    stream: int
    row: Row


class BucketKey(NamedTuple):
    """Which bucket: a stream, a width, a start and the number of a calibration."""

    stream: int
    width_s: int
    start_s: int
    calibration: int


class BootKey(NamedTuple):
    """A start of a board, of one journal."""

    journal: int
    boot: int


class FirstTime(NamedTuple):
    """A boot's first record that came with a time of its own, and the UTC of the boot's zero that it stands for."""

    seq: int
    epoch_ms: int


class Movable(NamedTuple):
    """A record whose time is not the one that its boot's first time stands for, though it has none of its own."""

    seq: int
    stream: int
    kind: str
    ts_ms: int | None
    uptime_ms: int
    payload: str


class Tables(Protocol):
    """A store's tables, within a transaction."""

    def calibration(self, calibration: rollups.Calibration) -> int:
        """Give the number of a calibration."""

    def learn(self, times: Mapping[BootKey, FirstTime]) -> set[BootKey]:
        """Keep first times of boots where none of an earlier record is kept; returns the boots that this changed."""

    def describe(self, new: Sequence[NewRow]) -> None:
        """Keep which record says each description first, where none of an earlier record is kept."""

    def epoch_ms(self, boot: BootKey) -> int | None:
        """Give the kept epoch of a boot."""

    def movable(self, boot: BootKey, epoch_ms: int) -> list[Movable]:
        """Give the records of a boot that came without a time and do not have the one of this epoch."""

    def set_times(self, journal: int, times: Sequence[tuple[int, int]]) -> None:
        """Repair records, (seq, ts_ms) each."""

    def add(self, sums: Mapping[BucketKey, rollups.Sums]) -> None:
        """Add to buckets."""

    def drop_buckets(self, stream: int, width_s: int, start_s: int) -> None:
        """Remove the buckets of a span, of every calibration."""

    def payloads(self, stream: int, start_ms: int, end_ms: int) -> Iterable[str]:
        """Give the payloads of a stream's records with a time in a span."""


def merge(tables: Tables, new: Sequence[NewRow]) -> int:
    """Bring roll-ups, channels and times up to date.

    Args:
        tables: which hold the new rows already.
        new: the rows.

    Returns:
        How many records got their time.
    """
    summaries = ((stream, row.ts_ms, row.body) for _, stream, row in new if row.kind == SUMMARY)
    tables.add(_sums(tables, summaries))
    changed = tables.learn(first_times(new))
    tables.describe(new)
    untimed = {BootKey(journal, row.boot) for journal, _, row in new if row.ts_ms is None}
    return sum(_repair(tables, boot) for boot in sorted(changed | untimed))


def first_times(new: Iterable[NewRow]) -> dict[BootKey, FirstTime]:
    """Give of each boot what the first of its rows with a time of its own says."""
    first: dict[tuple[int, int], Row] = {}
    for journal, _, row in new:
        if row.ts_ms is not None:
            known = first.setdefault((journal, row.boot), row)
            if row.seq < known.seq:
                first[journal, row.boot] = row
    times = {}
    for key, row in first.items():
        if row.ts_ms is not None:
            times[BootKey(*key)] = FirstTime(row.seq, row.ts_ms - row.uptime_ms)
    return times


def _sums(
    tables: Tables, summaries: Iterable[tuple[int, int | None, dict[str, object]]]
) -> dict[BucketKey, rollups.Sums]:
    """Sums of the buckets that summaries (stream, time, message) lie in; those without a time lie in none."""
    parts: dict[tuple[int, int, rollups.Calibration], list[rollups.Sums]] = {}
    width_s = rollups.WIDTHS_S[0]
    width_ms = width_s * 1000
    for stream, ts_ms, body in summaries:
        summary = rollups.of_summary(body)
        if ts_ms is not None and summary is not None:
            parts.setdefault((stream, ts_ms // width_ms, summary[1]), []).append(summary[0])
    sums = {
        BucketKey(stream, width_s, number * width_s, tables.calibration(calibration)): rollups.total(each)
        for (stream, number, calibration), each in parts.items()
    }
    for wider_s in rollups.WIDTHS_S[1:]:  # each is a multiple of the first
        wide: dict[BucketKey, list[rollups.Sums]] = {}
        for (stream, narrow_s, start_s, calibration), part in sums.items():
            if narrow_s == width_s:
                key = BucketKey(stream, wider_s, rollups.start_of(start_s * 1000, wider_s), calibration)
                wide.setdefault(key, []).append(part)
        sums |= {key: rollups.total(each) for key, each in wide.items()}
    return sums


def _repair(tables: Tables, boot: BootKey) -> int:
    """Give the records of a boot that came without a time the one that its first record with a time stands for."""
    epoch_ms = tables.epoch_ms(boot)
    if epoch_ms is None:
        return 0
    records = [at for at in tables.movable(boot, epoch_ms) if 0 <= at.uptime_ms + epoch_ms <= TS_MOST_MS]
    if not records:
        return 0
    tables.set_times(boot.journal, [(at.seq, at.uptime_ms + epoch_ms) for at in records])
    moved = [at for at in records if at.kind == SUMMARY]
    fresh = ((at.stream, at.uptime_ms + epoch_ms, _body(at.payload)) for at in moved if at.ts_ms is None)
    tables.add(_sums(tables, fresh))
    # An earlier record with a time came late, and what a later one repaired moves: minima cannot be taken back.
    for width_s in rollups.WIDTHS_S:
        spans = {
            (at.stream, rollups.start_of(ts_ms, width_s))
            for at in moved
            if at.ts_ms is not None
            for ts_ms in (at.ts_ms, at.uptime_ms + epoch_ms)
        }
        for stream, start_s in sorted(spans):
            _make_again(tables, stream, width_s, start_s)
    return len(records)


def _make_again(tables: Tables, stream: int, width_s: int, start_s: int) -> None:
    """Make one bucket from its records."""
    tables.drop_buckets(stream, width_s, start_s)
    parts: dict[BucketKey, list[rollups.Sums]] = {}
    for text in tables.payloads(stream, start_s * 1000, (start_s + width_s) * 1000):
        summary = rollups.of_summary(_body(text))
        if summary is not None:
            key = BucketKey(stream, width_s, start_s, tables.calibration(summary[1]))
            parts.setdefault(key, []).append(summary[0])
    tables.add({key: rollups.total(each) for key, each in parts.items()})


def _body(text: str) -> dict[str, object]:
    body: dict[str, object] = json.loads(text)
    return body
