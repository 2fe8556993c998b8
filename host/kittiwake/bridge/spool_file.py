"""The spool's file: rows in SQLite, in WAL mode with synchronous FULL, and what a full disk means for them.

All of it runs on one thread, the spool's own. It knows no event loop and no broker.
"""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from kittiwake.bridge.settings import SpoolSection
from kittiwake.errors import ConfigError
from kittiwake.peers import text

BATCH = 1000
# SQLite needs room to delete, too: its log grows to 4 MiB before it is taken into the file. What is left free lets a
# disk that we have filled ourselves become empty again.
RESERVE_BYTES = 8 * 1024 * 1024
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS spool (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL, size INTEGER NOT NULL)
"""

# topic, payload, QoS, retain, bytes on disk
NewRow = tuple[str, bytes, int, int, int]
# id, topic, payload, QoS, retain
StoredRow = tuple[int, str, bytes, int, int]


@dataclass
class Turn:
    """What came of a turn: whether the new rows are on disk, how many were dropped for them, rows read, a problem."""

    is_written: bool = True
    dropped: int = 0
    rows: list[StoredRow] = field(default_factory=list)
    problem: str = ""


class SpoolFile:
    """One file.

    Args:
        section: the settings.

    Attributes:
        records, bytes: in the file.

    Raises:
        ConfigError: the file cannot be opened, or is no spool.
    """

    def __init__(self, section: SpoolSection):
        self._path, self._drops = section.path, section.on_full == "drop_oldest"
        self._limit = section.limit_mib * 1024 * 1024
        self._done_to = self._read_to = 0
        try:
            # Autocommit: transactions are begun by hand.
            self._database = sqlite3.connect(section.path, isolation_level=None, check_same_thread=False)
            self._database.text_factory = _text_of
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise ConfigError(f"spool.path: {self._path} is of version {version}", "name another file, or update")
            self._database.execute(_SCHEMA)
            self._database.execute(f"PRAGMA user_version={_VERSION}")
            query = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM spool"
            self.records, self.bytes = self._database.execute(query).fetchone()
        except sqlite3.Error as error:
            raise ConfigError(
                f"spool.path: {self._path}: {error}", "name a file that may be written, or no file yet"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def turn(self, rows: list[NewRow], done_to: int, wants_rows: bool) -> Turn:
        """Write and delete in one transaction, then read; each as far as the disk allows.

        Args:
            rows: to be written, all or none.
            done_to: rows up to this id are with the broker, and go.
            wants_rows: the next that were not read are wanted.

        Returns:
            What came of it; never raises for what a disk does.
        """
        turn = Turn()
        if rows or done_to > self._done_to:
            turn.problem = self._write(rows, done_to, turn)
            turn.is_written = not turn.problem
            if turn.problem and rows and done_to > self._done_to:
                self._write([], done_to, turn)  # what goes makes room for what comes
        try:
            if wants_rows:
                query = "SELECT id, topic, payload, qos, retain FROM spool WHERE id > ? ORDER BY id LIMIT ?"
                turn.rows = self._database.execute(query, (self._read_to, BATCH)).fetchall()
                self._read_to = turn.rows[-1][0] if turn.rows else self._read_to
        except sqlite3.Error as error:
            turn.problem = self._explain(error)
        return turn

    def _write(self, rows: list[NewRow], done_to: int, turn: Turn) -> str:
        database, before = self._database, (self.records, self.bytes)
        try:
            free_bytes = shutil.disk_usage(Path(self._path).absolute().parent).free
            if rows and free_bytes < RESERVE_BYTES:
                return f"{self._path}: the disk is full: {free_bytes} bytes are free, {RESERVE_BYTES} are left so"
            database.execute("BEGIN IMMEDIATE")
            self._delete(self._done_to, done_to)
            database.executemany("INSERT INTO spool (topic, payload, qos, retain, size) VALUES (?, ?, ?, ?, ?)", rows)
            self.records += len(rows)
            self.bytes += sum(row[4] for row in rows)
            dropped = self._drop_oldest() if self._drops else 0
            database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self.records, self.bytes = before
            problem = self._explain(error)
            try:
                # A full disk has ended the transaction already, more often than not.
                if database.in_transaction:
                    database.execute("ROLLBACK")
            except sqlite3.Error as second:
                problem = f"{problem}; {second}"
            return problem
        self._done_to, turn.dropped = done_to, turn.dropped + dropped
        return ""

    def _explain(self, error: sqlite3.Error | OSError) -> str:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return f"{self._path}: the disk is full ({error})"
        return f"{self._path}: {error}"

    def _delete(self, above: int, to: int) -> None:
        span = (above, to)
        query = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM spool WHERE id > ? AND id <= ?"
        count, size = self._database.execute(query, span).fetchone()
        self._database.execute("DELETE FROM spool WHERE id > ? AND id <= ?", span)
        self.records -= count
        self.bytes -= size

    def _drop_oldest(self) -> int:
        over = self.bytes - self._limit
        if over <= 0:
            return 0
        # What is already in memory is on its way; the oldest behind it goes.
        dropped, last = 0, 0
        for number, size in self._database.execute(
            "SELECT id, size FROM spool WHERE id > ? ORDER BY id", (self._read_to,)
        ):
            if over <= 0:
                break
            over -= size
            dropped, last = dropped + 1, number
        self._delete(self._read_to, last)
        return dropped


def _text_of(stored: bytes) -> str:
    # What an earlier version left here may be no topic: sent as it is, it would cost the connection again and again.
    return text.level(stored.decode(errors="replace"))[0]
