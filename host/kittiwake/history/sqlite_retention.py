"""Retention of a history in a file: a bounded number of records a step, each counted where it is taken out."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from kittiwake.history.retention import HOUR_MS, Dropped, Policy
from kittiwake.history.row import ALERT, RAW, TELEMETRY

_STEP_RECORDS = 2000


def step(db: sqlite3.Connection, path: Path, policy: Policy, now_ms: int) -> Dropped:
    """Take out what goes first, one transaction's worth.

    Args:
        db: in autocommit mode, to write.
        path: of its file.
        policy: what stays.
        now_ms: the time now.

    Returns:
        What went.

    Raises:
        sqlite3.Error: the file could not be written; nothing went.
    """
    for number, before_ms in policy.cutoffs_ms(now_ms):
        dropped = _drop(db, number, before_ms, now_ms)
        if dropped.records:
            return dropped
    if _is_over(db, path, policy):
        for number in (RAW, TELEMETRY, ALERT):
            (oldest_ms,) = db.execute(
                "SELECT min((SELECT min(coalesce(ts_ms, arrived_ms)) FROM records WHERE stream_id = streams.id))"
                " FROM streams WHERE class = ?",
                (number,),
            ).fetchone()
            if oldest_ms is not None:
                return _drop(db, number, oldest_ms + HOUR_MS, now_ms)
    return Dropped()


def _is_over(db: sqlite3.Connection, path: Path, policy: Policy) -> bool:
    page, pages, unused = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
    )
    if policy.limit_bytes and (pages - unused) * page > policy.limit_bytes:
        return True
    if not policy.free_share:
        return False
    disk = os.statvfs(path)
    # The file does not shrink: its pages that hold nothing any more are as good as free.
    return disk.f_bavail * disk.f_frsize + unused * page < policy.free_share * disk.f_blocks * disk.f_frsize


def _drop(db: sqlite3.Connection, number: int, before_ms: int, now_ms: int) -> Dropped:
    """Take records of a class out that are older than a time, some of them."""
    db.execute("BEGIN IMMEDIATE")
    try:
        rows = db.execute(
            "SELECT records.rowid, records.journal_id, seq, length(CAST(payload AS BLOB)) FROM streams"
            " CROSS JOIN records ON stream_id = streams.id"
            " WHERE class = ? AND coalesce(ts_ms, arrived_ms) < ? LIMIT ?",
            (number, before_ms, _STEP_RECORDS),
        ).fetchall()
        db.executemany("DELETE FROM records WHERE rowid = ?", [(rowid,) for rowid, *_ in rows])
        db.executemany(
            "INSERT INTO dropped VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET records = records + 1,"
            " bytes = bytes + excluded.bytes, first_seq = min(first_seq, excluded.first_seq),"
            " last_seq = max(last_seq, excluded.last_seq), dropped_ms = excluded.dropped_ms",
            [(journal, number, size, seq, seq, now_ms) for _, journal, seq, size in rows],
        )
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return Dropped(len(rows), sum(size for *_, size in rows), is_done=not rows)
