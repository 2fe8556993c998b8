"""The SQLite sink: batches of rows into one file, each record once, roll-ups and repaired times with them.

One transaction a batch. The file is in WAL mode and every commit reaches the disk (synchronous = FULL), so what the
broker was told to forget survives a power cut.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.history import rollups, schema
from kittiwake.history.row import Row

_BUSY_S = 10.0
_KEYS_A_QUESTION = 150  # of five variables at most; SQLite takes 999 in its oldest configurations
# Of a bucket: journal, channel, width, start, calibration.
_Key = tuple[int, str, int, int, int]
_SUMMARY = "summary"
_TS_MOST_MS = 253402300799999  # the end of year 9999, beyond which no time can be written


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


class SqliteStore:
    """A history in a file, to write. Not for several threads at a time.

    Args:
        path: of the file; made when it is not there.

    Raises:
        KittiwakeError: it cannot be opened, or is no history of this version.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            # Before anything is written: a file of another program's must stay as it is.
            schema.check(self._db, str(path))
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            schema.prepare(self._db, str(path))
        except sqlite3.Error as error:
            raise KittiwakeError(f"{path} cannot be opened: {error}", "see docs/howto/history.md") from error
        self._journals: dict[tuple[str, str], int] = {}
        self._calibrations: dict[rollups.Calibration, int] = {}

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()

    def write(self, rows: Sequence[Row], arrived_ms: int) -> Written:
        """Put rows in, all or none; when this returns they are on the disk.

        Args:
            rows: in any order, repetitions included.
            arrived_ms: UTC in milliseconds since 1970.

        Returns:
            What became of them.

        Raises:
            KittiwakeError: the file could not be written; nothing was, and the same rows may be tried again.
        """
        try:
            self._db.execute("BEGIN IMMEDIATE")
            written = self._write(rows, arrived_ms)
            self._db.execute("COMMIT")
        except (sqlite3.Error, OverflowError) as error:
            self._journals.clear()
            self._calibrations.clear()
            with contextlib.suppress(sqlite3.Error):  # the first error says more
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            raise KittiwakeError(f"{self._path} cannot be written: {error}", "free space there") from error
        return written

    def _write(self, rows: Sequence[Row], arrived_ms: int) -> Written:
        written = Written()
        new: list[tuple[int, Row]] = []
        numbered = [(self._journal(row.device, row.journal), row) for row in rows]
        known = self._known([(journal, row.seq) for journal, row in numbered])
        for journal, row in numbered:
            payload = known.get((journal, row.seq))
            if payload is None:
                known[journal, row.seq] = row.payload
                new.append((journal, row))
            else:
                written.known += payload == row.payload
                written.altered += payload != row.payload
        self._db.executemany(
            "INSERT INTO records (journal_id, seq, kind, channel, ts_ms, boot, uptime_ms, arrived_ms, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (journal, r.seq, r.kind, r.channel, r.ts_ms, r.boot, r.uptime_ms, arrived_ms, r.payload)
                for journal, r in new
            ],
        )
        written.new = len(new)
        self._roll_up((journal, row.channel, row.ts_ms, row.body) for journal, row in new if row.kind == _SUMMARY)
        boots = {(journal, row.boot) for journal, row in new if row.ts_ms is None}
        for journal, boot in boots | self._learn(new):
            written.repaired += self._repair(journal, boot)
        return written

    def _learn(self, new: Sequence[tuple[int, Row]]) -> set[tuple[int, int]]:
        """Keep of each boot what its first record with a time of its own says; returns the boots that it changes."""
        first: dict[tuple[int, int], tuple[int, int]] = {}
        for journal, row in new:
            if row.ts_ms is not None:
                known = row.seq, row.ts_ms - row.uptime_ms
                first[journal, row.boot] = min(known, first.get((journal, row.boot), known))
        return {
            boot
            for boot, (seq, epoch_ms) in first.items()
            if self._db.execute(
                "INSERT INTO boots VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET seq = excluded.seq, epoch_ms = excluded.epoch_ms WHERE excluded.seq < seq",
                (*boot, seq, epoch_ms),
            ).rowcount
        }

    def _known(self, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """What is there already of these records: key -> payload."""
        question = "SELECT journal_id, seq, payload FROM asked CROSS JOIN records ON journal_id = a AND seq = b"
        return {(journal, seq): payload for journal, seq, payload in self._asked("a, b", question, keys)}

    def _asked(self, names: str, question: str, keys: Sequence[tuple[object, ...]]) -> Iterator[tuple[Any, ...]]:
        """Ask about many keys: rows of a question in which they are the table `asked`, with columns of these names.

        CROSS JOIN keeps the order of the tables: a look-up a key, and never a walk through all of the other one.
        """
        for at in range(0, len(keys), _KEYS_A_QUESTION):
            part = keys[at : at + _KEYS_A_QUESTION]
            marks = ", ".join([f"({', '.join('?' * len(part[0]))})"] * len(part))
            values = [value for key in part for value in key]
            yield from self._db.execute(f"WITH asked ({names}) AS (VALUES {marks}) {question}", values)

    def _journal(self, device: str, journal: str) -> int:
        key = device, journal
        number = self._journals.get(key)
        if number is None:
            self._db.execute("INSERT INTO journals (device, journal) VALUES (?, ?) ON CONFLICT DO NOTHING", key)
            (number,) = self._db.execute("SELECT id FROM journals WHERE device = ? AND journal = ?", key).fetchone()
            self._journals[key] = int(number)
        return self._journals[key]

    def _calibration(self, calibration: rollups.Calibration) -> int:
        if calibration not in self._calibrations:
            values = calibration.unit, calibration.scale, calibration.offset
            self._db.execute(
                'INSERT INTO calibrations (unit, scale, "offset") VALUES (?, ?, ?) ON CONFLICT DO NOTHING', values
            )
            (number,) = self._db.execute(
                'SELECT id FROM calibrations WHERE unit = ? AND scale = ? AND "offset" = ?', values
            ).fetchone()
            self._calibrations[calibration] = int(number)
        return self._calibrations[calibration]

    def _roll_up(self, summaries: Iterable[tuple[int, str, int | None, dict[str, object]]]) -> None:
        """Add summaries that have a time to the buckets that they lie in."""
        sums: dict[_Key, rollups.Sums] = {}
        for journal, channel, ts_ms, body in summaries:
            summary = rollups.of_summary(body)
            if ts_ms is None or summary is None:
                continue
            width_s = rollups.WIDTHS_S[0]
            key = journal, channel, width_s, rollups.start_of(ts_ms, width_s), self._calibration(summary[1])
            sums[key] = sums.get(key, rollups.Sums()) + summary[0]
        # Each width is a multiple of the one before.
        for (journal, channel, _, start_s, calibration), total in list(sums.items()):
            for width_s in rollups.WIDTHS_S[1:]:
                key = journal, channel, width_s, rollups.start_of(start_s * 1000, width_s), calibration
                sums[key] = sums.get(key, rollups.Sums()) + total
        before = self._buckets(list(sums))
        self._put({key: before.get(key, rollups.Sums()) + added for key, added in sums.items()})

    def _buckets(self, keys: Sequence[_Key]) -> dict[_Key, rollups.Sums]:
        """What buckets hold, of those that are there."""
        question = (
            "SELECT journal_id, channel, width_s, start_s, calibration_id, n, s, q, least, most, anomalies"
            " FROM asked CROSS JOIN rollups ON journal_id = a AND channel = b AND width_s = c AND start_s = d"
            " AND calibration_id = e"
        )
        rows = self._asked("a, b, c, d, e", question, keys)
        return {row[:5]: rollups.Sums(*(int(value) for value in row[5:])) for row in rows}

    def _put(self, sums: Mapping[_Key, rollups.Sums]) -> None:
        """Let buckets hold these sums."""
        self._db.executemany(
            "INSERT OR REPLACE INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*key, t.n, str(t.s), str(t.q), t.least, t.most, t.anomalies) for key, t in sums.items()],
        )

    def _repair(self, journal: int, boot: int) -> int:
        """Give the records of a boot that came without a time the one that its first record with a time stands for."""
        epoch = self._db.execute(
            "SELECT epoch_ms FROM boots WHERE journal_id = ? AND boot = ?", (journal, boot)
        ).fetchone()
        if epoch is None:
            return 0
        records = self._db.execute(
            "SELECT seq, channel, kind, ts_ms, uptime_ms, payload FROM records INDEXED BY records_without_time"
            " WHERE journal_id = ? AND boot = ? AND (ts_ms IS NULL OR is_repaired)"
            " AND ts_ms IS NOT uptime_ms + ? AND uptime_ms + ? BETWEEN 0 AND ?",
            (journal, boot, epoch[0], epoch[0], _TS_MOST_MS),
        ).fetchall()
        self._db.executemany(
            "UPDATE records SET ts_ms = ?, is_repaired = 1 WHERE journal_id = ? AND seq = ?",
            [(uptime_ms + epoch[0], journal, seq) for seq, _, _, _, uptime_ms, _ in records],
        )
        moved = [entry for entry in records if entry[2] == _SUMMARY]
        fresh = [entry for entry in moved if entry[3] is None]
        self._roll_up((journal, c, uptime + epoch[0], _body(text)) for _, c, _, _, uptime, text in fresh)
        # An earlier record with a time came late, and what a later one repaired moves: minima cannot be taken back.
        for width_s in rollups.WIDTHS_S:
            spans = {
                (channel, rollups.start_of(at, width_s))
                for _, channel, _, before, uptime, _ in moved
                if before is not None
                for at in (before, uptime + epoch[0])
            }
            for channel, start_s in spans:
                self._make_again(journal, channel, width_s, start_s)
        return len(records)

    def _make_again(self, journal: int, channel: str, width_s: int, start_s: int) -> None:
        """Make one bucket from its records."""
        where = (journal, channel, start_s * 1000, (start_s + width_s) * 1000)
        self._db.execute(
            "DELETE FROM rollups WHERE journal_id = ? AND channel = ? AND width_s = ? AND start_s = ?",
            (journal, channel, width_s, start_s),
        )
        sums: dict[_Key, rollups.Sums] = {}
        for (text,) in self._db.execute(
            "SELECT payload FROM records WHERE journal_id = ? AND kind = 'summary' AND channel = ?"
            " AND ts_ms >= ? AND ts_ms < ?",
            where,
        ).fetchall():
            summary = rollups.of_summary(_body(text))
            if summary is not None:
                key = journal, channel, width_s, start_s, self._calibration(summary[1])
                sums[key] = sums.get(key, rollups.Sums()) + summary[0]
        self._put(sums)


def _body(text: str) -> dict[str, object]:
    body: dict[str, object] = json.loads(text)
    return body
