"""The baseline on a fan's vibration: one-second clips flagged with and without an unbalancing weight, at each speed.

    python tools/bench_fan.py FAN [--t P/Q] [--feature NAME] [--json]

FAN is the folder with fan_0_SPEED_WEIGHT_weight.csv. Of each axis the baseline learns the first half of the clips
without weight and judges the second half and all clips with it, one block a clip, by the firmware's plain kernel; the
reference must agree. The same settings everywhere. One more table judges other speeds by the baseline of "low".
"""

import argparse
import csv
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from kittiwake.reference import baseline as reference
from kittiwake_node import kernels
from kittiwake_node.detect.baseline import NAMES, Baseline

SPEEDS = ("low", "med", "high")
AXES = ("x", "y", "z")
CLIP = 200  # samples: one second

Clips = list[list[int]]
Row = dict[str, Any]


def main() -> int:
    """Print the tables; returns 1 when firmware and reference disagree."""
    parser = argparse.ArgumentParser(description="clips of a fan flagged by the baseline detector")
    parser.add_argument("fan", type=Path, help="folder of the recordings")
    parser.add_argument("--t", type=Fraction, default=Fraction(5), help="threshold, a fraction")
    parser.add_argument("--feature", choices=NAMES, default="variance")
    parser.add_argument("--json", action="store_true", help="one JSON object instead")
    options = parser.parse_args()
    good = {speed: read(options.fan / f"fan_0_{speed}_0_weight.csv") for speed in SPEEDS}
    bad = {speed: read(options.fan / f"fan_0_{speed}_1_weight.csv") for speed in SPEEDS}
    rows = []
    for axis in AXES:
        for speed in SPEEDS:
            half = len(good[speed][axis]) // 2
            learned, held_out = good[speed][axis][:half], good[speed][axis][half:]
            rows.append(row("own", axis, speed, learned, held_out, bad[speed][axis], options))
    for speed in SPEEDS[1:]:
        learned = good["low"]["x"][: len(good["low"]["x"]) // 2]
        rows.append(row("low", "x", speed, learned, good[speed]["x"], bad[speed]["x"], options))
    if options.json:
        print(json.dumps(rows))
    else:
        show(rows, options)
    return 0 if all(r["agrees"] for r in rows) else 1


def read(path: Path) -> dict[str, Clips]:
    """Read a recording: axis -> clips, in order."""
    out: dict[str, dict[str, list[int]]] = {axis: {} for axis in AXES}
    with open(path, newline="") as file:
        for line in csv.DictReader(file):
            for axis in AXES:
                out[axis].setdefault(line["clip"], []).append(int(line[axis]))
    clips = {axis: list(of.values()) for axis, of in out.items()}
    assert all(len(clip) == CLIP for of in clips.values() for clip in of), f"{path}: clips of other lengths"
    return clips


def row(
    source: str, axis: str, speed: str, learned: Clips, good: Clips, bad: Clips, options: argparse.Namespace
) -> Row:
    """Learn, judge the good and the bad clips, and ask the reference for the same."""
    # The first block is dropped: nothing came before it.
    learn = len(learned) - 1
    t = options.t
    detector = Baseline(kernels.load("plain"), CLIP, learn, (options.feature,), t.numerator, t.denominator)
    series = [x for clip in learned + good + bad for x in clip]
    flagged = [i // CLIP for i, x in enumerate(series) if detector.push(x)]
    expected = [i // CLIP for i, _ in reference.anomalies(series, CLIP, learn, t, (options.feature,))]
    onset = len(learned) + len(good)
    return {
        "baseline": source,
        "axis": axis,
        "speed": speed,
        "learned": len(learned),
        "good": len(good),
        "good_flagged": sum(clip < onset for clip in flagged),
        "bad": len(bad),
        "bad_flagged": sum(clip >= onset for clip in flagged),
        "agrees": flagged == expected,
    }


def show(rows: list[Row], options: argparse.Namespace) -> None:
    """Print the rows as tables."""
    print(
        f"baseline, {options.feature}, t = {options.t}, one block of {CLIP} samples a clip, learned on the first half"
    )
    print(f"{'axis':<5}{'speed':<6}{'baseline':<10}{'no weight, flagged':>22}{'weight, flagged':>22}")
    for r in rows:
        good, bad = (f"{r[k + '_flagged']} of {r[k]}, {r[k + '_flagged'] / r[k]:6.1%}" for k in ("good", "bad"))
        source = "its own" if r["baseline"] == "own" else f"of {r['baseline']}"
        print(f"{r['axis']:<5}{r['speed']:<6}{source:<10}{good:>22}{bad:>22}{'' if r['agrees'] else '  DISAGREES'}")
    if all(r["agrees"] for r in rows):
        print("the firmware's plain kernel and the reference flag the same clips")


if __name__ == "__main__":
    sys.exit(main())
