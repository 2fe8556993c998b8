"""`kittiwake deploy`: the application onto a board that runs MicroPython, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import print_json, progress


def deploy(
    board: Annotated[str, typer.Argument(help="As `kittiwake boards` lists it; else link and journal are usual.")] = "",
    port: Annotated[str, typer.Option("--port", "-p", help="The board's port.")] = "",
    target: Annotated[str, typer.Option(help="Instead: a target, which ends with the command: a rehearsal.")] = "",
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The node's configuration; else the board keeps its own.")
    ] = None,
    models: Annotated[list[Path] | None, typer.Option("--models", "-m", help="A .kwm file; may be repeated.")] = None,
    link: Annotated[str, typer.Option(help="The link's port, when it is not the console's.")] = "",
    start: Annotated[bool, typer.Option(help="Start the node, and go back when it does not answer.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Write what changed to the slot that does not run, read it back, switch, and ask whether the node answers.

    The journal is left alone. Interrupted or cut off at any point, the board starts the old application or the new one,
    and deploying again completes it.
    """
    from kittiwake.deploy import application, deployment, inputs

    settings = inputs.Deployment(
        application.place(port, target), board, config, tuple(models or ()), start, link or None
    )
    done = deployment.deploy(settings, progress)
    if as_json:
        print_json(done)
    else:
        print(
            f"{done['target']}: {done['slot']} is {done['state']}, {len(done['changed'])} of {done['files']} files "
            f"written, in {done['seconds']} s"
        )
