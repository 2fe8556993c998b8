"""Which database a history is in: a file, or a PostgreSQL server's, by its address. Opens nothing.

A password is never part of an address, which is printed and logged: libpq takes it from ~/.pgpass, PGPASSFILE or
PGPASSWORD.
"""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import urlsplit

from kittiwake.errors import ConfigError

_SCHEMES = ("postgresql://", "postgres://")


def is_server(address: str) -> bool:
    """Say whether an address is a server's, and not a file's.

    Args:
        address: of a history.

    Raises:
        ConfigError: it is a server's and has a password in it, or nothing here speaks to servers.
    """
    if not address.startswith(_SCHEMES):
        return False
    parts = urlsplit(address)
    if parts.password is not None or "password=" in parts.query:
        raise ConfigError(
            "the database's address has a password in it, and addresses are printed",
            "keep it in ~/.pgpass, in a file that PGPASSFILE names, or in PGPASSWORD",
        )
    if find_spec("psycopg") is None:
        raise ConfigError("a history in PostgreSQL needs psycopg", "pip install 'kittiwake[history]'")
    return True
