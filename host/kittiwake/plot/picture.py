"""The picture itself, by matplotlib: PNG, SVG, or a page of HTML with the SVG in it."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.plot.bands import Bands

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KINDS = (".png", ".svg", ".html")


def check_output(path: Path) -> None:
    """Refuse a picture's file name before any work is done.

    Args:
        path: of the picture.

    Raises:
        UsageError: its ending is none of .png, .svg and .html, or its folder is not there.
    """
    if path.suffix not in _KINDS:
        raise UsageError(f"{path} is no picture", f"end its name in one of {', '.join(_KINDS)}")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is not there", "name a folder that is")


def draw(
    path: Path,
    title: str,
    samples: Sequence[int],
    alarms: Sequence[int],
    bands: Bands,
    windows: Sequence[tuple[int, int]],
    names: Sequence[str] = (),
) -> None:
    """Draw a series and write the picture.

    Args:
        path: see `check_output`.
        title: stands above it.
        samples: LSB.
        alarms: sample numbers.
        bands: the detector's bounds.
        windows: (first, last) of the stretches that a person labelled.
        names: what stands over each of these stretches; nothing where there are fewer.

    Raises:
        KittiwakeError: matplotlib is not installed, or the file cannot be written.
    """
    panels = 2 if bands.is_apart else 1
    figure, grid = figure_of(panels)
    axes, judged = grid[0], grid[-1]
    for number, (first, last) in enumerate(windows):
        for panel in {axes, judged}:
            panel.axvspan(first, last, color="#f4c95d", alpha=0.45, lw=0, label="labelled" if number == 0 else None)
    for number, ((first, last), name) in enumerate(zip(windows, names, strict=False)):
        place = ((first + last) / 2, 0.02 + 0.06 * (number % 2))  # neighbours at two heights
        axes.annotate(name, place, xycoords=("data", "axes fraction"), ha="center", fontsize="small")
    at = range(len(samples))
    judged.fill_between(at, bands.low, bands.high, color="#9fb8c8", alpha=0.45, lw=0, label="no alarm within")
    axes.plot(at, samples, color="#2b5670", lw=0.7, label="sample")
    if bands.name != "sample":
        judged.plot(at, bands.watched, color="#b3541e", lw=1.0, label=bands.name)
    heights = [(bands.watched if bands.is_apart else samples)[i] for i in alarms]
    judged.plot(alarms, heights, "v", color="#c1121f", ms=7, ls="", label=f"alarm ({len(alarms)})")
    axes.set_title(title, loc="left")
    judged.set_xlabel("sample")
    for panel in {axes, judged}:
        panel.set_ylabel("LSB")
        panel.margins(x=0.005)
        panel.legend(loc="upper left" if panel is judged is not axes else "upper right", fontsize="small", ncols=3)
    save(path, title, figure)


def figure_of(panels: int) -> tuple[Figure, list[Axes]]:
    """Make a figure of panels below one another, which share what runs along them.

    Args:
        panels: one at least.

    Returns:
        It, to be given to `save`, and its panels.

    Raises:
        KittiwakeError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise KittiwakeError("matplotlib is not installed", "pip install 'kittiwake[plot]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    # The same input gives the same bytes, so that a picture can be compared.
    matplotlib.rcParams["svg.hashsalt"] = "kittiwake"
    size = 12, 4.5 + 2.5 * max(0, panels - 2)
    figure, grid = pyplot.subplots(panels, sharex=True, squeeze=False, figsize=size, layout="constrained")
    return figure, list(grid[:, 0])


def save(path: Path, title: str, figure: Figure) -> None:
    """Write a figure and let it go.

    Args:
        path: see `check_output`.
        title: of the page, where it is one.
        figure: the picture.

    Raises:
        KittiwakeError: the file cannot be written.
    """
    from matplotlib import pyplot

    try:
        if path.suffix == ".html":
            path.write_text(_page(title, figure), encoding="utf-8")
        else:
            figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be written: {error.strerror}", "name another file") from error
    finally:
        pyplot.close(figure)


def _page(title: str, figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    svg = buffer.getvalue()
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n'
        f"<body>{svg[svg.index('<svg') :]}</body></html>\n"
    )
