"""`kittiwake detect`: a column of a file through the firmware's detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli import options
from kittiwake.cli.output import print_json


def detect(
    file: Annotated[Path, typer.Argument(help="A CSV file, ',' or ';' separated.")],
    column: options.Column,
    detector: options.Detector = "zscore",
    n: options.Window = None,
    t: options.Threshold = None,
    set_: options.Settings = None,
    learn: Annotated[
        Path | None,
        typer.Option(help="Feed this file's column first and drop its alerts: a baseline learns from it."),
    ] = None,
    range_: options.Range = None,
    bits: options.Bits = 12,
    target: Annotated[str, typer.Option(help="Where the firmware runs; see kittiwake targets.")] = "unix",
    kernel: Annotated[str, typer.Option(help="Which kernel of the firmware.")] = "viper",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, for machines.")] = False,
) -> None:
    """Run a whole column through the firmware on a target and print every alert."""
    from kittiwake.runs import detect as work
    from kittiwake.target import open_target

    settings = options.detector(detector, n, t, set_)
    samples = options.read(file, column, range_, bits)
    lead = options.read(learn, column, range_, bits) if learn is not None else samples[:0]
    count = 0
    with open_target(target) as board:
        for alert in work.alerts(board, lead + samples, settings, kernel):
            if alert["index"] < len(lead):
                continue
            alert["index"] -= len(lead)
            count += 1
            if as_json:
                print_json(alert)
            else:
                judged = f"x {alert['x']:>6}" if "x" in alert else f"{alert['feature']} {alert['feature_value']:>9}"
                print(
                    f"sample {alert['index']:>8}  {judged}  z {alert['z_score'] or 0:>6.2f}"
                    f"  mean {alert['mean']:>9.2f}  stdev {alert['stdev']:>8.2f}"
                )
    if as_json:
        print_json({"samples": len(samples), "alerts": count})
    else:
        listed = ", ".join(f"{name} = {value}" for name, value in settings.items() if name != "kind")
        print(f"{detector}: {count} alerts in {len(samples)} samples ({listed or 'its defaults'})")
