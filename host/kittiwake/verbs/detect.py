"""`kittiwake detect`: a column of a file through the firmware's detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.verbs import series_options as options


def detect(
    file: Annotated[Path, typer.Argument(help="A CSV file, ',' or ';' separated.")],
    column: options.Column,
    detector: Annotated[str, typer.Option(help="Which detector: zscore.")] = "zscore",
    n: options.Window = 256,
    t: options.Threshold = None,
    range_: options.Range = None,
    bits: options.Bits = 12,
    target: Annotated[str, typer.Option(help="Where the firmware runs; see kittiwake targets.")] = "unix",
    kernel: Annotated[str, typer.Option(help="Which kernel of the firmware.")] = "viper",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines, for machines.")] = False,
) -> None:
    """Run a whole column through the firmware on a target and print every alert."""
    from kittiwake import cli
    from kittiwake import detect as work
    from kittiwake.errors import UsageError
    from kittiwake.target import open_target

    if detector != "zscore":
        raise UsageError(f"no detector {detector!r}", "there is: zscore")
    threshold = options.threshold(t, n)
    samples = options.read(file, column, range_, bits)
    count = 0
    with open_target(target) as board:
        for alert in work.zscore_alerts(board, samples, n, threshold, kernel):
            count += 1
            if as_json:
                cli.print_json(alert)
            else:
                print(
                    f"sample {alert['index']:>8}  x {alert['x']:>6}  z {alert['z_score']:>6.2f}"
                    f"  mean {alert['mean']:>9.2f}  stdev {alert['stdev']:>8.2f}"
                )
    if as_json:
        cli.print_json({"samples": len(samples), "alerts": count})
    else:
        print(f"{count} alerts in {len(samples)} samples (n = {n}, t = {threshold})")
