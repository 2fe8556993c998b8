"""`kittiwake bench`: what the firmware costs on a target, next to its budgets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer


def bench(
    target: Annotated[str, typer.Option(help="Where; see kittiwake targets.")] = "unix",
    case: Annotated[list[str] | None, typer.Option("--case", help="Which, by name or its beginning; all else.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 5 when something is over its budget.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Measure each stage: in instructions on emulated boards, the same in every run; in time elsewhere."""
    from kittiwake import bench as work
    from kittiwake import benches, cli
    from kittiwake.errors import EXIT_VERIFICATION, UsageError
    from kittiwake.target import open_target

    options = {"count": True} if target.startswith("qemu:") else {}
    with open_target(target, **options) as board:
        known = benches.all_cases(board.facts()["arch"])
        chosen = [c for name, c in known.items() if not case or any(name.startswith(word) for word in case)]
        if not chosen:
            raise UsageError(f"no case begins with {case[0]!r}", f"there are: {', '.join(known)}")
        rows = work.run(board, chosen, cli.progress)
    if as_json:
        cli.print_json({"target": target, "rows": [asdict(row) for row in rows]})
    else:
        for row in rows:
            budget = "" if row.budget is None else f"budget {row.budget:>9g}{'' if row.within else '  OVER'}"
            print(f"{row.case:<22} {row.cost:>12.2f} {row.unit} a {row.per:<8} {budget}".rstrip())
    if check and any(row.within is False for row in rows):
        raise typer.Exit(EXIT_VERIFICATION)
