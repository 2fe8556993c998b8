"""How fast a history takes rows, beside bare SQLite and bare COPY in the same run: `python tools/bench_history.py`.

The bare side puts the same rows, parsed beforehand, into a table of the same columns with the same key, by
`executemany` or COPY, in transactions of the same size, with the same promise to the disk. The sides take turns, and
the medians count. PostgreSQL is a private server, where Debian's package is installed. `--million N` fills a file with
N million rows first, and asks a month of a device's minutes by the hour among them.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kittiwake.history import open_history  # noqa: E402
from kittiwake.history.row import Row, read  # noqa: E402
from kittiwake.history.stores import open_store  # noqa: E402
from tests.postgres import Postgres  # noqa: E402
from tools import system  # noqa: E402

DEVICES = 50
BATCH_ROWS = 1000
MONTH_MINUTES = 43_200
TRIES = 5
ROUNDS = 3
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


def bare_copy_s(address: str, rows: Sequence[Row]) -> float:
    """Seconds that a bare COPY takes.

    Args:
        address: of a server.
        rows: all of them.
    """
    import psycopg

    with psycopg.connect(address, autocommit=True) as db:
        db.execute("DROP TABLE IF EXISTS public.records")
        db.execute(
            "CREATE TABLE public.records (device text, journal text, seq bigint, kind text, channel text, ts_ms bigint,"
            " boot bigint, uptime_ms bigint, payload text, PRIMARY KEY (device, journal, seq))"
        )
        started = time.perf_counter()
        for at in range(0, len(rows), BATCH_ROWS):
            with db.transaction(), db.cursor().copy("COPY public.records FROM STDIN") as copy:
                for r in rows[at : at + BATCH_ROWS]:
                    key = (r.device, r.journal, r.seq, r.kind, r.channel)
                    copy.write_row((*key, r.ts_ms, r.boot, r.uptime_ms, r.payload))
        return time.perf_counter() - started


def store_s(address: str, rows: Sequence[Row]) -> float:
    """Seconds that the history takes for the same rows, roll-ups included.

    Args:
        address: of a new history.
        rows: all of them.
    """
    store = open_store(address)
    store.write([], EPOCH_MS)
    started = time.perf_counter()
    for at in range(0, len(rows), BATCH_ROWS):
        store.write(rows[at : at + BATCH_ROWS], EPOCH_MS)
    took = time.perf_counter() - started
    store.close()
    return took


def in_sqlite(folder: Path, rows: Sequence[Row]) -> dict[str, float]:
    """Figures of the file.

    Args:
        folder: for files.
        rows: all of them.
    """
    bare, store, cpu_s = [], [], [0.0, 0.0]
    for number in range(ROUNDS):
        began = time.process_time()
        bare.append(bare_s(folder / f"bare-{number}.sqlite", rows))
        between = time.process_time()
        store.append(store_s(str(folder / f"history-{number}.sqlite"), rows))
        cpu_s[0] += between - began
        cpu_s[1] += time.process_time() - between
    # Other work on the machine does not change what a row costs in seconds of CPU.
    figures = _figures("sqlite", "bare_sqlite", len(rows), bare, store)
    return {**figures, "sqlite_cpu_ratio": round(cpu_s[0] / cpu_s[1], 3)}


def in_postgres(rows: Sequence[Row]) -> dict[str, float]:
    """Figures of a private server; none where it is not installed.

    Args:
        rows: all of them.
    """
    if not system.find("pg_ctlcluster"):
        return {}
    bare, store = [], []
    with Postgres(config="shared_buffers = 256MB\nmax_wal_size = 4GB") as server:
        for _ in range(ROUNDS):
            bare.append(bare_copy_s(server.url, rows))
            server.run("DROP SCHEMA IF EXISTS kittiwake CASCADE")
            store.append(store_s(server.url, rows))
    return _figures("postgresql", "bare_copy", len(rows), bare, store)


def _figures(name: str, bare_name: str, rows: int, bare: list[float], store: list[float]) -> dict[str, float]:
    return {
        f"{bare_name}_a_second": round(rows / statistics.median(bare)),
        f"{name}_a_second": round(rows / statistics.median(store)),
        f"{name}_ratio": round(statistics.median(bare) / statistics.median(store), 3),
    }


def among_many(folder: Path, million: int, month: Sequence[Row]) -> dict[str, float]:
    """Milliseconds of asking a month by the hour in a file with millions of rows, and how large that is.

    The store writes one device's month; the file then gets copies of it, as other devices', by SQL: the rows, roll-ups
    and indexes are those that the store would have made.

    Args:
        folder: for the file.
        million: rows, in millions.
        month: of a device.
    """
    path = folder / "many.sqlite"
    store_s(str(path), month)
    db = sqlite3.connect(path, isolation_level=None)
    ((stream,),) = db.execute("SELECT id FROM streams").fetchall()
    devices = -(-million * 1_000_000 // len(month))
    for number in range(1, devices):
        db.execute("BEGIN")
        copy = db.execute("INSERT INTO journals (device, journal) VALUES (?, ?)", (f"copy-{number}", f"{number:016x}"))
        journal = copy.lastrowid
        copy = db.execute("INSERT INTO streams SELECT NULL, ?, kind, channel, class FROM streams LIMIT 1", (journal,))
        db.execute(
            "INSERT INTO records SELECT ?, seq, ?, ts_ms, is_repaired, boot, uptime_ms, arrived_ms, payload"
            " FROM records WHERE stream_id = ?",
            (journal, copy.lastrowid, stream),
        )
        db.execute(
            "INSERT INTO rollups SELECT ?, width_s, start_s, calibration_id, n, s, q, least, most, anomalies"
            " FROM rollups WHERE stream_id = ?",
            (copy.lastrowid, stream),
        )
        db.execute("COMMIT")
    db.close()
    return {
        "many_rows": devices * len(month),
        "many_gib": round(path.stat().st_size / (1 << 30), 2),
        "month_by_the_hour_among_many_ms": round(month_ms(path), 2),
    }


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
    parser.add_argument("--million", type=int, default=0, help="millions of rows in a file, in which a month is asked")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="kittiwake-history-") as name:
        folder = Path(name)
        messages = list(summaries(options.rows, DEVICES, SECOND_MS))
        started = time.perf_counter()
        rows = [read(*message) for message in messages]
        parsed_s = time.perf_counter() - started
        # What is there now is the benchmark's: neither side is to pay for the collector's looks at it.
        gc.collect()
        gc.freeze()
        month = [read(*message) for message in summaries(MONTH_MINUTES, 1, MINUTE_MS)]
        store_s(str(folder / "month.sqlite"), month)
        figures = {
            "rows": options.rows,
            "read_a_second": round(options.rows / parsed_s),
            **in_sqlite(folder, rows),
            **in_postgres(rows),
            "month_by_the_hour_ms": round(month_ms(folder / "month.sqlite"), 2),
            **(among_many(folder, options.million, month) if options.million else {}),
        }
    print(json.dumps(figures) if options.json else "\n".join(f"{name:>32}  {value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
