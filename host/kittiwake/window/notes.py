"""What people leave in the window: alerts that they have acknowledged, devices put away, and who did what.

A SQLite file of its own: the history is a copy of what boards said, and stays that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kittiwake.sqlite_file import SqliteFile

# "KWwn": says that the file is one of ours.
_APPLICATION_ID = 0x4B57776E
_VERSION = 0
_SCHEMA = """
CREATE TABLE acknowledged (
    device TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,
    word TEXT NOT NULL, who TEXT NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (device, journal, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE devices (
    device TEXT PRIMARY KEY, is_archived INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
"""
AUDIT_LIMIT = 500

Key = tuple[str, str, int]


class Notes(SqliteFile):
    """The file.

    Args:
        path: of it; made where it is not there.

    Attributes:
        put_away: devices that are not shown unless asked for.

    Raises:
        KittiwakeError: it cannot be opened, or is no file of notes.
    """

    def __init__(self, path: Path):
        super().__init__(path, _APPLICATION_ID, _VERSION, _SCHEMA, "the window's notes", "--notes", has_threads=True)
        self._lock = threading.Lock()
        self.put_away = self._put_away()

    def acknowledge(self, keys: Iterable[Key], word: str, who: str) -> int:
        """Acknowledge alerts; one that was acknowledged before keeps its word.

        Args:
            keys: (device, journal, sequence number) of each.
            word: the person's.
            who: that person.

        Returns:
            How many are acknowledged now that were not.
        """
        at_ms = _now_ms()
        rows = [(*key, word, who, at_ms) for key in keys]
        with self._lock, self.transaction():
            before = self.db.total_changes
            self.db.executemany("INSERT OR IGNORE INTO acknowledged VALUES (?, ?, ?, ?, ?, ?)", rows)
            count = self.db.total_changes - before
            for device, journal, seq, *_ in rows:
                self._audit(who, "acknowledge", device, f"{journal} {seq}: {word}")
        return count

    def acknowledged(self) -> dict[Key, dict[str, object]]:
        """Give every acknowledgement, by its alert's key."""
        rows = self._rows("SELECT device, journal, seq, word, who, at_ms FROM acknowledged")
        return {
            (device, journal, seq): {"word": word, "who": who, "at": at} for device, journal, seq, word, who, at in rows
        }

    def put(self, device: str, is_away: bool, who: str) -> None:
        """Put a device away, or back.

        Args:
            device: its id.
            is_away: it is not shown unless asked for.
            who: says so.
        """
        with self._lock, self.transaction():
            row = device, int(is_away)
            self.db.execute("INSERT OR REPLACE INTO devices (device, is_archived) VALUES (?, ?)", row)
            self._audit(who, "put away" if is_away else "put back", device, "")
        self.put_away = self.put_away | {device} if is_away else self.put_away - {device}

    def _put_away(self) -> frozenset[str]:
        return frozenset(device for (device,) in self._rows("SELECT device FROM devices WHERE is_archived"))

    def audit(self, who: str, what: str, subject: str, detail: str = "") -> None:
        """Write down who did what.

        Args:
            who: the person.
            what: in one word.
            subject: a device, or a person.
            detail: more of it.
        """
        with self._lock, self.transaction():
            self._audit(who, what, subject, detail)

    def audited(self) -> list[dict[str, object]]:
        """Give the newest lines of the audit, the newest first."""
        rows = self._rows(
            "SELECT at_ms, who, what, subject, detail FROM audit ORDER BY id DESC LIMIT ?", (AUDIT_LIMIT,)
        )
        names = ("at", "who", "what", "subject", "detail")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _audit(self, who: str, what: str, subject: str, detail: str) -> None:
        self.db.execute(
            "INSERT INTO audit (at_ms, who, what, subject, detail) VALUES (?, ?, ?, ?, ?)",
            (_now_ms(), who, what, subject, detail),
        )

    def _rows(self, question: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self.db.execute(question, values).fetchall()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
