"""A made fleet through one Mosquitto into one history, and what it costs: `python tools/bench_fleet.py [--json]`.

The lag of a record runs from the time in it to its commit. A history writes one transaction after the other, so a
transaction was committed before the next one began, whose beginning stands in its rows as their arrival.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from kittiwake.history import open_history  # noqa: E402
from kittiwake.history.readers import connect  # noqa: E402
from tests.mosquitto import Mosquitto  # noqa: E402
from tests.postgres import Postgres  # noqa: E402
from tools.bench_process import Process  # noqa: E402

BROKER = (
    "listener PORT 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 0\n"
    "max_queued_messages 0\nlog_type error\n"
)
START_S = 30
DRAIN_S = 120


@contextlib.contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    """Give an empty history's address.

    Args:
        name: "sqlite" or "postgresql".
        folder: for a file.
    """
    if name == "sqlite":
        yield str(folder / "fleet.sqlite")
        return
    with Postgres(config="shared_buffers = 256MB\nmax_wal_size = 2GB") as server:
        yield server.url


def lags_ms(address: str) -> list[int]:
    """Milliseconds from each summary's time to its commit, at most, sorted; without the last transaction's.

    Those of the first third are left out: every device starts at once then.

    Args:
        address: of a history.
    """
    reader = connect(address)
    question = (
        "SELECT following - ts_ms FROM records JOIN (SELECT arrived_ms AS began, lead(arrived_ms) OVER"
        " (ORDER BY arrived_ms) AS following FROM (SELECT DISTINCT arrived_ms FROM records) AS d) AS t"
        " ON began = arrived_ms JOIN streams ON streams.id = stream_id"
        " WHERE following IS NOT NULL AND kind = 'summary' AND ts_ms >= ?"
    )
    ((first_ms, last_ms),) = reader.rows("SELECT min(ts_ms), max(ts_ms) FROM records")
    lags = sorted(int(lag) for (lag,) in reader.each(question, (first_ms + (last_ms - first_ms) // 3,)))
    reader.close()
    return lags


def measure(options: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Run a fleet.

    Args:
        options: of the command line.
        folder: for everything.
    """
    with database(options.database, folder) as address, Mosquitto(folder, whole=BROKER) as broker:
        log = folder / "history.log"
        run = [sys.executable, "-m", "kittiwake"]
        fleet = ["--devices", str(options.devices), "--rate", str(options.rate), "--seconds", str(options.seconds)]
        history = [*run, "history", "run", "--broker", broker.url, "--database", address]
        with open(log, "w") as errors, Process(history, stderr=errors) as keeper:
            deadline = time.monotonic() + START_S
            while "connected to broker" not in log.read_text():
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the history did not start: {log.read_text()}")
                time.sleep(0.05)
            keeper.mark()
            simulate = [*run, "simulate", "--broker", broker.url, *fleet, "--bridges", str(options.bridges), "--json"]
            faults = "--faults" if options.faults else "--no-faults"
            done = subprocess.run([*simulate, faults], stdout=subprocess.PIPE, text=True, check=True)
            outcome = json.loads(done.stdout)
            deadline = time.monotonic() + DRAIN_S
            while (rows := _rows(address)) < outcome["records"] and time.monotonic() < deadline:
                time.sleep(0.2)
            cpu, memory = keeper.cpu_percent(), keeper.peak_mb()
        lags = lags_ms(address)
        with open_history(address) as asked:
            missing = sum(audit.missing for audit in asked.audit())
        return {
            "devices": options.devices,
            "records": outcome["records"],
            "rows": rows,
            "missing": missing,
            "records_a_second": round(outcome["records"] / options.seconds),
            **{f"lag_p{p}_ms": lags[len(lags) * p // 100] for p in (50, 99)},
            "history_cpu_percent": round(cpu, 1),
            "history_memory_mb": round(memory, 1),
        }


def _rows(address: str) -> int:
    reader = connect(address)
    ((rows,),) = reader.rows("SELECT count(*) FROM records")
    reader.close()
    return int(rows)


def main(argv: list[str] | None = None) -> int:
    """Measure and print. Returns the exit code: 1 when a record is not there.

    Args:
        argv: arguments; the process's own when None.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=1000, help="records a second, of all devices")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--bridges", type=int, default=1, help="processes of the fleet")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--faults", action="store_true", help="devices go off line, reboot, and do not know the time")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="kittiwake-fleet-") as name:
        figures = measure(options, Path(name))
    print(json.dumps(figures) if options.json else "\n".join(f"{name:>24}  {value}" for name, value in figures.items()))
    return 0 if figures["rows"] == figures["records"] and not figures["missing"] else 1


if __name__ == "__main__":
    sys.exit(main())
