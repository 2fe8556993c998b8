"""Scoring by the Numenta Anomaly Benchmark's published rules, written from their description.

Source: Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", ICMLA 2015, sections III.B and III.C, and
the benchmark's documentation. Knows files, windows and scores; no detector.
"""

import csv
import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Weight of a missed window and of a false alarm; a detected window always weighs 1.
PROFILES = {"standard": (1.0, 0.11), "reward low FP": (1.0, 0.22), "reward low FN": (2.0, 0.11)}
_PROBATION = 0.15  # of a file, but of at most so many rows:
_PROBATION_ROWS = 5000
_COPY = Path(__file__).with_name("nab_windowed_gaussian.json")


@dataclass(frozen=True)
class Series:
    """One file of the benchmark.

    Attributes:
        name: folder and file, e.g. "realTweets/Twitter_volume_AAPL.csv".
        times: timestamps, as text that sorts.
        values: the values.
        windows: first and last row of each labelled window, inclusive, in order.
    """

    name: str
    times: list[str]
    values: list[float]
    windows: list[tuple[int, int]]

    @property
    def probation(self) -> int:
        """Rows at the start that are not scored."""
        return math.floor(_PROBATION * min(len(self.values), _PROBATION_ROWS))


def load(folder: Path) -> list[Series]:
    """Read the benchmark.

    Args:
        folder: has data/ and labels/combined_windows.json.

    Returns:
        Its series, by name.

    Raises:
        FileNotFoundError: the folder is not the benchmark's.
    """
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    out = []
    for name in sorted(labels):
        with open(folder / "data" / name, newline="") as file:
            rows = list(csv.DictReader(file))
        times = [row["timestamp"] for row in rows]
        windows = []
        for first, last in labels[name]:
            # Labels carry microseconds that the data lacks: compare the seconds.
            windows.append((bisect_left(times, first[:19]), bisect_right(times, last[:19]) - 1))
        out.append(Series(name, times, [float(row["value"]) for row in rows], windows))
    return out


def _sigmoid(position: float) -> float:
    """Value of a detection by its position: -1 is a window's start, 0 its end; then it falls to a full false alarm."""
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1


def count(series: Series, detections: Iterable[int]) -> tuple[float, int, float]:
    """Take stock of one file's detections.

    Args:
        series: the file.
        detections: rows, in any order; those on probation do not count.

    Returns:
        (sum of the detected windows' values, each at most 1; windows missed; cost of the false alarms, each at most 1).
    """
    best: dict[int, float] = {}
    false = 0.0
    starts = [first for first, _ in series.windows]
    for row in detections:
        if row < series.probation:
            continue
        k = bisect_right(starts, row) - 1
        if k < 0:
            false += 1
            continue
        first, last = series.windows[k]
        if row <= last:
            value = _sigmoid(-(last - row + 1) / (last - first + 1)) / _sigmoid(-1)
            best[k] = max(best.get(k, 0.0), value)
        else:
            false -= _sigmoid((row - last) / (last - first))
    return sum(best.values()), len(series.windows) - len(best), false


def scores(benchmark: Sequence[Series], detections: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Score a detector over files: 100 for a perfect one, 0 for one that says nothing.

    Args:
        benchmark: the files.
        detections: file name -> rows.

    Returns:
        Profile -> score.
    """
    counts = [count(series, detections[series.name]) for series in benchmark]
    return from_counts(counts, sum(len(series.windows) for series in benchmark))


def from_counts(counts: Sequence[tuple[float, int, float]], windows: int) -> dict[str, float]:
    """Score what `count` found in each file; `windows` is the number of labelled windows in all of them."""
    hit, missed, false = (sum(column) for column in zip(*counts, strict=True))
    out = {}
    for name, (miss_weight, false_weight) in PROFILES.items():
        raw = hit - miss_weight * missed - false_weight * false
        silent = -miss_weight * windows
        out[name] = 100 * (raw - silent) / (windows - silent)
    return out


def quantise(values: Sequence[float], bits: int = 12) -> list[int]:
    """Quantise a file over its own range: round half to even of (v - lo)/(hi - lo)·(2^bits - 1); 0 where hi = lo."""
    low, high = min(values), max(values)
    if high == low:
        return [0] * len(values)
    return [round((value - low) / (high - low) * ((1 << bits) - 1)) for value in values]


def published(folder: Path, detector: str = "windowedGaussian") -> tuple[dict[str, list[int]], dict[str, float]]:
    """Read a detector's published detections and its published scores.

    Args:
        folder: a checkout of the benchmark; where it has no results/, the windowed Gaussian's are taken from the copy
            beside this module.
        detector: a folder of results/.

    Returns:
        (file name -> rows, profile -> score).
    """
    final = folder / "results" / "final_results.json"
    if not final.is_file():
        published = json.loads(_COPY.read_text())
        return published["alarms"], published["scores"]
    alarms = {}
    for path in sorted((folder / "results" / detector).glob(f"*/{detector}_*.csv")):
        with open(path, newline="") as file:
            # Its threshold, as published, is the largest score there is.
            alarmed = [float(row["anomaly_score"]) >= 1 for row in csv.DictReader(file)]
        alarms[f"{path.parent.name}/{path.name[len(detector) + 1 :]}"] = [i for i, yes in enumerate(alarmed) if yes]
    published = json.loads(final.read_text())[detector]
    keys = {"standard": "standard", "reward low FP": "reward_low_FP_rate", "reward low FN": "reward_low_FN_rate"}
    return alarms, {profile: published[key] for profile, key in keys.items()}
