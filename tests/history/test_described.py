"""What channels were, and from when: as boards described them, whatever order their records come in."""

import json
import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kittiwake.history import open_history, postgres_schema, sqlite_schema
from kittiwake.history.sqlite_store import SqliteStore
from kittiwake.history.stores import open_store
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.history import records
from tests.history.records import DEVICE, EPOCH_MS, JOURNAL, put

VECTOR = Path(__file__).parents[1] / "vectors" / "history-2.sql"
JOURNAL_TEXT = f"{JOURNAL:016x}"


def channels(sensor_id, unit, scale, offset="0"):
    return json.dumps([{"name": "vibration", "sensor_id": sensor_id, "unit": unit, "scale": scale, "offset": offset}])


FIRST = channels("vib-001", "mm/s", "1/100", "-3/10").encode()
OTHER = channels("vib-002", "g", "1/8").encode()


def summary(seq, boot, described, uptime_ms=60_000, epoch_ms=0):
    return records.summary(seq, [1, 5], uptime_ms, boot=boot, epoch_ms=epoch_ms, channels=described)


def reading(seq, boot, described, uptime_ms=500, epoch_ms=0):
    content = payload.pack_reading(8, 1)
    return records.message(rec.READING, seq, content, uptime_ms, boot=boot, epoch_ms=epoch_ms, channels=described)


def moment(ms):
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def shown(ask):
    spans = ask.described(DEVICE)
    assert spans == [span for span in ask.described() if span.device == DEVICE]
    assert {(span.channel, span.journal) for span in spans} <= {("vibration", JOURNAL_TEXT)}
    return [(s.seq, s.boot, s.since, s.sensor_id, s.unit, s.scale, s.offset) for s in spans]


def life():
    """Records of a board whose settings are changed and changed back, and what its channel was."""
    made = [
        reading(0, 1, FIRST),  # says no scale, and the board does not know the time
        summary(1, 1, FIRST),
        records.time_told(2, EPOCH_MS + 90_000, 90_000),
        *(summary(seq, 1, FIRST, seq * 60_000, EPOCH_MS) for seq in range(3, 20)),
        *(summary(seq, 2, FIRST, seq * 60_000, EPOCH_MS + 5_000_000) for seq in range(20, 30)),
        *(summary(seq, 3, OTHER, seq * 60_000, EPOCH_MS + 9_000_000) for seq in range(30, 40)),
        reading(40, 4, OTHER),
        summary(41, 5, FIRST),
        records.event(42, "says nothing of a channel", 5, boot=6),
    ]
    expected = [
        (0, 1, moment(EPOCH_MS + 500), "vib-001", "mm/s", "1/100", "-3/10"),
        (30, 3, moment(EPOCH_MS + 9_000_000 + 1_800_000), "vib-002", "g", "1/8", "0/1"),
        (41, 5, None, "vib-001", "mm/s", "1/100", "-3/10"),
    ]
    return made, expected


@pytest.mark.parametrize("seed", range(4))
def test_channel_is_shown_as_it_was_from_each_change_on_in_whatever_order_records_come(store, ask, seed):
    rng = random.Random(seed)
    made, expected = life()
    order = made + rng.sample(made, 9)
    if seed:
        rng.shuffle(order)
    while order:
        count = rng.randint(1, 12)
        put(store, *order[:count])
        order = order[count:]
    assert shown(ask) == expected


def test_journals_and_devices_are_apart(store, ask):
    put(store, summary(0, 1, FIRST))
    put(store, records.summary(0, [1], 5, journal=9, channels=OTHER))
    put(store, records.summary(0, [1], 5, device="press-8", channels=OTHER))
    found = [(s.device, s.journal, s.unit) for s in ask.described()]
    assert found == [(DEVICE, JOURNAL_TEXT, "mm/s"), (DEVICE, f"{9:016x}", "g"), ("press-8", JOURNAL_TEXT, "g")]


@pytest.mark.parametrize(
    "wrong",
    [{"unit": 7}, {"sensor_id": None}, {"unit": "x" * 129}, {"scale": 0.5}, {"scale": "1/2", "offset": ""}],
)
def test_message_that_says_what_no_channel_has_describes_none(store, ask, wrong):
    topic, text = summary(1, 1, FIRST)
    assert put(store, (topic, json.dumps(json.loads(text) | wrong).encode())).new == 1
    assert shown(ask) == []


def forget_descriptions(database):
    """Make a history what the version before descriptions wrote: all migrations since then only add."""
    statements = ["DROP VIEW states", "DROP VIEW channels", "DROP TABLE descriptions"]
    if database.startswith("postgresql"):
        import psycopg

        with psycopg.connect(database) as server:
            server.execute("SET search_path TO kittiwake")
            for statement in (*statements, "UPDATE version SET version = 1"):
                server.execute(statement)
    else:
        with sqlite3.connect(database) as file:
            for statement in (*statements, "PRAGMA user_version = 2"):
                file.execute(statement)
        file.close()


def test_migration_finds_in_kept_records_what_a_store_learns_from_new_ones(store, ask, database):
    assert (sqlite_schema.VERSION, postgres_schema.VERSION) == (4, 3)
    made, expected = life()
    topic, text = summary(50, 9, FIRST)
    odd = [json.dumps(json.loads(text) | {"seq": 51, "unit": 7}).encode()]
    odd.append(json.dumps(json.loads(text) | {"seq": 52, "unit": "a\0b"}).encode())
    odd.append(json.dumps(json.loads(text) | {"seq": 53, "sensor_id": "x" * 129}).encode())
    put(store, *made, *((topic, each) for each in odd))
    kept = ask._reader.rows("SELECT * FROM descriptions ORDER BY 1, 2, 3")
    assert shown(ask) == expected
    store.close()
    ask.close()
    forget_descriptions(database)
    again = open_store(database)
    again.write([], 0)
    with open_history(database) as history:
        assert history._reader.rows("SELECT * FROM descriptions ORDER BY 1, 2, 3") == kept
        assert shown(history) == expected
        put(again, summary(60, 10, OTHER))
        assert [span[3] for span in shown(history)] == ["vib-001", "vib-002", "vib-001", "vib-002"]
    again.close()


def test_file_of_the_second_schema_is_migrated_with_its_channels(tmp_path):
    path = tmp_path / "h.sqlite"
    old = sqlite3.connect(path)
    old.executescript(VECTOR.read_text())
    before = old.execute("SELECT * FROM messages ORDER BY seq").fetchall()
    old.close()
    assert len(before) == 7
    store = SqliteStore(path)
    assert store._db.execute("SELECT * FROM messages ORDER BY seq").fetchall() == before
    view = store._db.execute("SELECT seq, kind, boot, ts, unit, scale FROM channels ORDER BY seq").fetchall()
    assert view == [
        (0, "summary", 1, "2027-01-15T08:00:01.000Z", "mm/s", "1/100"),
        (4, "reading", 2, "2027-01-15T10:46:40.500Z", "g", ""),
        (5, "summary", 2, "2027-01-15T10:47:40.000Z", "g", "1/8"),
    ]
    with open_history(path) as history:
        assert shown(history) == [
            (0, 1, moment(EPOCH_MS + 1000), "vib-001", "mm/s", "1/100", "-3/10"),
            (4, 2, moment(EPOCH_MS + 10_000_500), "vib-002", "g", "1/8", "0/1"),
        ]
    store.close()
