"""Where rows go: the face that every store has, and which one an address means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kittiwake.history import address as addresses
from kittiwake.history.merge import Written
from kittiwake.history.retention import Dropped, Policy
from kittiwake.history.row import Row


class Store(Protocol):
    """Where rows go. Called on one thread."""

    def write(self, rows: Sequence[Row], arrived_ms: int) -> Written:
        """Put rows in, all or none; raise KittiwakeError when they are not there afterwards."""

    def retain(self, policy: Policy, now_ms: int) -> Dropped:
        """Take out some of what goes first; raise KittiwakeError when that cannot be."""

    def close(self) -> None:
        """Close it. Idempotent."""


def open_store(address: str) -> Store:
    """Open a store to write.

    Args:
        address: a file's path, made when it is not there, or a PostgreSQL server's address, which need not answer yet.

    Raises:
        ConfigError: PostgreSQL's client is not installed, or the address has a password in it.
        KittiwakeError: the file cannot be opened, or is no history of this version.
    """
    if addresses.is_server(address):
        from kittiwake.history.postgres_store import PostgresStore

        return PostgresStore(address)
    from kittiwake.history.sqlite_store import SqliteStore

    return SqliteStore(Path(address))
