"""A connection to a history's PostgreSQL server, and its errors in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from kittiwake.errors import KittiwakeError

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_S = 10
_SILENT_MS = 30_000  # after which a server that does not answer is taken for gone


def connect(address: str) -> Connection[tuple[Any, ...]]:
    """Connect in autocommit mode, with `kittiwake` as the search path.

    Args:
        address: of the server, without a password.

    Raises:
        psycopg.Error: it does not answer, or refuses.
    """
    db = psycopg.connect(
        address,
        autocommit=True,
        connect_timeout=_CONNECT_S,
        application_name="kittiwake history",
        tcp_user_timeout=_SILENT_MS,
        keepalives_idle=_CONNECT_S,
    )
    db.execute("SET search_path TO kittiwake; SET client_min_messages TO warning")
    # What is committed is on the disk, whatever the server's default is.
    db.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    return db


def problem(address: str, what: str, error: psycopg.Error) -> KittiwakeError:
    """Say in one line what is wrong.

    Args:
        address: of the server.
        what: "written", "read" or "opened".
        error: as it came.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return KittiwakeError(f"{address} cannot be {what}: {lines[0].strip()}", "see docs/howto/history.md")
