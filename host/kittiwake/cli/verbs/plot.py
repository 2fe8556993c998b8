"""`kittiwake plot`: a column of a file, what the firmware's detector makes of it, and what a person labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli import options
from kittiwake.cli.output import progress


def plot(
    file: Annotated[Path, typer.Argument(help="A CSV file, ',' or ';' separated.")],
    column: options.Column,
    detector: options.Detector = "novelty",
    n: options.Window = None,
    t: options.Threshold = None,
    set_: options.Settings = None,
    range_: options.Range = None,
    bits: options.Bits = 12,
    labels: Annotated[
        Path | None, typer.Option(help="JSON file of windows, each a list of start and end; or such by file name.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Picture: .png, .svg or .html.")] = None,
    target: Annotated[str, typer.Option(help="Where the firmware runs; see kittiwake targets.")] = "unix",
) -> None:
    """Draw a series with the detector's threshold, its alarms and labelled windows."""
    from kittiwake.plot import bands, picture, windows
    from kittiwake.runs import detect as work
    from kittiwake.signals import csv_column
    from kittiwake.target import open_target

    path = output or Path(f"{file.stem}-{detector}.png")
    picture.check_output(path)
    settings = options.detector(detector, n, t, set_)
    samples = options.read(file, column, range_, bits)
    spans = []
    if labels is not None:
        times = csv_column.read_times(file)
        spans = windows.read_windows(labels, file, times, len(samples))
    with open_target(target) as board:
        alarms = [alert["index"] for alert in work.alerts(board, samples, settings)]
    title = f"{file.name}, {column}: {detector}, {len(alarms)} alarms in {len(samples)} samples"
    picture.draw(path, title, samples, alarms, bands.bands(samples, settings), spans)
    progress(f"kittiwake: {path}: {len(alarms)} alarms, {len(spans)} labelled windows")
