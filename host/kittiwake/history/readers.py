"""Read-only connections to a history, behind one face: SQL that both databases know, with `?` for values.

What is asked is `asking`'s; here is only how a database is reached, and what its errors are called.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.history import address as addresses
from kittiwake.history import sqlite_schema

if TYPE_CHECKING:
    from typing import LiteralString

_MEND = "see docs/howto/history.md"


class Reader(Protocol):
    """A connection to ask."""

    def rows(self, question: LiteralString, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Give all rows of a question; raise KittiwakeError when it cannot be answered."""

    def each(self, question: LiteralString, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """The same, a row at a time, of whatever number."""

    def close(self) -> None:
        """Close it. Idempotent."""


def connect(address: str) -> Reader:
    """Reach a history.

    Args:
        address: a file's path or a PostgreSQL server's address.

    Returns:
        A read-only connection.

    Raises:
        ConfigError: there is no such file, or PostgreSQL's client is not installed.
        KittiwakeError: it is no history of this version, or does not answer.
    """
    if addresses.is_server(address):
        from kittiwake.history.postgres_reader import PostgresReader

        return PostgresReader(address)
    return SqliteReader(Path(address))


class SqliteReader:
    """A file's; see `connect`. What is asked blocks no writer."""

    def __init__(self, path: Path):
        if not path.exists():
            raise ConfigError(f"{path} is not there", "`kittiwake history run` writes it; name another with --database")
        self._path = path
        try:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            version = sqlite_schema.check(self._db, str(path))
        except sqlite3.Error as error:
            raise KittiwakeError(f"{path} cannot be opened: {error}", _MEND) from error
        if version != sqlite_schema.VERSION:
            raise KittiwakeError(
                f"{path} has schema {version}, not {sqlite_schema.VERSION}", "start `kittiwake history run`"
            )

    def rows(self, question: LiteralString, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Give all rows of a question."""
        try:
            return self._db.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise KittiwakeError(f"{self._path} cannot be read: {error}", _MEND) from error

    def each(self, question: LiteralString, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a question, one at a time."""
        try:
            yield from self._db.execute(question, values)
        except sqlite3.Error as error:
            raise KittiwakeError(f"{self._path} cannot be read: {error}", _MEND) from error

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()
