"""How long flash lasts under the journal: `python tools/bench_wear.py [--json] [--days D]`.

The firmware's journal on MicroPython's LittleFS, on flash that counts every erase of every block; time is simulated. A
partition of 1 MiB in blocks of 4 KiB that stand 100,000 erases. Its life is told twice: until the block worn most in
the time simulated reaches that, and, what levelling tends to over years, until the blocks' mean does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kittiwake.target.micropython_unix import find_micropython

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = 256
CYCLES = 100_000
DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Load:
    """What a node makes: seconds between summaries and alerts (0 for none), ms that telemetry may wait; days of it."""

    name: str
    summary_s: float
    alert_s: float
    commit_ms: int = 1000
    days: float = 30


LOADS = (
    Load("a summary a minute, 10 alerts an hour", 60, 360),
    Load("a summary a second", 1, 0),
    Load("the same, safe within a minute", 1, 0, 60_000),
    Load("1 kHz with 6 alerts a second", 60, 1 / 6, days=3),
)


def run(load: Load, listens: bool = True) -> dict[str, Any]:
    """Simulate a load, a health record every minute beside it.

    Args:
        load: what is made.
        listens: a gateway acknowledges what is committed; else the journal fills, and evicts from then on.

    Returns:
        What tools/wear_board.py counts, and: programmed_ratio (bytes programmed a payload byte), erased_per_kib (blocks
        erased per KiB of payload), years (by the most worn block), years_mean.

    Raises:
        SystemExit: there is no MicroPython for the unix target.
    """
    program = find_micropython()
    if program is None:
        raise SystemExit("bench-wear: micropython is missing; make setup-dev")
    settings = {
        "days": load.days,
        "summary_s": load.summary_s,
        "alert_s": load.alert_s,
        "health_s": 60,
        "commit_ms": load.commit_ms,
        "listens": listens,
        "blocks": BLOCKS,
    }
    command = [program, "-X", "heapsize=64M", str(ROOT / "tools/wear_board.py"), str(ROOT / "firmware")]
    finished = subprocess.run([*command, json.dumps(settings)], capture_output=True, text=True, check=True)
    counted: dict[str, Any] = json.loads(finished.stdout)
    return counted | {
        "load": load.name,
        "days": load.days,
        "programmed_ratio": round(counted["programmed_bytes"] / counted["payload_bytes"], 2),
        "erased_per_kib": round(counted["erased_blocks"] / (counted["payload_bytes"] / 1024), 3),
        "years": years(counted["most_erased"], load.days),
        "years_mean": years(counted["erased_blocks"] / BLOCKS, load.days),
    }


def years(erases: float, days: float) -> float:
    """Years until a block that is erased so often in so many days has stood its cycles."""
    return round(CYCLES / erases * days / DAYS_A_YEAR, 1)


def main() -> None:
    """Simulate every load and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a load")
    parser.add_argument("--days", type=float, help="simulate so many days of each")
    options = parser.parse_args()
    if not options.json:
        print(f"{'load':<40} {'programmed':>10} {'erased':>9} {'most worn':>10} {'mean':>10}   simulated")
        print(f"{'':<40} {'a byte':>10} {'a KiB':>9} {'years':>10} {'years':>10}")
    for load in LOADS:
        if options.days:
            load = Load(load.name, load.summary_s, load.alert_s, load.commit_ms, options.days)
        print(f"{load.name}: {load.days:g} days", file=sys.stderr, flush=True)
        row = run(load)
        if options.json:
            print(json.dumps(row), flush=True)
        else:
            print(
                f"{row['load']:<40} {row['programmed_ratio']:>10} {row['erased_per_kib']:>9} {row['years']:>10}"
                f" {row['years_mean']:>10}   {row['days']:g} days, {row['records']:,} records",
                flush=True,
            )


if __name__ == "__main__":
    main()
