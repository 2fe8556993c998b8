"""The PostgreSQL schema, its migrations and its partitions. Forward only; each migration leads to the next version.

A migration, once released, is never changed: databases that it made are out there. All of it is in the schema
`kittiwake`, so that what else the database holds stays apart.

Records are partitioned by class (raw, telemetry, alert) and in it by the week of the time that was published, which a
copy of a record shares, so that the key needs no index across partitions. What came without a time has a partition of
its own, and so has what lies before 2020 or in the future: a board's clock that is wrong makes no partitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

from kittiwake.errors import KittiwakeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

CLASSES = ("raw", "telemetry", "alert")
# made_ms of a record that came without a time.
UNTIMED = -(1 << 63)
WEEK_MS = 7 * 86_400_000
_BELIEVED_FROM_MS = 1_577_836_800_000  # 2020
_AHEAD_WEEKS = 2
# Whoever changes the schema or makes partitions waits for others who do.
LOCK = 0x4B576873

_FIRST: LiteralString = """
CREATE TABLE version (version integer NOT NULL);
INSERT INTO version VALUES (0);
CREATE TABLE journals (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, device text NOT NULL, journal text NOT NULL,
    UNIQUE (device, journal)
);
CREATE TABLE streams (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, journal_id bigint NOT NULL REFERENCES journals,
    kind text NOT NULL, channel text NOT NULL, class smallint NOT NULL, UNIQUE (journal_id, kind, channel)
);
-- made_ms: the time as published, the smallest integer where there was none. ts_ms: the time, repaired or not.
CREATE TABLE records (
    journal_id bigint NOT NULL, seq bigint NOT NULL, stream_id bigint NOT NULL, class smallint NOT NULL,
    made_ms bigint NOT NULL, ts_ms bigint, is_repaired boolean NOT NULL DEFAULT false,
    boot bigint NOT NULL, uptime_ms bigint NOT NULL, arrived_ms bigint NOT NULL, payload text NOT NULL,
    PRIMARY KEY (journal_id, seq, class, made_ms)
) PARTITION BY LIST (class);
CREATE INDEX records_by_time ON records (stream_id, (coalesce(ts_ms, arrived_ms)));
CREATE INDEX records_without_time ON records (journal_id, boot) WHERE made_ms = -9223372036854775808;
CREATE TABLE records_raw PARTITION OF records FOR VALUES IN (0) PARTITION BY RANGE (made_ms);
CREATE TABLE records_telemetry PARTITION OF records FOR VALUES IN (1) PARTITION BY RANGE (made_ms);
CREATE TABLE records_alert PARTITION OF records FOR VALUES IN (2) PARTITION BY RANGE (made_ms);
CREATE TABLE records_raw_untimed PARTITION OF records_raw
    FOR VALUES FROM (MINVALUE) TO (-9223372036854775807);
CREATE TABLE records_telemetry_untimed PARTITION OF records_telemetry
    FOR VALUES FROM (MINVALUE) TO (-9223372036854775807);
CREATE TABLE records_alert_untimed PARTITION OF records_alert
    FOR VALUES FROM (MINVALUE) TO (-9223372036854775807);
CREATE TABLE records_raw_other PARTITION OF records_raw DEFAULT;
CREATE TABLE records_telemetry_other PARTITION OF records_telemetry DEFAULT;
CREATE TABLE records_alert_other PARTITION OF records_alert DEFAULT;
CREATE TABLE boots (
    journal_id bigint NOT NULL REFERENCES journals, boot bigint NOT NULL, seq bigint NOT NULL,
    epoch_ms bigint NOT NULL, PRIMARY KEY (journal_id, boot)
);
CREATE TABLE calibrations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, unit text NOT NULL, scale text NOT NULL,
    "offset" text NOT NULL, UNIQUE (unit, scale, "offset")
);
CREATE TABLE rollups (
    stream_id bigint NOT NULL, width_s integer NOT NULL, start_s bigint NOT NULL,
    calibration_id bigint NOT NULL, n bigint NOT NULL, s numeric NOT NULL, q numeric NOT NULL,
    least bigint NOT NULL, most bigint NOT NULL, anomalies bigint NOT NULL,
    PRIMARY KEY (stream_id, width_s, start_s, calibration_id)
) WITH (fillfactor = 70);
-- What retention has taken out, of each journal and class.
CREATE TABLE dropped (
    journal_id bigint NOT NULL REFERENCES journals, class smallint NOT NULL, records bigint NOT NULL,
    bytes bigint NOT NULL, first_seq bigint NOT NULL, last_seq bigint NOT NULL, dropped_ms bigint NOT NULL,
    PRIMARY KEY (journal_id, class)
);
-- A field of a message; json cannot give a text with NUL in it.
CREATE FUNCTION field(payload text, name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT CASE WHEN strpos(payload, '\\u0000') = 0 THEN payload::json ->> name END $$;
CREATE VIEW messages AS
    SELECT device, journal, seq, kind, channel, to_timestamp(ts_ms / 1000.0) AS ts, is_repaired, boot, uptime_ms,
        to_timestamp(arrived_ms / 1000.0) AS arrived, payload, made_ms
    FROM records JOIN streams ON streams.id = stream_id JOIN journals ON journals.id = records.journal_id;
CREATE VIEW alerts AS
    SELECT device, seq, channel, ts, field(payload, 'detector') AS detector,
        field(payload, 'value')::double precision AS value, field(payload, 'unit') AS unit,
        field(payload, 'z_score')::double precision AS z_score, field(payload, 'mean')::double precision AS mean,
        field(payload, 'stdev')::double precision AS stdev
    FROM messages WHERE kind = 'alert';
CREATE VIEW summaries AS
    SELECT device, seq, channel, ts, field(payload, 'n')::bigint AS n, field(payload, 's')::numeric AS s,
        field(payload, 'q')::numeric AS q, field(payload, 'mean')::double precision AS mean,
        field(payload, 'stdev')::double precision AS stdev, field(payload, 'low')::double precision AS low,
        field(payload, 'high')::double precision AS high, field(payload, 'unit') AS unit
    FROM messages WHERE kind = 'summary';
CREATE VIEW readings AS
    SELECT device, seq, channel, ts, field(payload, 'value')::double precision AS value, field(payload, 'unit') AS unit
    FROM messages WHERE kind = 'reading';
CREATE VIEW keywords AS
    SELECT device, seq, channel, ts, field(payload, 'keyword') AS keyword,
        field(payload, 'probability')::double precision AS probability, field(payload, 'verdict') AS verdict
    FROM messages WHERE kind = 'keyword';
CREATE VIEW events AS
    SELECT device, seq, ts, field(payload, 'code') AS code, field(payload, 'text') AS text
    FROM messages WHERE kind = 'event';
CREATE VIEW health AS
    SELECT device, seq, ts, uptime_ms, field(payload, 'heap_free')::bigint AS heap_free
    FROM messages WHERE kind = 'health';
CREATE VIEW hours AS
    SELECT device, channel, to_timestamp(start_s) AS ts, n, s, q, least, most, anomalies, unit, scale, "offset"
    FROM rollups JOIN streams ON streams.id = stream_id JOIN journals ON journals.id = journal_id
        JOIN calibrations ON calibrations.id = calibration_id
    WHERE width_s = 3600;
"""
# What channels are: which record of each boot says it first. A text that is longer than any unit describes nothing.
_SECOND: LiteralString = """
CREATE TABLE descriptions (
    stream_id bigint NOT NULL REFERENCES streams, boot bigint NOT NULL, sensor_id text NOT NULL, unit text NOT NULL,
    scale text NOT NULL, "offset" text NOT NULL, seq bigint NOT NULL, uptime_ms bigint NOT NULL, ts_ms bigint,
    PRIMARY KEY (stream_id, boot, sensor_id, unit, scale, "offset")
);
INSERT INTO descriptions
    SELECT DISTINCT ON (stream_id, boot, sensor_id, unit, scale, "offset")
        stream_id, boot, sensor_id, unit, scale, "offset", seq, uptime_ms, ts_ms
    FROM (
        SELECT stream_id, boot, seq, uptime_ms, CASE WHEN is_repaired THEN NULL ELSE ts_ms END AS ts_ms,
            body ->> 'sensor_id' AS sensor_id, body ->> 'unit' AS unit, coalesce(body ->> 'scale', '') AS scale,
            coalesce(body ->> 'offset', '') AS "offset", body
        FROM records, LATERAL
            (SELECT CASE WHEN strpos(payload, '\\u0000') = 0 THEN payload::json END AS body) AS parsed
    ) AS said
    WHERE json_typeof(body -> 'sensor_id') = 'string' AND json_typeof(body -> 'unit') = 'string'
        AND coalesce(json_typeof(body -> 'scale'), 'string') = 'string'
        AND coalesce(json_typeof(body -> 'offset'), 'string') = 'string'
        AND greatest(length(sensor_id), length(unit), length(scale), length("offset")) <= 128
        AND (scale = '') = ("offset" = '')
    ORDER BY stream_id, boot, sensor_id, unit, scale, "offset", seq;
CREATE VIEW channels AS
    SELECT device, journal, kind, channel, descriptions.boot, descriptions.seq,
        to_timestamp(coalesce(ts_ms, uptime_ms + epoch_ms) / 1000.0) AS ts, sensor_id, unit, scale, "offset"
    FROM descriptions JOIN streams ON streams.id = stream_id JOIN journals ON journals.id = streams.journal_id
        LEFT JOIN boots ON boots.journal_id = streams.journal_id AND boots.boot = descriptions.boot;
"""
# A machine's states, each record the beginning of one. lasted: samples that the previous one held.
_THIRD: LiteralString = """
CREATE VIEW states AS
    SELECT device, seq, channel, ts, field(payload, 'state') AS state, field(payload, 'previous') AS previous,
        field(payload, 'probability')::double precision AS probability, field(payload, 'lasted')::bigint AS lasted
    FROM messages WHERE kind = 'state';
"""
MIGRATIONS: tuple[LiteralString, ...] = (_FIRST, _SECOND, _THIRD)
VERSION = len(MIGRATIONS)


def prepare(connection: Connection[tuple[object, ...]], name: str) -> None:
    """Bring a database to this version; an empty one becomes a history.

    Args:
        connection: in autocommit mode, to write, with `kittiwake` as its search path.
        name: of the database, for messages.

    Raises:
        KittiwakeError: it is a newer version's, or has an encoding that cannot hold every text.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise KittiwakeError(f"{name} has the encoding {encoding}", "make it with ENCODING 'UTF8'")
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute("CREATE SCHEMA IF NOT EXISTS kittiwake")
        for number in range(check(connection, name), VERSION):
            connection.execute(MIGRATIONS[number])
            connection.execute("UPDATE version SET version = %s", (number + 1,))


def check(connection: Connection[tuple[object, ...]], name: str) -> int:
    """Say which version a database has, 0 for none.

    Args:
        connection: to it, with `kittiwake` as its search path.
        name: of the database, for messages.

    Raises:
        KittiwakeError: it is a newer version's.
    """
    row = connection.execute("SELECT to_regclass('kittiwake.version') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute("SELECT version FROM version").fetchone()
    version = row[0] if row is not None else None
    if not isinstance(version, int):
        raise KittiwakeError(f"{name} has a schema kittiwake that is none of ours", "name another database")
    if version > VERSION:
        raise KittiwakeError(f"{name} has schema {version}, this program knows {VERSION}", "update kittiwake here")
    return version


class Partitions:
    """Makes partitions by the week, ahead of time and where rows need them.

    Args:
        connection: in autocommit mode.
    """

    def __init__(self, connection: Connection[tuple[object, ...]]):
        self._db = connection
        self._weeks: set[int] = set()

    def make(self, made_ms: Iterable[int], now_ms: int) -> None:
        """Make those that these rows need, and those of the weeks to come.

        Args:
            made_ms: times as published.
            now_ms: the time now.
        """
        now = now_ms // WEEK_MS
        weeks = {made // WEEK_MS for made in made_ms if _BELIEVED_FROM_MS <= made < (now + 1) * WEEK_MS}
        for week in sorted(weeks.union(range(now, now + _AHEAD_WEEKS)) - self._weeks):
            with self._db.transaction():
                self._db.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                for name in CLASSES:
                    self._make(name, week)
            self._weeks.add(week)

    def _make(self, name: str, week: int) -> None:
        from psycopg import sql

        partition = f"records_{name}_{week}"
        row = self._db.execute("SELECT to_regclass(%s) IS NULL", (f"kittiwake.{partition}",)).fetchone()
        if row is None or not row[0]:
            return
        names = {
            "partition": sql.Identifier(partition),
            "parent": sql.Identifier(f"records_{name}"),
            "other": sql.Identifier(f"records_{name}_other"),
            "start": sql.Literal(week * WEEK_MS),
            "end": sql.Literal((week + 1) * WEEK_MS),
        }
        # What came when this week was still the future lies in the partition for the rest.
        for statement in (
            "CREATE TABLE {partition} (LIKE {parent} INCLUDING DEFAULTS)",
            "WITH moved AS (DELETE FROM {other} WHERE made_ms >= {start} AND made_ms < {end} RETURNING *)"
            " INSERT INTO {partition} SELECT * FROM moved",
            "ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end})",
        ):
            self._db.execute(sql.SQL(statement).format(**names))

    def forget(self) -> None:
        """Know of none any more: retention has dropped some."""
        self._weeks.clear()
