"""`kittiwake explain`: what a node's configuration will do, before a board does it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import print_json


def explain(
    config: Annotated[Path, typer.Argument(help="A node's configuration, TOML.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Say what a node's sensors and detectors will do: scales, false alarms, blind times, what hides, what suits."""
    from kittiwake.explain import detectors as work
    from kittiwake.explain.sources import explain_source
    from kittiwake.target import node_config, open_target

    settings = node_config.read(config)
    with open_target("unix") as board:
        checked = node_config.checked(board, settings)
    sources = [one for c in checked["channels"] if (one := explain_source(c)) is not None]
    detectors = [work.explain(c, d) for c in checked["channels"] for d in work.with_threshold(c["detectors"])]
    if as_json:
        print_json(
            {
                "device": checked["device"],
                "sources": [asdict(e) for e in sources],
                "detectors": [asdict(e) for e in detectors],
            }
        )
        return
    for one in sources + detectors:
        listed = ", ".join(f"{name} = {value}" for name, value in sorted(one.settings.items()) if name != "kind")
        print(f"channel {one.channel}: {one.detector} ({listed})")
        for name, value in one.facts.items():
            print(f"    {name.replace('_', ' '):<42} {value:g}")
        for note in one.notes:
            print(f"    - {note}")
