"""`kittiwake doctor`: what is wrong with a board, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import print_json, progress

_MARKS = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}


def doctor(
    port: Annotated[str, typer.Option("--port", "-p", help="The board's port.")] = "",
    target: Annotated[str, typer.Option(help="Instead: a target; see kittiwake targets.")] = "",
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="A node's configuration to try, in place of the board's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Look at firmware, heap, flash, clock, application, journal, sensors and link; exit 5 when something is wrong.

    The board's node is stopped for it and started again; the journal is opened as at any start.
    """
    from kittiwake.deploy import application
    from kittiwake.doctor.ask import ask
    from kittiwake.doctor.judge import judge
    from kittiwake.errors import EXIT_VERIFICATION
    from kittiwake.target import node_config

    trial = node_config.read(config) if config else None
    with application.borrowed(port, target) as board:
        findings = judge(ask(board, bool(port), trial, progress))
    wrong = sum(finding.state == "wrong" for finding in findings)
    if as_json:
        print_json({"target": port or target, "wrong": wrong, "findings": [asdict(f) for f in findings]})
    else:
        for finding in findings:
            mend = f"; {finding.mend}" if finding.mend else ""
            print(f"{_MARKS[finding.state]} {finding.check:<16} {finding.detail}{mend}")
    if wrong:
        raise typer.Exit(EXIT_VERIFICATION)
