"""Histories of a test's own, to write and to ask: the same tests for every database."""

import pytest

from kittiwake.history import open_history
from kittiwake.history.stores import open_store
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def postgres_server():
    """One server for all tests that do nothing to it; see `postgres`."""
    # fsync: nothing here is about power, and the tests are many.
    with Postgres(config="fsync = off") as server:
        yield server


@pytest.fixture
def postgres(postgres_server):
    """A server with an empty database."""
    postgres_server.run("DROP SCHEMA IF EXISTS kittiwake CASCADE")
    return postgres_server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("pg_ctlcluster"))])
def database(request, tmp_path):
    """The address of an empty history."""
    return str(tmp_path / "h.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres").url


@pytest.fixture
def store(database):
    opened = open_store(database)
    opened.write([], 0)
    yield opened
    opened.close()


@pytest.fixture
def ask(store, database):
    with open_history(database) as history:
        yield history
