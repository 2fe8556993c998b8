"""A history's file: what is no history is left alone, what is full is tried again, what is older is migrated."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.history import open_history, sqlite_schema
from kittiwake.history.row import read
from kittiwake.history.sqlite_store import SqliteStore
from tests.history import records
from tests.history.records import EPOCH_MS, put


@pytest.fixture
def database(tmp_path):
    return str(tmp_path / "h.sqlite")


def test_file_of_another_program_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(KittiwakeError, match="another program's database"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_file_of_a_newer_version_is_refused(store, tmp_path):
    store.close()
    with sqlite3.connect(tmp_path / "h.sqlite") as newer:
        newer.execute(f"PRAGMA user_version = {sqlite_schema.VERSION + 1}")
    newer.close()
    with pytest.raises(
        KittiwakeError, match=f"has schema {sqlite_schema.VERSION + 1}, this program knows {sqlite_schema.VERSION}"
    ):
        SqliteStore(tmp_path / "h.sqlite")


@pytest.mark.parametrize("content", [b"no database" * 90, b"SQLite format 3\0" * 90])
def test_damaged_file_is_one_error_that_names_it(tmp_path, content):
    path = tmp_path / "h.sqlite"
    path.write_bytes(content)
    with pytest.raises(KittiwakeError, match=r"h\.sqlite"):
        SqliteStore(path)


def test_transaction_that_fails_leaves_nothing_and_may_be_tried_again(store, ask):
    rows = [read(*records.event(seq, "x" * 500, seq)) for seq in range(2000)]
    store._db.execute(f"PRAGMA max_page_count = {store._db.execute('PRAGMA page_count').fetchone()[0] + 5}")
    with pytest.raises(KittiwakeError, match="cannot be written: database or disk is full"):
        store.write(rows, EPOCH_MS)
    assert ask.devices() == []
    store._db.execute("PRAGMA max_page_count = 100000")
    assert store.write(rows, EPOCH_MS).new == 2000
    assert ask.audit()[0].missing == 0


OLDEST = Path(__file__).parents[1] / "vectors" / "history-1.sql"


def test_file_of_the_first_schema_is_migrated_with_all_that_it_holds(tmp_path):
    path = tmp_path / "h.sqlite"
    old = sqlite3.connect(path)
    old.executescript(OLDEST.read_text())
    before = old.execute(
        "SELECT device, journal, seq, kind, channel, ts, payload FROM messages ORDER BY 1, 3"
    ).fetchall()
    old.close()
    assert len(before) == 8
    with pytest.raises(KittiwakeError, match=f"has schema 1, not {sqlite_schema.VERSION}"):
        open_history(path)
    store = SqliteStore(path)
    rows = store._db.execute("SELECT device, journal, seq, kind, channel, ts, payload FROM messages ORDER BY 1, 3")
    assert rows.fetchall() == before
    with open_history(path) as history:
        assert [(d.device, d.rows, d.channels) for d in history.devices()] == [
            ("press-7", 7, ("vibration",)),
            ("press-8", 1, ("vibration",)),
        ]
        assert [(audit.rows, audit.missing, audit.gaps) for audit in history.audit()] == [(7, 1, ((5, 5),)), (1, 0, ())]
        repaired = {m.seq: (m.ts, m.is_repaired) for m in history.messages("event", "press-7")}
        assert repaired[1] == (datetime.fromtimestamp(EPOCH_MS / 1000 + 1.5, UTC), True) and repaired[7] == (
            None,
            False,
        )
        hours = history.summaries("press-7", "vibration", every_s=3600)
        assert [bucket.sums[:5] for bucket in hours] == [(4, 109, 10083, -3, 100), (1, 9, 81, 9, 9)]
        # It goes on as one that was new: a copy is known, a late record joins its hour, a new time repairs.
        late = records.summary(5, [200], 3_750_000, epoch_ms=EPOCH_MS)
        told = records.time_told(8, EPOCH_MS + 5_000_000, 20, boot=2)
        again = records.event(6, "after a gap", 3_800_000, epoch_ms=EPOCH_MS)
        written = put(store, late, told, again)
        assert (written.new, written.known, written.altered, written.repaired) == (2, 1, 0, 1)
        assert history.summaries("press-7", "vibration", every_s=3600)[1].sums[:5] == (2, 209, 40081, 9, 200)
    store.close()
    SqliteStore(path).close()


def test_migration_that_is_killed_leaves_the_old_file(tmp_path):
    path = tmp_path / "h.sqlite"
    old = sqlite3.connect(path, isolation_level=None)
    old.executescript(OLDEST.read_text())
    before = list(old.iterdump())
    steps = sqlite_schema.MIGRATIONS[1].split(";\n")
    for number in range(1, len(steps)):
        old.execute("BEGIN IMMEDIATE")
        for statement in steps[:number]:
            old.execute(statement)
        old.close()  # as the end of a process is: without COMMIT
        old = sqlite3.connect(path, isolation_level=None)
        assert list(old.iterdump()) == before
    old.close()
    SqliteStore(path).close()
    with open_history(path) as history:
        assert sum(device.rows for device in history.devices()) == 8
