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
# Streams take the place of kinds and channels in each row, rows lie in the order of their arrival: twice as fast.
_SECOND = """
DROP VIEW health;
DROP VIEW events;
DROP VIEW keywords;
DROP VIEW readings;
DROP VIEW summaries;
DROP VIEW alerts;
DROP VIEW messages;
DROP INDEX records_by_time;
DROP INDEX records_without_time;
ALTER TABLE records RENAME TO records_1;
ALTER TABLE rollups RENAME TO rollups_1;
-- class: 0 raw, 1 telemetry, 2 alert, as the boards' journals have them.
CREATE TABLE streams (
    id INTEGER PRIMARY KEY, journal_id INTEGER NOT NULL REFERENCES journals, kind TEXT NOT NULL,
    channel TEXT NOT NULL, class INTEGER NOT NULL, UNIQUE (journal_id, kind, channel)
) STRICT;
INSERT INTO streams (journal_id, kind, channel, class)
    SELECT DISTINCT journal_id, kind, channel,
        CASE WHEN kind = 'snapshot' THEN 0 WHEN kind IN ('reading', 'summary', 'health') THEN 1 ELSE 2 END
    FROM records_1;
CREATE TABLE records (
    journal_id INTEGER NOT NULL REFERENCES journals, seq INTEGER NOT NULL,
    stream_id INTEGER NOT NULL REFERENCES streams,
    ts_ms INTEGER, is_repaired INTEGER NOT NULL DEFAULT 0,
    boot INTEGER NOT NULL, uptime_ms INTEGER NOT NULL, arrived_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (journal_id, seq)
) STRICT;
INSERT INTO records
    SELECT records_1.journal_id, seq, streams.id, ts_ms, is_repaired, boot, uptime_ms, arrived_ms, payload
    FROM records_1 JOIN streams ON streams.journal_id = records_1.journal_id AND streams.kind = records_1.kind
        AND streams.channel = records_1.channel
    ORDER BY arrived_ms, records_1.journal_id, seq;
DROP TABLE records_1;
CREATE INDEX records_by_time ON records (stream_id, coalesce(ts_ms, arrived_ms));
CREATE INDEX records_without_time ON records (journal_id, boot) WHERE ts_ms IS NULL OR is_repaired;
CREATE TABLE rollups (
    stream_id INTEGER NOT NULL REFERENCES streams, width_s INTEGER NOT NULL,
    start_s INTEGER NOT NULL, calibration_id INTEGER NOT NULL REFERENCES calibrations,
    n INTEGER NOT NULL, s TEXT NOT NULL, q TEXT NOT NULL, least INTEGER NOT NULL, most INTEGER NOT NULL,
    anomalies INTEGER NOT NULL,
    PRIMARY KEY (stream_id, width_s, start_s, calibration_id)
) STRICT, WITHOUT ROWID;
INSERT INTO rollups
    SELECT streams.id, width_s, start_s, calibration_id, n, s, q, least, most, anomalies
    FROM rollups_1 JOIN streams ON streams.journal_id = rollups_1.journal_id AND streams.kind = 'summary'
        AND streams.channel = rollups_1.channel;
DROP TABLE rollups_1;
-- What retention has taken out, of each journal and class.
CREATE TABLE dropped (
    journal_id INTEGER NOT NULL REFERENCES journals, class INTEGER NOT NULL,
    records INTEGER NOT NULL, bytes INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    dropped_ms INTEGER NOT NULL, PRIMARY KEY (journal_id, class)
) STRICT, WITHOUT ROWID;
CREATE VIEW messages AS
    SELECT device, journal, seq, kind, channel,
        strftime('%Y-%m-%dT%H:%M:%fZ', ts_ms / 1000.0, 'unixepoch') AS ts, is_repaired, boot, uptime_ms,
        strftime('%Y-%m-%dT%H:%M:%fZ', arrived_ms / 1000.0, 'unixepoch') AS arrived, payload
    FROM records JOIN streams ON streams.id = stream_id JOIN journals ON journals.id = records.journal_id;
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
# What channels are: which record of each boot says it first. A text that is longer than any unit describes nothing.
_THIRD = """
CREATE TABLE descriptions (
    stream_id INTEGER NOT NULL REFERENCES streams, boot INTEGER NOT NULL, sensor_id TEXT NOT NULL,
    unit TEXT NOT NULL, scale TEXT NOT NULL, "offset" TEXT NOT NULL,
    seq INTEGER NOT NULL, uptime_ms INTEGER NOT NULL, ts_ms INTEGER,
    PRIMARY KEY (stream_id, boot, sensor_id, unit, scale, "offset")
) STRICT, WITHOUT ROWID;
INSERT INTO descriptions
    SELECT stream_id, boot, sensor_id, unit, scale, "offset", min(seq), uptime_ms, ts_ms FROM (
        SELECT stream_id, boot, seq, uptime_ms, CASE WHEN is_repaired THEN NULL ELSE ts_ms END AS ts_ms,
            payload ->> 'sensor_id' AS sensor_id, payload ->> 'unit' AS unit,
            coalesce(payload ->> 'scale', '') AS scale, coalesce(payload ->> 'offset', '') AS "offset"
        FROM records
        WHERE CASE WHEN json_valid(payload) AND instr(payload, '\\u0000') = 0 THEN
            json_type(payload, '$.sensor_id') = 'text' AND json_type(payload, '$.unit') = 'text'
            AND coalesce(json_type(payload, '$.scale'), 'text') = 'text'
            AND coalesce(json_type(payload, '$.offset'), 'text') = 'text' END
    ) AS said
    WHERE max(length(sensor_id), length(unit), length(scale), length("offset")) <= 128
        AND (scale = '') = ("offset" = '')
    GROUP BY stream_id, boot, sensor_id, unit, scale, "offset";
CREATE VIEW channels AS
    SELECT device, journal, kind, channel, descriptions.boot, descriptions.seq,
        strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(ts_ms, uptime_ms + epoch_ms) / 1000.0, 'unixepoch') AS ts,
        sensor_id, unit, scale, "offset"
    FROM descriptions JOIN streams ON streams.id = stream_id JOIN journals ON journals.id = streams.journal_id
        LEFT JOIN boots ON boots.journal_id = streams.journal_id AND boots.boot = descriptions.boot;
"""
# A machine's states, each record the beginning of one. lasted: samples that the previous one held.
_FOURTH = """
CREATE VIEW states AS
    SELECT device, seq, channel, ts, payload ->> 'state' AS state, payload ->> 'previous' AS previous,
        payload ->> 'probability' AS probability, payload ->> 'lasted' AS lasted
    FROM messages WHERE kind = 'state';
"""
MIGRATIONS = (_FIRST, _SECOND, _THIRD, _FOURTH)
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
