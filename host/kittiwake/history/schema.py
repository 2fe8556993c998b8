"""The SQLite schema and its migrations: forward only, each with the version that it leads to.

A migration, once released, is never changed: files that it made are out there.
"""

from __future__ import annotations

import sqlite3

from kittiwake.errors import KittiwakeError

# "KWhs": says that the file is one of ours.
APPLICATION_ID = 0x4B576873

_FIRST = """
CREATE TABLE journals (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, journal TEXT NOT NULL, UNIQUE (device, journal)
) STRICT;
CREATE TABLE records (
    journal_id INTEGER NOT NULL REFERENCES journals, seq INTEGER NOT NULL,
    kind TEXT NOT NULL, channel TEXT NOT NULL,
    ts_ms INTEGER, is_repaired INTEGER NOT NULL DEFAULT 0,
    boot INTEGER NOT NULL, uptime_ms INTEGER NOT NULL, arrived_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (journal_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_by_time ON records (journal_id, kind, channel, ts_ms);
CREATE INDEX records_without_time ON records (journal_id, boot) WHERE ts_ms IS NULL OR is_repaired;
-- Of each boot the first record that came with a time of its own: UTC of the boot's zero.
CREATE TABLE boots (
    journal_id INTEGER NOT NULL REFERENCES journals, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    epoch_ms INTEGER NOT NULL, PRIMARY KEY (journal_id, boot)
) STRICT, WITHOUT ROWID;
CREATE TABLE calibrations (
    id INTEGER PRIMARY KEY, unit TEXT NOT NULL, scale TEXT NOT NULL, "offset" TEXT NOT NULL,
    UNIQUE (unit, scale, "offset")
) STRICT;
-- s and q are texts: their exact values may have more than 63 bits.
CREATE TABLE rollups (
    journal_id INTEGER NOT NULL REFERENCES journals, channel TEXT NOT NULL, width_s INTEGER NOT NULL,
    start_s INTEGER NOT NULL, calibration_id INTEGER NOT NULL REFERENCES calibrations,
    n INTEGER NOT NULL, s TEXT NOT NULL, q TEXT NOT NULL, least INTEGER NOT NULL, most INTEGER NOT NULL,
    anomalies INTEGER NOT NULL,
    PRIMARY KEY (journal_id, channel, width_s, start_s, calibration_id)
) STRICT, WITHOUT ROWID;
CREATE VIEW messages AS
    SELECT device, journal, seq, kind, channel,
        strftime('%Y-%m-%dT%H:%M:%fZ', ts_ms / 1000.0, 'unixepoch') AS ts, is_repaired, boot, uptime_ms,
        strftime('%Y-%m-%dT%H:%M:%fZ', arrived_ms / 1000.0, 'unixepoch') AS arrived, payload
    FROM records JOIN journals ON journals.id = journal_id;
CREATE VIEW alerts AS
    SELECT device, seq, channel, ts, payload ->> 'detector' AS detector, payload ->> 'value' AS value,
        payload ->> 'unit' AS unit, payload ->> 'z_score' AS z_score, payload ->> 'mean' AS mean,
        payload ->> 'stdev' AS stdev
    FROM messages WHERE kind = 'alert';
CREATE VIEW summaries AS
    SELECT device, seq, channel, ts, payload ->> 'n' AS n, payload ->> 'mean' AS mean, payload ->> 'stdev' AS stdev,
        payload ->> 'low' AS low, payload ->> 'high' AS high, payload ->> 'unit' AS unit
    FROM messages WHERE kind = 'summary';
CREATE VIEW readings AS
    SELECT device, seq, channel, ts, payload ->> 'value' AS value, payload ->> 'unit' AS unit
    FROM messages WHERE kind = 'reading';
CREATE VIEW keywords AS
    SELECT device, seq, channel, ts, payload ->> 'keyword' AS keyword, payload ->> 'probability' AS probability,
        payload ->> 'verdict' AS verdict
    FROM messages WHERE kind = 'keyword';
CREATE VIEW events AS
    SELECT device, seq, ts, payload ->> 'code' AS code, payload ->> 'text' AS text FROM messages WHERE kind = 'event';
CREATE VIEW health AS
    SELECT device, seq, ts, uptime_ms, payload ->> 'heap_free' AS heap_free FROM messages WHERE kind = 'health';
"""
MIGRATIONS = (_FIRST,)
VERSION = len(MIGRATIONS)


def prepare(connection: sqlite3.Connection, path: str) -> None:
    """Bring a file to this version; a new one becomes a history.

    Args:
        connection: in autocommit mode, to write.
        path: of the file, for messages.

    Raises:
        KittiwakeError: the file is another program's, or a newer version's.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = check(connection, path)
        for number in range(version, VERSION):
            for statement in MIGRATIONS[number].split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check(connection: sqlite3.Connection, path: str) -> int:
    """Say which version a file has, 0 for an empty one.

    Args:
        connection: to it.
        path: of the file, for messages.

    Raises:
        KittiwakeError: the file is another program's, or a newer version's.
    """
    application, version, tables = (
        int(connection.execute(question).fetchone()[0])
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_schema")
    )
    if tables and application != APPLICATION_ID:
        raise KittiwakeError(f"{path} is another program's database", "name another file")
    if version > VERSION:
        raise KittiwakeError(f"{path} has schema {version}, this program knows {VERSION}", "update kittiwake here")
    return version
