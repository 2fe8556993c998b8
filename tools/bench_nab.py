"""The Numenta Anomaly Benchmark's table: our detectors' scores, and beside them what would show tuning or luck.

    python tools/bench_nab.py NAB [--published CHECKOUT] [-o PICTURE] [--quick] [--json]

NAB is the folder with data/ and labels/. The scorer must reproduce the windowed Gaussian's published score from its
published detections, of the checkout's results/ (NAB itself, or --published) or of the copy here; else nothing more is
printed. Detections are the references'; the firmware's plain kernels are run beside them and must agree.
"""

import argparse
import json
import random
import statistics
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from kittiwake.reference import drift, novelty, zscore
from kittiwake_node import kernels
from kittiwake_node.detect.drift import Drift
from kittiwake_node.detect.novelty import Novelty
from kittiwake_node.detect.zscore import ZScore

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools import nab, nab_picture  # noqa: E402 - the folder of tools is no installed package

# Standard, reward low FP, reward low FN, as published on the benchmark's scoreboard.
PUBLISHED = {
    "ARTime": (74.9, 65.2, 80.4),
    "Numenta HTM": (70.5, 62.6, 75.2),
    "CAD OSE": (69.9, 67.0, 73.2),
    "KNN-CAD": (58.0, 43.4, 64.8),
    "Relative Entropy": (54.6, 47.6, 58.8),
    "Random Cut Forest": (51.7, 38.4, 59.7),
    "Windowed Gaussian": (39.6, 20.9, 47.4),
    "Etsy Skyline": (35.7, 27.1, 44.5),
}
CONTROL_RUNS = 100
# What was chosen by looking at these files, and the range of the choice; everything else was not.
CHOSEN = {"base": (432, 464, 496, 512, 528, 560), "step": (64, 80, 96, 112)}

Alarms = dict[str, list[int]]
# Section -> row -> profile -> score.
Table = dict[str, dict[str, dict[str, float]]]
# What nab.count gives of each file.
Counts = dict[str, Any]


def main() -> int:
    """Print the table; returns 1 when the scorer or the firmware disagrees."""
    arguments = _arguments()
    benchmark = nab.load(arguments.nab)
    out: Table = {}
    if not _check_scorer(benchmark, arguments.published or arguments.nab, out):
        return 1
    quantised = {series.name: nab.quantise(series.values) for series in benchmark}
    alarms = {
        "novelty": {name: list(novelty.alarms(xs)) for name, xs in quantised.items()},
        "drift": {name: list(drift.detections(xs)) for name, xs in quantised.items()},
        "zscore n=20 t=5/2": {
            name: [a.index for a in zscore.alerts(xs, 20, Fraction(5, 2))] for name, xs in quantised.items()
        },
    }
    _show(out, nab_picture.OURS, {name: _row(benchmark, flags) for name, flags in alarms.items()})
    if not _check_firmware(quantised, alarms):
        return 1
    _show(out, nab_picture.CONTROLS, _controls(benchmark, alarms["novelty"]))
    if not arguments.quick:
        _show(out, nab_picture.TWO_FOLD, _two_fold(benchmark, quantised))
        _show(out, nab_picture.QUARTERS, _sensitivity(benchmark, quantised, novelty))
        _show(out, nab_picture.DRIFT_QUARTERS, _sensitivity(benchmark, quantised, drift))
    if arguments.output:
        nab_picture.draw(arguments.output, PUBLISHED, out)
    if arguments.json:
        print(json.dumps(out))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="scores on the Numenta Anomaly Benchmark")
    parser.add_argument("nab", type=Path, help="folder with data/ and labels/")
    parser.add_argument("--published", type=Path, help="checkout of the benchmark, with results/")
    parser.add_argument("-o", "--output", type=Path, help="picture to draw (.png, .svg)")
    parser.add_argument("--quick", action="store_true", help="without the two-fold score and the sensitivities")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser.parse_args()


def _check_scorer(benchmark: Sequence[nab.Series], checkout: Path, out: Table) -> bool:
    """Reproduce a published score from that detector's published detections."""
    alarms, final = nab.published(checkout)
    ours = nab.scores(benchmark, alarms)
    good = all(abs(ours[profile] - final[profile]) < 1e-6 for profile in final)
    text = " / ".join(f"{ours[profile]:.6f}" for profile in final)
    verdict = "as published" if good else "NOT as published"
    print(f"scorer: windowed Gaussian's published detections score {text}: {verdict}")
    out["scorer"] = {"ours": ours, "published": final}
    return good


def _check_firmware(quantised: dict[str, list[int]], alarms: dict[str, Alarms]) -> bool:
    """Run the firmware's plain kernels over every file and compare."""
    plain = kernels.load("plain")
    makers: dict[str, Callable[[], Novelty | Drift | ZScore]] = {
        "novelty": lambda: Novelty(plain),
        "drift": lambda: Drift(plain),
        "zscore n=20 t=5/2": lambda: ZScore(plain, n=20, p=5, q=2, bits=12),
    }
    for kind, make in makers.items():
        for name, xs in quantised.items():
            detector, buf, flagged, at = make(), array("h", xs), [], 0
            while (at := detector.find(buf, at, len(buf))) < len(buf):
                flagged.append(at)
                at += 1
            if flagged != alarms[kind][name]:
                print(f"firmware: {kind} differs from the reference on {name}")
                return False
    print(f"firmware: {', '.join(makers)} agree with their references on {len(quantised)} files\n")
    return True


def _row(benchmark: Sequence[nab.Series], alarms: Alarms) -> dict[str, float]:
    return {**nab.scores(benchmark, alarms), "alarms": sum(map(len, alarms.values()))}


def _controls(benchmark: Sequence[nab.Series], alarms: Alarms) -> dict[str, dict[str, float]]:
    """Score alarms that know nothing: at random rows, evenly spaced, and the detector's own intervals shuffled."""
    chance = random.Random(1)

    def at_random(count: int, rows: int, own: list[int]) -> list[int]:
        return chance.sample(range(rows), count)

    def periodic(count: int, rows: int, own: list[int]) -> list[int]:
        if not count:
            return []
        phase = chance.random()
        return [int((k + phase) * rows / count) for k in range(count)]

    def shuffled(count: int, rows: int, own: list[int]) -> list[int]:
        gaps = [b - a for a, b in zip([0, *own], [*own, rows], strict=True)]
        chance.shuffle(gaps)
        return [sum(gaps[: k + 1]) for k in range(count)]

    out = {}
    for name, control in (("random", at_random), ("periodic", periodic), ("own intervals shuffled", shuffled)):
        runs = []
        for _ in range(CONTROL_RUNS):
            flags = {s.name: control(len(alarms[s.name]), len(s.values), alarms[s.name]) for s in benchmark}
            runs.append(nab.scores(benchmark, {k: [r for r in v if r >= 0] for k, v in flags.items()}))
        out[f"{name}, mean of {CONTROL_RUNS}"] = {p: statistics.mean(run[p] for run in runs) for p in nab.PROFILES}
        out[f"{name}, best of {CONTROL_RUNS}"] = {p: max(run[p] for run in runs) for p in nab.PROFILES}
    return out


def _counts(benchmark: Sequence[nab.Series], quantised: dict[str, list[int]], settings: novelty.Settings) -> Counts:
    return {s.name: nab.count(s, novelty.alarms(quantised[s.name], settings)) for s in benchmark}


def _score(benchmark: Iterable[nab.Series], counts: Counts) -> dict[str, float]:
    files = list(benchmark)
    return nab.from_counts([counts[s.name] for s in files], sum(len(s.windows) for s in files))


def _two_fold(benchmark: Sequence[nab.Series], quantised: dict[str, list[int]]) -> dict[str, dict[str, float]]:
    """Choose constants on every second file, score the others with them, and the other way round."""
    grid = {
        (base, step): _counts(benchmark, quantised, novelty.Settings(base=base, step=step))
        for base in CHOSEN["base"]
        for step in CHOSEN["step"]
    }
    halves = (benchmark[::2], benchmark[1::2])
    joined, out = {}, {}
    for here, there in (halves, halves[::-1]):
        best = max(grid, key=lambda key: sum(_score(here, grid[key]).values()))
        joined.update({s.name: grid[best][s.name] for s in there})
        out[f"chosen base {best[0]}, step {best[1]}: the other half"] = _score(there, grid[best])
    out["both halves together"] = _score(benchmark, joined)
    return out


def _sensitivity(
    benchmark: Sequence[nab.Series], quantised: dict[str, list[int]], detector: Any
) -> dict[str, dict[str, float]]:
    """Score with each constant a quarter less and more; a shift, and what rounds to itself, less and more by one.

    Args:
        benchmark: the files.
        quantised: their samples as integers, by the file's name.
        detector: of the references, with Settings and a function from (samples, settings) to rows.
    """
    settings = detector.Settings()
    detect = novelty.alarms if detector is novelty else drift.detections
    out = {}
    for name, value in asdict(settings).items():
        quarter = 1 if name in ("fade", "fast", "slow") else max(1, value // 4)
        for changed in (value - quarter, value + quarter):
            variant = replace(settings, **{name: changed})
            counts = {s.name: nab.count(s, detect(quantised[s.name], variant)) for s in benchmark}
            out[f"{name} {value} -> {changed}"] = _score(benchmark, counts)
    return out


def _show(out: Table, title: str, rows: dict[str, dict[str, float]]) -> None:
    out[title] = rows
    width = max(len(title), *(len(name) for name in rows))
    print(f"{title:<{width}}  {'standard':>9} {'low FP':>9} {'low FN':>9}")
    for name, row in rows.items():
        count = f"  {row['alarms']} alarms" if "alarms" in row else ""
        print(f"{name:<{width}}  " + " ".join(f"{row[profile]:9.2f}" for profile in nab.PROFILES) + count)
    print()


if __name__ == "__main__":
    sys.exit(main())
