"""The picture of the Numenta Anomaly Benchmark's table: the scoreboard, and what would show tuning or luck.

Knows the table's sections and how to draw them; it scores nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools import nab

# The table's sections, as bench_nab.py prints them.
OURS = "detector"
CONTROLS = "control, as many alarms in each file as novelty"
TWO_FOLD = "two-fold, constants chosen on the other half of the files"
QUARTERS = "novelty with one constant a quarter less, a quarter more"
DRIFT_QUARTERS = "drift with one constant a quarter less, a quarter more"

# Section -> row -> profile -> score.
Table = Mapping[str, Mapping[str, Mapping[str, float]]]
_COLOURS = ("#1f6f8b", "#e0a458", "#7d9d6b")
_BAR = 0.25


def draw(path: Path, published: dict[str, tuple[float, float, float]], table: Table) -> None:
    """Draw the scoreboard with the given detectors among the published ones, and beside it the controls.

    Args:
        path: to write; its ending says the format.
        published: detector -> score in each of nab.PROFILES.
        table: section -> row -> profile -> score; sections that were not computed may be missing.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    ours = {f"kittiwake {name}": _row(table[OURS][name]) for name in ("novelty", "drift")}
    board = dict(sorted({**published, **ours}.items(), key=lambda item: item[1][0]))
    beside = _controls(table)
    size = max(len(board), len(beside))
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 1.2 + 0.42 * size), sharex=True, layout="constrained")
    _bars(left, board)
    left.set_title("NAB: 58 files, one configuration")
    _bars(right, beside)
    right.set_title("novelty, and what would show tuning or luck")
    right.legend(loc="lower right", frameon=False)
    for axes in (left, right):
        axes.set_xlabel("score: 100 is perfect, 0 says nothing")
    no_date = {"Date": None} if path.suffix == ".svg" else None
    # The same table gives the same file; pictures that the same process draws later keep their texts as paths.
    with matplotlib.rc_context({"svg.hashsalt": "kittiwake", "svg.fonttype": "none"}):
        figure.savefig(path, dpi=120, metadata=no_date)
    pyplot.close(figure)


def _controls(table: Table) -> dict[str, tuple[float, ...]]:
    """Rows of the right half, from the bottom up."""
    rows = {name: _row(row) for name, row in table[CONTROLS].items()}
    quarters = table.get(QUARTERS, {}).items()
    if quarters:
        name, row = min(quarters, key=lambda item: item[1]["standard"])
        rows[f"worst with one constant moved a quarter: {name}"] = _row(row)
    if TWO_FOLD in table:
        rows["constants chosen on the other half"] = _row(table[TWO_FOLD]["both halves together"])
    rows["kittiwake novelty"] = _row(table[OURS]["novelty"])
    return rows


def _row(scores: Mapping[str, float]) -> tuple[float, ...]:
    return tuple(scores[profile] for profile in nab.PROFILES)


def _bars(axes: Any, rows: dict[str, tuple[float, ...]]) -> None:
    names = list(rows)
    for k, (profile, colour) in enumerate(zip(nab.PROFILES, _COLOURS, strict=True)):
        places = [i + (1 - k) * _BAR for i in range(len(names))]
        axes.barh(places, [rows[name][k] for name in names], _BAR, label=profile, color=colour)
    axes.set_yticks(range(len(names)), names)
    for label in axes.get_yticklabels():
        label.set_fontweight("bold" if label.get_text().startswith("kittiwake") else "normal")
