"""How fast a history takes rows, beside bare SQLite in the same run: `python tools/bench_history.py [--json]`.

The bare side puts the same rows, parsed beforehand, into a table of the same columns by `executemany`, in transactions
of the same size, with the same promise to the disk. The last figure asks a month of one device's minutes by the hour.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from kittiwake.history import open_history
from kittiwake.history.row import Row, read
from kittiwake.history.sqlite_store import SqliteStore

DEVICES = 50
BATCH_ROWS = 1000
MONTH_MINUTES = 43_200
TRIES = 5
EPOCH_MS = 1_800_000_000_000
SECOND_MS, MINUTE_MS = 1000, 60_000


def summaries(count: int, devices: int, every_ms: int) -> Iterator[tuple[str, bytes]]:
    """Messages as the bridge publishes them, from devices in turn.

    Args:
        count: how many.
        devices: how many take turns.
        every_ms: between two of one device.
    """
    chance = random.Random(1)
    for number in range(count):
        device, seq = number % devices, number // devices
        low, total = -chance.randint(1, 900), chance.randint(-9000, 9000)
        body = {
            "sensor_id": "vib-001",
            "unit": "mm/s",
            "ts": _ts(EPOCH_MS + seq * every_ms),
            "mean": total / 6000,
            "stdev": 3.21,
            "low": low / 100,
            "high": 9.0,
            "n": 60,
            "s": total,
            "q": 9_000_000,
            "min": low,
            "max": 900,
            "anomalies": 0,
            "clipped": 0,
            "index": 60 * seq,
            "scale": "1/100",
            "offset": "0/1",
            "device": f"press-{device}",
            "journal": f"{device:016x}",
            "seq": seq,
            "boot": 1,
            "uptime_ms": seq * every_ms,
            "kind": "summary",
            "channel": "vibration",
        }
        yield f"kittiwake/press-{device}/summary/vibration", json.dumps(body, separators=(",", ":")).encode()


def _ts(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def bare_s(path: Path, rows: Sequence[Row]) -> float:
    """Seconds that bare SQLite takes.

    Args:
        path: of a new file.
        rows: all of them.
    """
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(
        "CREATE TABLE records (device TEXT, journal TEXT, seq INTEGER, kind TEXT, channel TEXT, ts_ms INTEGER,"
        " boot INTEGER, uptime_ms INTEGER, payload TEXT, PRIMARY KEY (device, journal, seq)) WITHOUT ROWID"
    )
    started = time.perf_counter()
    for at in range(0, len(rows), BATCH_ROWS):
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (r.device, r.journal, r.seq, r.kind, r.channel, r.ts_ms, r.boot, r.uptime_ms, r.payload)
                for r in rows[at : at + BATCH_ROWS]
            ],
        )
        db.execute("COMMIT")
    took = time.perf_counter() - started
    db.close()
    return took


def store_s(path: Path, rows: Sequence[Row]) -> float:
    """Seconds that the history takes for the same rows, roll-ups included.

    Args:
        path: of a new file.
        rows: all of them.
    """
    store = SqliteStore(path)
    started = time.perf_counter()
    for at in range(0, len(rows), BATCH_ROWS):
        store.write(rows[at : at + BATCH_ROWS], EPOCH_MS)
    took = time.perf_counter() - started
    store.close()
    return took


def month_ms(path: Path) -> float:
    """Milliseconds of asking a month of one device's minutes by the hour, the median of several.

    Args:
        path: of a history.
    """
    spans = []
    for _ in range(TRIES):
        with open_history(path) as history:
            started = time.perf_counter()
            buckets = history.summaries("press-0", "vibration", every_s=3600)
            spans.append((time.perf_counter() - started) * 1000)
        if not buckets:
            raise RuntimeError("the history gave nothing for a month")
    return statistics.median(spans)


def main(argv: list[str] | None = None) -> int:
    """Measure and print. Returns the exit code.

    Args:
        argv: arguments; the process's own when None.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--rows", type=int, default=100_000, help="how many, from 50 devices in turn")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="kittiwake-history-") as name:
        folder = Path(name)
        messages = list(summaries(options.rows, DEVICES, SECOND_MS))
        started = time.perf_counter()
        rows = [read(*message) for message in messages]
        parsed_s = time.perf_counter() - started
        bare, store = bare_s(folder / "bare.sqlite", rows), store_s(folder / "history.sqlite", rows)
        month = [read(*message) for message in summaries(MONTH_MINUTES, 1, MINUTE_MS)]
        store_s(folder / "month.sqlite", month)
        figures = {
            "rows": options.rows,
            "read_a_second": round(options.rows / parsed_s),
            "bare_a_second": round(options.rows / bare),
            "history_a_second": round(options.rows / store),
            "ratio": round(bare / store, 3),
            "month_by_the_hour_ms": round(month_ms(folder / "month.sqlite"), 2),
        }
    print(json.dumps(figures) if options.json else "\n".join(f"{name:>22}  {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
