"""`kittiwake targets`: where the firmware can run here."""

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import Json, print_json, progress
from kittiwake.errors import KittiwakeError


def targets(
    install: Annotated[
        Path | None, typer.Option(help="A wheel of kittiwake-boards, whose firmwares are put in place first.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List where firmware can run here, and why not where it cannot."""
    from kittiwake import target

    if install is not None:
        from kittiwake.target import install as work

        progress(f"installed: {', '.join(work.install(install))}")

    problems = {name: target.available(name) for name in target.names()}
    if as_json:
        print_json({"targets": [_row(name, problem) for name, problem in problems.items()]})
        return
    for name, problem in problems.items():
        print(f"{name:<20} {'ready' if problem is None else f'no: {problem}'}")
    print(f"{'PORT':<20} a real board: auto, a path such as /dev/ttyUSB0, id:SERIAL, socket:// or rfc2217://")


def _row(name: str, problem: KittiwakeError | None) -> dict[str, str | bool]:
    row: dict[str, str | bool] = {"target": name, "available": problem is None}
    if problem is not None:
        row |= {"reason": problem.message, "mend": problem.mend}
    return row
