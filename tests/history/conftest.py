"""A history of a test's own, to write and to ask."""

import pytest

from kittiwake.history import open_history
from kittiwake.history.sqlite_store import SqliteStore


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore(tmp_path / "h.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def ask(store, tmp_path):
    with open_history(tmp_path / "h.sqlite") as history:
        yield history
