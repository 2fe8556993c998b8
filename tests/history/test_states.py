"""A machine's states in a history: a view of their own, which older histories get, too."""

import sqlite3

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.history import open_history, postgres_schema, sqlite_schema
from kittiwake.history.stores import open_store
from kittiwake_node.link import machine_state
from kittiwake_node.link import record as rec
from tests.history import records
from tests.history.records import EPOCH_MS, put

NAMES = "device, seq, channel, state, previous, probability, lasted"
COLUMNS = ["device", "seq", "channel", "ts", "state", "previous", "probability", "lasted"]


def state(seq, name, previous, score, index, lasted):
    body = machine_state.pack_state(name, previous, score, index, lasted)
    return records.message(rec.STATE, seq, body, seq * 1000, epoch_ms=EPOCH_MS)


LIFE = [
    state(1, "off", "", 192, 256, 0),
    records.event(2, "no state", 2000),
    records.summary(3, [1, 5], 3000),
    state(4, "läuft", "off", 255, 1 << 47, (1 << 47) - 256),
]
SHOWN = [
    (records.DEVICE, 1, "vibration", "off", "", 0.75, 0),
    (records.DEVICE, 4, "vibration", "läuft", "off", 0.99609375, (1 << 47) - 256),
]


def shown(history):
    return [tuple(row) for row in history._reader.rows(f"SELECT {NAMES} FROM states ORDER BY seq")]


def test_states_are_a_view_with_what_their_messages_say(store, ask):
    put(store, *LIFE)
    assert shown(ask) == SHOWN
    times = ask._reader.rows("SELECT states.ts = messages.ts FROM states JOIN messages USING (device, seq)")
    assert [bool(same) for (same,) in times] == [True, True]


def before_states(database):
    """Make a history what the version before wrote: the newest migration only adds a view."""
    if database.startswith("postgresql"):
        import psycopg

        with psycopg.connect(database) as server:
            server.execute("DROP VIEW kittiwake.states")
            server.execute(f"UPDATE kittiwake.version SET version = {postgres_schema.VERSION - 1}")
    else:
        with sqlite3.connect(database) as file:
            file.execute("DROP VIEW states")
            file.execute(f"PRAGMA user_version = {sqlite_schema.VERSION - 1}")
        file.close()


def test_migration_shows_the_states_that_an_older_history_holds(store, ask, database):
    put(store, *LIFE)
    store.close()
    ask.close()
    before_states(database)
    with pytest.raises(KittiwakeError, match="has schema"):
        open_history(database)
    again = open_store(database)
    again.write([], 0)
    with open_history(database) as history:
        assert shown(history) == SHOWN
        put(again, state(5, "off", "läuft", 130, 1 << 47, 5))
        assert shown(history)[2:] == [(records.DEVICE, 5, "vibration", "off", "läuft", 0.5078125, 5)]
    again.close()


def test_migrations_of_older_versions_are_what_they_were():
    """The newest adds a view and no more: a history of the version before needs nothing read again."""
    for newest in (sqlite_schema.MIGRATIONS[3], postgres_schema.MIGRATIONS[2]):
        statements = [each.strip() for each in newest.split(";\n") if each.strip()]
        assert len(statements) == 1 and statements[0].startswith("CREATE VIEW states AS")
