"""Security events on the disk until somebody has them: a bounded file, whose numbers go on through restarts."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from kittiwake.errors import KittiwakeError
from kittiwake.observe.syslog import SecurityEvent
from kittiwake.sqlite_file import SqliteFile

_APPLICATION_ID = 0x4B574556
_TABLES = """
CREATE TABLE event (number INTEGER PRIMARY KEY AUTOINCREMENT, ts_us INTEGER, level INTEGER, name TEXT, text TEXT);
CREATE TABLE lost (count INTEGER);
INSERT INTO lost VALUES (0);
"""


class KeptEvents:
    """The file.

    Args:
        path: of it; made when it is not there, readable to the user alone.
        limit: events at most; then the oldest make room, and are counted.

    Raises:
        KittiwakeError: it cannot be opened.
    """

    def __init__(self, path: Path, limit: int):
        self._limit = limit
        with contextlib.suppress(OSError):  # where it cannot be made, it cannot be opened, which is said below
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._file = SqliteFile(path, _APPLICATION_ID, 1, _TABLES, "security events", "syslog.folder", has_threads=True)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def add(self, events: Sequence[SecurityEvent]) -> None:
        """Keep events; they are on the disk when this returns.

        Args:
            events: in their order.

        Raises:
            KittiwakeError: the file cannot be written.
        """
        db = self._file.db
        with self._file.transaction():
            rows = [(event.ts_us, event.level, event.name, event.text) for event in events]
            db.executemany("INSERT INTO event (ts_us, level, name, text) VALUES (?, ?, ?, ?)", rows)
            (count,) = db.execute("SELECT count(*) FROM event").fetchone()
            if count > self._limit:
                most = "SELECT number FROM event ORDER BY number LIMIT ?"
                db.execute(f"DELETE FROM event WHERE number IN ({most})", (count - self._limit,))
                db.execute("UPDATE lost SET count = count + ?", (count - self._limit,))

    def oldest(self, count: int) -> list[tuple[int, SecurityEvent]]:
        """Read the oldest.

        Args:
            count: how many at most.

        Returns:
            Their numbers and themselves, in order.

        Raises:
            KittiwakeError: the file cannot be read.
        """
        wanted = "SELECT number, ts_us, level, name, text FROM event ORDER BY number LIMIT ?"
        try:
            return [(number, SecurityEvent(*rest)) for number, *rest in self._file.db.execute(wanted, (count,))]
        except sqlite3.Error as error:
            raise KittiwakeError(f"security events cannot be read: {error}") from error

    def forget(self, number: int) -> None:
        """Somebody has all up to this one.

        Args:
            number: of it.

        Raises:
            KittiwakeError: the file cannot be written.
        """
        with self._file.transaction():
            self._file.db.execute("DELETE FROM event WHERE number <= ?", (number,))

    def take_lost(self) -> int:
        """Give how many had to make room since this was asked last."""
        with self._file.transaction():
            (count,) = self._file.db.execute("SELECT count FROM lost").fetchone()
            if count:
                self._file.db.execute("UPDATE lost SET count = 0")
        return int(count)
