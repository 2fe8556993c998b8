"""Read-only connections to a history in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg

from kittiwake.errors import KittiwakeError
from kittiwake.history import postgres_connection, postgres_schema

if TYPE_CHECKING:
    from typing import LiteralString


class PostgresReader:
    """A server's; see `readers.connect`.

    Args:
        address: of the server.

    Raises:
        KittiwakeError: it is no history of this version, or does not answer.
    """

    def __init__(self, address: str):
        self._address = address
        try:
            self._db = postgres_connection.connect(address)
            self._db.execute("SET default_transaction_read_only TO on")
            version = postgres_schema.check(self._db, address)
        except psycopg.Error as error:
            raise postgres_connection.problem(address, "opened", error) from error
        if version != postgres_schema.VERSION:
            self._db.close()
            raise KittiwakeError(
                f"{address} has schema {version}, not {postgres_schema.VERSION}", "start `kittiwake history run`"
            )

    def rows(self, question: LiteralString, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Give all rows of a question."""
        try:
            return self._db.execute(question.replace("?", "%s"), values).fetchall()
        except psycopg.Error as error:
            raise postgres_connection.problem(self._address, "read", error) from error

    def each(self, question: LiteralString, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a question, some hundreds at a time from the server."""
        try:
            with self._db.transaction(), self._db.cursor(name="each") as cursor:
                cursor.itersize = 2000
                yield from cursor.execute(question.replace("?", "%s"), values)
        except psycopg.Error as error:
            raise postgres_connection.problem(self._address, "read", error) from error

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._db.close()
