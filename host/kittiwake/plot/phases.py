"""The picture of a roll-out: how many boards were in each phase over time, and what was decided of the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kittiwake.plot import picture

# The unit of time is the longest of which this many are shown.
_UNITS = ((3_600_000, "hours"), (60_000, "minutes"), (1000, "seconds"))
_UNITS_SHOWN = 2
_BOX = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.5}


def counts(
    boards: int, changes: Sequence[tuple[int, str, str]], first: str, end_ms: int
) -> tuple[list[int], dict[str, list[int]]]:
    """Count boards in each phase after each change.

    Args:
        boards: of them.
        changes: (time in milliseconds, board, phase that it came into), in their order.
        first: phase that all begin in.
        end_ms: when the picture ends.

    Returns:
        (times, phase -> boards in it from that time on). The phases come in the order in which they were first entered.
    """
    now = {first: boards}
    where: dict[str, str] = {}
    times: list[int] = []
    rows: list[dict[str, int]] = []
    for at_ms, board, phase in changes:
        now[where.get(board, first)] -= 1
        now[phase] = now.get(phase, 0) + 1
        where[board] = phase
        if times and times[-1] == at_ms:
            rows[-1] = dict(now)
        else:
            times.append(at_ms)
            rows.append(dict(now))
    times.append(max([end_ms, *times[-1:]]))
    rows.append(dict(now))
    return times, {phase: [row.get(phase, 0) for row in rows] for phase in now}


def draw(
    path: Path,
    title: str,
    times: Sequence[int],
    in_phase: Mapping[str, Sequence[int]],
    colours: Mapping[str, str],
    marks: Sequence[tuple[int, str]],
) -> None:
    """Draw it and write the picture.

    Args:
        path: see `picture.check_output`.
        title: stands above it.
        times: milliseconds.
        in_phase: as `counts` gives them.
        colours: of the phases.
        marks: (time in milliseconds, what was decided of the whole then).

    Raises:
        KittiwakeError: matplotlib is not installed, or the file cannot be written.
    """
    figure, (axes,) = picture.figure_of(1)
    start = times[0]
    unit_ms, unit = next((each for each in _UNITS if times[-1] - start >= _UNITS_SHOWN * each[0]), _UNITS[-1])
    at = [(time - start) / unit_ms for time in times]
    axes.stackplot(
        at,
        list(in_phase.values()),
        labels=list(in_phase),
        colors=[colours[phase] for phase in in_phase],
        step="post",
    )
    for time, text in marks:
        place = (time - start) / unit_ms
        axes.axvline(place, color="#222222", lw=1.0)
        axes.annotate(
            text[:60],
            (place, 0.98),
            xycoords=("data", "axes fraction"),
            rotation=90,
            ha="right",
            va="top",
            fontsize="small",
        )
    axes.set_title(title, loc="left")
    axes.set_xlabel(unit)
    axes.set_ylabel("boards")
    axes.margins(0)
    axes.legend(loc="lower left", fontsize="small", ncols=len(in_phase))
    picture.save(path, title, figure)
