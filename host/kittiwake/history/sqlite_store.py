"""The SQLite sink: batches of rows into one file, each record once, roll-ups and repaired times with them.

One transaction a batch. The file is in WAL mode and every commit reaches the disk (synchronous = FULL), so what the
broker was told to forget survives a power cut. Where every row of a batch is new, which is how it mostly is, nothing is
looked up.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.history import rollups, sqlite_retention, sqlite_schema
from kittiwake.history.described import Descriptions
from kittiwake.history.merge import BootKey, BucketKey, FirstTime, Movable, NewRow, Written, merge
from kittiwake.history.retention import Dropped, Policy
from kittiwake.history.row import Row, class_of

_BUSY_S = 10.0
_KEYS_A_QUESTION = 150  # of four variables at most; SQLite takes 999 in its oldest configurations
_CACHED = 100_000  # boots; beyond it they are asked for again
_INSERT = (
    "INSERT INTO records (journal_id, seq, stream_id, ts_ms, boot, uptime_ms, arrived_ms, payload)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


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
            sqlite_schema.check(self._db, str(path))
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            sqlite_schema.prepare(self._db, str(path))
        except sqlite3.Error as error:
            raise KittiwakeError(f"{path} cannot be opened: {error}", "see docs/howto/history.md") from error
        self._tables = _SqliteTables(self._db)

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
            self._tables = _SqliteTables(self._db)  # what it knew may have been rolled back
            with contextlib.suppress(sqlite3.Error):  # the first error says more
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            raise KittiwakeError(f"{self._path} cannot be written: {error}", "free space there") from error
        return written

    def retain(self, policy: Policy, now_ms: int) -> Dropped:
        """Take out what goes first, a bounded number of records; call it again until it is done.

        Args:
            policy: what stays.
            now_ms: UTC in milliseconds since 1970.

        Returns:
            What went.

        Raises:
            KittiwakeError: the file could not be written; nothing went.
        """
        try:
            return sqlite_retention.step(self._db, self._path, policy, now_ms)
        except (sqlite3.Error, OSError) as error:
            raise KittiwakeError(f"{self._path} cannot be written: {error}", "free space there") from error

    def _write(self, rows: Sequence[Row], arrived_ms: int) -> Written:
        tables = self._tables
        numbered = [NewRow(*tables.stream(row), row) for row in rows]
        written, new = Written(), numbered
        self._db.execute("SAVEPOINT insertion")
        if self._insert(numbered, arrived_ms) < len(numbered):
            self._db.execute("ROLLBACK TO insertion")
            new = tables.unknown(numbered, written)
            self._insert(new, arrived_ms)
        self._db.execute("RELEASE insertion")
        written.new = len(new)
        written.repaired = merge(tables, new)
        return written

    def _insert(self, numbered: Sequence[NewRow], arrived_ms: int) -> int:
        values = [
            (journal, row.seq, stream, row.ts_ms, row.boot, row.uptime_ms, arrived_ms, row.payload)
            for journal, stream, row in numbered
        ]
        return self._db.executemany(_INSERT, values).rowcount


class _SqliteTables:
    """The tables of a file, within a transaction; see `merge.Tables`. It remembers numbers, which never change."""

    def __init__(self, db: sqlite3.Connection):
        self._db = db
        self._streams: dict[tuple[str, str, str, str], tuple[int, int]] = {}
        self._calibrations: dict[rollups.Calibration, int] = {}
        self._boots: dict[BootKey, int] = {}
        self._descriptions = Descriptions()

    def stream(self, row: Row) -> tuple[int, int]:
        """Give the numbers of a row's journal and stream."""
        key = row.device, row.journal, row.kind, row.channel
        if key not in self._streams:
            journal = self._number("journals", {"device": row.device, "journal": row.journal})
            stream = {"journal_id": journal, "kind": row.kind, "channel": row.channel, "class": class_of(row.kind)}
            self._streams[key] = journal, self._number("streams", stream)
        return self._streams[key]

    def unknown(self, rows: Sequence[NewRow], written: Written) -> list[NewRow]:
        """Give the rows that are not there, each once, and count the others."""
        question = "SELECT journal_id, seq, payload FROM asked CROSS JOIN records ON journal_id = a AND seq = b"
        keys = [(journal, row.seq) for journal, _, row in rows]
        payloads = {(journal, seq): payload for journal, seq, payload in self._asked("a, b", question, keys)}
        new = []
        for at in rows:
            key = at.journal, at.row.seq
            if key not in payloads:
                payloads[key] = at.row.payload
                new.append(at)
            else:
                written.known += payloads[key] == at.row.payload
                written.altered += payloads[key] != at.row.payload
        return new

    def calibration(self, calibration: rollups.Calibration) -> int:
        if calibration not in self._calibrations:
            self._calibrations[calibration] = self._number("calibrations", calibration._asdict())
        return self._calibrations[calibration]

    def learn(self, times: Mapping[BootKey, FirstTime]) -> set[BootKey]:
        if len(self._boots) > _CACHED:
            self._boots.clear()
        changed = set()
        for boot, (seq, epoch_ms) in times.items():
            if self._boots.get(boot, seq + 1) <= seq:
                continue
            if self._db.execute(
                "INSERT INTO boots VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET seq = excluded.seq, epoch_ms = excluded.epoch_ms WHERE excluded.seq < seq",
                (*boot, seq, epoch_ms),
            ).rowcount:
                changed.add(boot)
            self._boots[boot] = seq
        return changed

    def describe(self, new: Sequence[NewRow]) -> None:
        first = self._descriptions.unknown(new)
        self._db.executemany(
            "INSERT INTO descriptions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq,"
            " uptime_ms = excluded.uptime_ms, ts_ms = excluded.ts_ms WHERE excluded.seq < seq",
            [(*key, *said) for key, said in first.items()],
        )

    def epoch_ms(self, boot: BootKey) -> int | None:
        row = self._db.execute("SELECT epoch_ms FROM boots WHERE journal_id = ? AND boot = ?", boot).fetchone()
        return None if row is None else int(row[0])

    def movable(self, boot: BootKey, epoch_ms: int) -> list[Movable]:
        rows = self._db.execute(
            "SELECT seq, stream_id, kind, ts_ms, uptime_ms, payload FROM records INDEXED BY records_without_time"
            " JOIN streams ON streams.id = stream_id WHERE records.journal_id = ? AND boot = ?"
            " AND (ts_ms IS NULL OR is_repaired) AND ts_ms IS NOT uptime_ms + ?",
            (*boot, epoch_ms),
        )
        return [Movable(*row) for row in rows]

    def set_times(self, journal: int, times: Sequence[tuple[int, int]]) -> None:
        self._db.executemany(
            "UPDATE records SET ts_ms = ?, is_repaired = 1 WHERE journal_id = ? AND seq = ?",
            [(ts_ms, journal, seq) for seq, ts_ms in times],
        )

    def add(self, sums: Mapping[BucketKey, rollups.Sums]) -> None:
        question = (
            "SELECT stream_id, width_s, start_s, calibration_id, n, s, q, least, most, anomalies FROM asked"
            " CROSS JOIN rollups ON stream_id = a AND width_s = b AND start_s = c AND calibration_id = d"
        )
        before = {
            BucketKey(*row[:4]): rollups.Sums(*(int(value) for value in row[4:]))
            for row in self._asked("a, b, c, d", question, list(sums))
        }
        totals = {key: rollups.total([before[key], part]) if key in before else part for key, part in sums.items()}
        self._db.executemany(
            "INSERT OR REPLACE INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(*key, t.n, str(t.s), str(t.q), t.least, t.most, t.anomalies) for key, t in totals.items()],
        )

    def drop_buckets(self, stream: int, width_s: int, start_s: int) -> None:
        self._db.execute(
            "DELETE FROM rollups WHERE stream_id = ? AND width_s = ? AND start_s = ?", (stream, width_s, start_s)
        )

    def payloads(self, stream: int, start_ms: int, end_ms: int) -> Iterable[str]:
        rows = self._db.execute(
            "SELECT payload FROM records WHERE stream_id = ? AND coalesce(ts_ms, arrived_ms) >= ?"
            " AND coalesce(ts_ms, arrived_ms) < ? AND ts_ms IS NOT NULL",
            (stream, start_ms, end_ms),
        ).fetchall()
        return [text for (text,) in rows]

    def _number(self, table: str, values: Mapping[str, object]) -> int:
        """Give the id of what is in a table once, inserted where it is not there."""
        names = [f'"{name}"' for name in values]
        self._db.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT DO NOTHING",
            tuple(values.values()),
        )
        where = " AND ".join(f"{name} = ?" for name in names)
        (number,) = self._db.execute(f"SELECT id FROM {table} WHERE {where}", tuple(values.values())).fetchone()
        return int(number)

    def _asked(self, names: str, question: str, keys: Sequence[tuple[object, ...]]) -> Iterator[tuple[Any, ...]]:
        """Ask about many keys: rows of a question in which they are the table `asked`, with columns of these names.

        CROSS JOIN keeps the order of the tables: a look-up a key, and never a walk through all of the other one.
        """
        for at in range(0, len(keys), _KEYS_A_QUESTION):
            part = keys[at : at + _KEYS_A_QUESTION]
            marks = ", ".join([f"({', '.join('?' * len(part[0]))})"] * len(part))
            values = [value for key in part for value in key]
            yield from self._db.execute(f"WITH asked ({names}) AS (VALUES {marks}) {question}", values)
