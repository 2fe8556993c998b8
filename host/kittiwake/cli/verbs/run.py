"""`kittiwake run`: a script of the user's on a target."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import progress

_RUN_S, _DEBUG_S = 60.0, 3600.0


def run(
    script: Annotated[Path, typer.Argument(help="A Python file for the board; - for stdin.")],
    target: Annotated[str, typer.Option(help="Where it runs; see kittiwake targets.")] = "unix",
    timeout: Annotated[
        float | None, typer.Option(help="Seconds after which the board is taken to hang: 60, with --gdb 3600.", min=0.1)
    ] = None,
    gdb: Annotated[
        int | None, typer.Option(metavar="PORT", help="Wait for GDB on this port first.", min=1, max=65535)
    ] = None,
) -> None:
    """Run a script on a target, the firmware's modules at hand; its traceback, if any, goes to stderr."""
    from kittiwake.errors import EXIT_FAILED, UsageError
    from kittiwake.runs import debug
    from kittiwake.runs import script as work
    from kittiwake.target import open_target

    if gdb is not None and str(script) == "-":
        raise UsageError("with --gdb the script cannot come from stdin, which tells when to run it", "name a file")

    try:
        source = sys.stdin.read() if str(script) == "-" else script.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"{script} cannot be read: {why}", "name a Python file") from error
    limit_s = timeout or (_RUN_S if gdb is None else _DEBUG_S)
    with open_target(target) if gdb is None else debug.open_with_port(target, gdb) as board:
        if gdb is not None:
            progress(f"attach: {debug.command(target, gdb)}")
            progress(f"press Enter to run {script.name}")
            sys.stdin.readline()
        outcome = work.run(board, source, script.name, limit_s)
    print(outcome.printed, end="")
    if outcome.traceback:
        print(outcome.traceback, file=sys.stderr)
        raise typer.Exit(EXIT_FAILED)
