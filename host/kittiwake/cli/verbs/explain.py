"""`kittiwake explain`: what a node's configuration will do, before a board does it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import print_json


def explain(
    config: Annotated[Path, typer.Argument(help="A node's configuration, TOML; beside it its wake words (.kwm).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Say what a node's sensors, detectors and wake words will do: scales, false alarms, blind times, what is kept."""
    from kittiwake.explain import detectors as work
    from kittiwake.explain.hearing import explain_hearing
    from kittiwake.explain.sources import explain_nothing, explain_source
    from kittiwake.explain.states import explain_states
    from kittiwake.target import node_config, open_target

    settings = node_config.read(config)
    with open_target("unix") as board:
        checked = node_config.checked(board, settings, config)
    sources = [part for c in checked["channels"] if (part := explain_source(c)) is not None]
    names = [name for c in checked["channels"] for name in (*c["hear"].get("models", ()), c["states"].get("model", ""))]
    plans = {name: content for name in names if name and (content := _plan(config.parent / name)) is not None}
    hearing = [part for c in checked["channels"] for part in explain_hearing(c, plans)]
    telling = [part for c in checked["channels"] for part in explain_states(c, plans)]
    detectors = [work.explain(c, d) for c in checked["channels"] for d in work.with_threshold(c["detectors"])]
    explained = {part.channel for part in sources + hearing + telling + detectors}
    sources += [explain_nothing(c) for c in checked["channels"] if c["name"] not in explained]
    if as_json:
        print_json(
            {
                "device": checked["device"],
                "sources": [asdict(e) for e in sources],
                "detectors": [asdict(e) for e in detectors],
                "hearing": [asdict(e) for e in hearing],
                "states": [asdict(e) for e in telling],
            }
        )
        return
    for part in sources + detectors + hearing + telling:
        listed = ", ".join(f"{name} = {value}" for name, value in sorted(part.settings.items()) if name != "kind")
        print(f"channel {part.channel}: {part.detector} ({listed})")
        for name, value in part.facts.items():
            print(f"    {name.replace('_', ' '):<42} {value:g}")
        for note in part.notes:
            print(f"    - {note}")


def _plan(path: Path) -> bytes | None:
    from kittiwake.errors import UsageError

    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a .kwm file under models") from error
