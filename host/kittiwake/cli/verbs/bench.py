"""`kittiwake bench`: what the firmware costs on a target, next to its budgets."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli.output import print_json, progress

if TYPE_CHECKING:
    from kittiwake.bench.measure import Row


def bench(
    target: Annotated[str, typer.Option(help="Where; see kittiwake targets.")] = "unix",
    case: Annotated[list[str] | None, typer.Option("--case", help="Which, by name or its beginning; all else.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 5 when something is over its budget.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Measure each stage: in instructions on emulated boards, the same in every run; in time elsewhere."""
    from kittiwake.bench import cases, network_ratio, ratios
    from kittiwake.bench import measure as work
    from kittiwake.errors import EXIT_VERIFICATION, UsageError
    from kittiwake.target import open_target

    options = {"count": True} if target.startswith("qemu:") else {}
    with open_target(target, **options) as board:
        facts = board.facts()
        by_name = cases.registered(facts["arch"], facts["cpu"])
        selection = [c for name, c in by_name.items() if not case or any(name.startswith(word) for word in case)]
        wants_ratios = target == "unix" and (not case or any("ratio/".startswith(word) for word in case))
        if case and not selection and not wants_ratios:
            raise UsageError(f"no case begins with {case[0]!r}", f"there are: {', '.join(by_name)}, and on unix ratio/")
        rows = work.run(board, selection, progress)
        if wants_ratios:
            progress("ratio")
            rows += ratios.run(board) + network_ratio.run(board)
    if as_json:
        print_json({"target": target, "rows": [asdict(row) for row in rows]})
    else:
        for row in rows:
            print(f"{row.case:<26} {row.cost:>12,.2f} {row.unit} a {row.per:<8} {_judged(row)}".rstrip())
    if check and any(row.within is False for row in rows):
        raise typer.Exit(EXIT_VERIFICATION)


def _judged(row: Row) -> str:
    if row.budget is None:
        return ""
    kind = "at least" if row.at_least else "at most" if row.unit in ("bytes", "times") else "below"
    missed = "" if row.within else "  OVER" if not row.at_least else "  UNDER"
    aim = "" if row.aim is None else f", aim {row.aim:g}{'' if row.cost <= row.aim else ' missed'}"
    return f"must be {kind} {row.budget:g}{aim}{missed}"
