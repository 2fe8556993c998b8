"""Retention of a history in PostgreSQL: partitions of weeks are dropped whole, what lies in none is deleted.

Every record is counted where it is taken out, in the transaction that does it.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection, sql

from kittiwake.history.postgres_schema import CLASSES, WEEK_MS
from kittiwake.history.retention import Dropped, Policy

_STEP_RECORDS = 5000
_WEEKS = (
    "SELECT class.relname, week.relname, pg_total_relation_size(week.oid) FROM pg_inherits"
    " JOIN pg_class class ON class.oid = inhparent JOIN pg_class week ON week.oid = inhrelid"
    " JOIN pg_namespace ON pg_namespace.oid = week.relnamespace"
    " WHERE nspname = 'kittiwake' AND week.relname ~ '^records_[a-z]+_[0-9]+$'"
)
_COUNT = """
WITH gone AS ({rows}), counted AS (
    INSERT INTO dropped
        SELECT journal_id, class, count(*), sum(octet_length(payload)), min(seq), max(seq), {now}
        FROM gone GROUP BY journal_id, class
    ON CONFLICT (journal_id, class) DO UPDATE SET
        records = dropped.records + excluded.records, bytes = dropped.bytes + excluded.bytes,
        first_seq = least(dropped.first_seq, excluded.first_seq),
        last_seq = greatest(dropped.last_seq, excluded.last_seq), dropped_ms = excluded.dropped_ms
)
SELECT count(*), coalesce(sum(octet_length(payload)), 0)::bigint FROM gone
"""
# A DELETE takes no LIMIT: ctid is the way to some rows of one table.
_SOME = (
    "DELETE FROM {table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM {table}"
    " WHERE coalesce(ts_ms, arrived_ms) < {before} LIMIT {limit})) RETURNING journal_id, class, seq, payload"
)


def step(db: Connection[tuple[Any, ...]], policy: Policy, now_ms: int) -> Dropped:
    """Take out what goes first.

    Args:
        db: in autocommit mode, with `kittiwake` as its search path.
        policy: what stays.
        now_ms: the time now.

    Returns:
        What went.

    Raises:
        psycopg.Error: nothing went.
    """
    weeks = _weeks(db)
    for number, before_ms in policy.cutoffs_ms(now_ms):
        old = [week for week in weeks[number] if (week + 1) * WEEK_MS <= before_ms]
        if old:
            return _drop_week(db, number, old[0], now_ms)
        for rest in ("untimed", "other"):
            dropped = _drop_some(db, f"records_{CLASSES[number]}_{rest}", before_ms, now_ms)
            if dropped.records:
                return dropped
    # Weeks that have ended only: what is deleted elsewhere would give no bytes back.
    if policy.limit_bytes and sum(sum(sizes.values()) for sizes in weeks.values()) > policy.limit_bytes:
        for number in range(len(CLASSES)):
            old = [week for week in weeks[number] if week < now_ms // WEEK_MS]
            if old:
                return _drop_week(db, number, old[0], now_ms)
    return Dropped()


def _weeks(db: Connection[tuple[Any, ...]]) -> dict[int, dict[int, int]]:
    """Bytes of each week's partition, by class and week, the oldest first."""
    weeks: dict[int, dict[int, int]] = {number: {} for number in range(len(CLASSES))}
    numbers = {f"records_{name}": number for number, name in enumerate(CLASSES)}
    rows = [(numbers[parent], int(name.rsplit("_", 1)[1]), size) for parent, name, size in db.execute(_WEEKS)]
    for number, week, size in sorted(rows):
        weeks[number][week] = size
    return weeks


def _drop_week(db: Connection[tuple[Any, ...]], number: int, week: int, now_ms: int) -> Dropped:
    table = sql.Identifier(f"records_{CLASSES[number]}_{week}")
    rows = sql.SQL("SELECT journal_id, class, seq, payload FROM {}").format(table)
    with db.transaction():
        # Whoever asks or writes goes on: a lock that is not to be had now is tried again later.
        db.execute("SET LOCAL lock_timeout TO '5s'")
        parent = sql.Identifier(f"records_{CLASSES[number]}")
        db.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(parent))
        dropped = _count(db, rows, now_ms)
        db.execute(sql.SQL("DROP TABLE {}").format(table))
    return dropped


def _drop_some(db: Connection[tuple[Any, ...]], name: str, before_ms: int, now_ms: int) -> Dropped:
    rows = sql.SQL(_SOME).format(
        table=sql.Identifier(name), before=sql.Literal(before_ms), limit=sql.Literal(_STEP_RECORDS)
    )
    with db.transaction():
        return _count(db, rows, now_ms)


def _count(db: Connection[tuple[Any, ...]], rows: sql.Composed, now_ms: int) -> Dropped:
    ((records, size),) = db.execute(sql.SQL(_COUNT).format(rows=rows, now=sql.Literal(now_ms))).fetchall()
    return Dropped(records, size, is_done=False)
