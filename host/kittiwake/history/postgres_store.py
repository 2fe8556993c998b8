"""The PostgreSQL sink: batches of rows, each record once, whatever other processes write at the same time.

A batch is copied straight in where all of it is new, which is how it mostly is; else into a table of the connection's
own, and from there what is not known. A server that is gone, restarts or has
no space makes one error a batch; the next attempt begins with a new connection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import Connection

from kittiwake.errors import KittiwakeError
from kittiwake.history import postgres_connection, postgres_retention, postgres_schema
from kittiwake.history.merge import NewRow, Written, first_times, merge
from kittiwake.history.postgres_tables import PostgresTables
from kittiwake.history.retention import Dropped, Policy
from kittiwake.history.row import Row, class_of

_DEADLOCKS = 3
_STAGING = (
    "CREATE TEMPORARY TABLE incoming (journal_id bigint, seq bigint, stream_id bigint, class smallint, made_ms bigint,"
    " ts_ms bigint, boot bigint, uptime_ms bigint, arrived_ms bigint, payload text) ON COMMIT DELETE ROWS"
)
_COLUMNS = "journal_id, seq, stream_id, class, made_ms, ts_ms, boot, uptime_ms, arrived_ms, payload"
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


class PostgresStore:
    """A history in PostgreSQL, to write. Not for several threads at a time; several processes may write one history.

    It connects at the first batch, so that a history can start before its server does.

    Args:
        address: of the server, without a password.
    """

    def __init__(self, address: str):
        self._address = address
        self._db: Connection[tuple[Any, ...]] | None = None
        self._tables: PostgresTables | None = None

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._db is not None:
            with contextlib.suppress(psycopg.Error):
                self._db.close()
        self._db = self._tables = None

    def write(self, rows: Sequence[Row], arrived_ms: int) -> Written:
        """Put rows in, all or none; when this returns the server has them on its disk.

        Args:
            rows: in any order, repetitions included.
            arrived_ms: UTC in milliseconds since 1970.

        Returns:
            What became of them.

        Raises:
            KittiwakeError: they could not be written; nothing was, or all was and the answer was lost. The same rows
                may be tried again.
        """
        for _ in range(_DEADLOCKS):
            try:
                return self._write(rows, arrived_ms)
            except psycopg.errors.DeadlockDetected:
                continue  # another process has gone first
            except (psycopg.Error, KittiwakeError) as error:
                self.close()
                if isinstance(error, psycopg.Error):
                    raise postgres_connection.problem(self._address, "written", error) from error
                raise
        raise KittiwakeError(f"{self._address} cannot be written: other processes are always first")

    def retain(self, policy: Policy, now_ms: int) -> Dropped:
        """Take out what goes first, a partition or some records that lie in none of a week; call it until it is done.

        Args:
            policy: what stays.
            now_ms: UTC in milliseconds since 1970.

        Returns:
            What went.

        Raises:
            KittiwakeError: nothing could be taken out now.
        """
        try:
            db, tables = self._connected()
            dropped = postgres_retention.step(db, policy, now_ms)
            tables.partitions.forget()
            return dropped
        except psycopg.Error as error:
            self.close()
            raise postgres_connection.problem(self._address, "written", error) from error

    def _connected(self) -> tuple[Connection[tuple[Any, ...]], PostgresTables]:
        if self._db is None or self._tables is None:
            self._db = postgres_connection.connect(self._address)
            postgres_schema.prepare(self._db, self._address)
            self._db.execute(_STAGING)
            self._tables = PostgresTables(self._db)
        return self._db, self._tables

    def _write(self, rows: Sequence[Row], arrived_ms: int) -> Written:
        db, tables = self._connected()
        written = Written()
        tables.number(rows)
        batch: dict[tuple[int, int], NewRow] = {}
        for row in rows:
            at = NewRow(*tables.stream(row), row)
            first = batch.setdefault((at.journal, row.seq), at)
            if first is not at:
                written.known += first.row.payload == row.payload
                written.altered += first.row.payload != row.payload
        tables.partitions.make((row.ts_ms for row in rows if row.ts_ms is not None), arrived_ms)
        times = first_times(batch.values())
        tables.recall(times)
        try:
            with db.transaction():
                tables.lock(batch.values(), times)
                new = self._insert(db, batch, arrived_ms, written)
                written.repaired = merge(tables, new)
        except BaseException:
            tables.forget()
            raise
        written.new = len(new)
        return written

    def _insert(
        self,
        db: Connection[tuple[Any, ...]],
        batch: dict[tuple[int, int], NewRow],
        arrived_ms: int,
        written: Written,
    ) -> list[NewRow]:
        """Insert what is not there; returns it.

        Rows go in the order of their key: two processes with the same records wait for one another, and not in a ring.
        """
        lines = "".join([_line(batch[key], arrived_ms) for key in sorted(batch)])
        with db.cursor() as cursor:
            try:  # all are new, mostly
                with db.transaction(), cursor.copy(f"COPY records ({_COLUMNS}) FROM STDIN") as copy:
                    copy.write(lines)
                return list(batch.values())
            except psycopg.errors.UniqueViolation:
                pass
            with cursor.copy(f"COPY incoming ({_COLUMNS}) FROM STDIN") as copy:
                copy.write(lines)
            cursor.execute(
                f"INSERT INTO records ({_COLUMNS}) SELECT {_COLUMNS} FROM incoming ORDER BY journal_id, seq"
                " ON CONFLICT DO NOTHING RETURNING journal_id, seq",
            )
            new = [batch[journal, seq] for journal, seq in cursor.fetchall()]
            cursor.execute(
                "SELECT count(*) FROM incoming JOIN records USING (journal_id, seq, class, made_ms)"
                " WHERE records.payload != incoming.payload"
            )
            (altered,) = cursor.fetchone() or (0,)
            written.altered += altered
            written.known += len(batch) - len(new) - altered
        return new


def _line(at: NewRow, arrived_ms: int) -> str:
    """A row in COPY's text form."""
    journal, stream, row = at
    made_ms, ts = (postgres_schema.UNTIMED, r"\N") if row.ts_ms is None else (row.ts_ms, row.ts_ms)
    payload = row.payload.translate(_ESCAPES) if "\\" in row.payload or not row.payload.isprintable() else row.payload
    return (
        f"{journal}\t{row.seq}\t{stream}\t{class_of(row.kind)}\t{made_ms}\t{ts}\t{row.boot}\t{row.uptime_ms}"
        f"\t{arrived_ms}\t{payload}\n"
    )
