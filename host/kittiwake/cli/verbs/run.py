"""`kittiwake run`: a script of the user's on a target."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def run(
    script: Annotated[Path, typer.Argument(help="A Python file for the board; - for stdin.")],
    target: Annotated[str, typer.Option(help="Where it runs; see kittiwake targets.")] = "unix",
    timeout: Annotated[float, typer.Option(help="Seconds after which the board is taken to hang.", min=0.1)] = 60.0,
) -> None:
    """Run a script on a target, the firmware's modules at hand; its traceback, if any, goes to stderr."""
    from kittiwake.errors import EXIT_FAILED, UsageError
    from kittiwake.runs import script as work
    from kittiwake.target import open_target

    try:
        source = sys.stdin.read() if str(script) == "-" else script.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"{script} cannot be read: {why}", "name a Python file") from error
    with open_target(target) as board:
        outcome = work.run(board, source, script.name, timeout)
    print(outcome.printed, end="")
    if outcome.traceback:
        print(outcome.traceback, file=sys.stderr)
        raise typer.Exit(EXIT_FAILED)
