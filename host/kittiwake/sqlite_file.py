"""A SQLite file that one program of ours keeps: known by its application id, written by whole transactions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from kittiwake.errors import KittiwakeError

_BUSY_S = 10.0


class SqliteFile:
    """The file, as a context manager. Every commit reaches the disk.

    Args:
        path: of the file; made when it is not there.
        application_id: SQLite's number that says whose file it is.
        version: of its tables.
        tables: statements that make them.
        what: it holds, in words.
        option: of the command line that names the file, for advice.
        has_threads: several threads use it, one at a time.

    Attributes:
        db: the connection, in autocommit mode.

    Raises:
        KittiwakeError: it cannot be opened, or is another program's, or of another version; it is left as it was.
    """

    def __init__(
        self,
        path: Path,
        application_id: int,
        version: int,
        tables: str,
        what: str,
        option: str,
        has_threads: bool = False,
    ):
        self._path = path
        mend = f"name another file by {option}"
        try:
            self.db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=not has_threads)
            (identity,) = self.db.execute("PRAGMA application_id").fetchone()
            (found,) = self.db.execute("PRAGMA user_version").fetchone()
            (count,) = self.db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if (identity, found, count) == (0, 0, 0):
                self.db.executescript(
                    f"PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; {tables} PRAGMA application_id = {application_id};"
                    f" PRAGMA user_version = {version}; COMMIT;"
                )
            elif identity != application_id:
                raise KittiwakeError(f"{path} is not a file of {what}", mend)
            elif found != version:
                raise KittiwakeError(f"{path} is of a later version ({found})", "update kittiwake")
            self.db.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise KittiwakeError(f"{path} cannot be opened: {error}", mend) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Idempotent."""
        self.db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all of what is in the block, or nothing when it raises.

        Raises:
            KittiwakeError: the file cannot be written.
        """
        try:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # the first error says more
                    self.db.execute("ROLLBACK")
                raise
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            raise KittiwakeError(f"{self._path} cannot be written: {error}", "free space there") from error
