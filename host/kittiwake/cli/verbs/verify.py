"""`kittiwake verify`: does this board compute what the reference says?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from kittiwake.cli.output import print_json, progress

_SHOWN = 400


def verify(
    target: Annotated[list[str] | None, typer.Option("--target", help="Where; repeat it for several.")] = None,
    suite: Annotated[list[str] | None, typer.Option("--suite", help="Which suite; all when not given.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the vectors.")] = 1,
    count: Annotated[int | None, typer.Option(help="Vectors a suite.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Run the firmware on a target against the independent reference; exit 5 on any mismatch."""
    from kittiwake.errors import EXIT_VERIFICATION, UsageError
    from kittiwake.target import open_target
    from kittiwake.verify import compare as work
    from kittiwake.verify import suites

    known = suites.registered()
    for name in suite or ():
        if name not in known:
            raise UsageError(f"no suite {name!r}", f"there are: {', '.join(known)}")
    results = []
    for name in target or ["unix"]:
        with open_target(name) as board:
            for place, chosen in enumerate(suite or known):
                progress(f"{name}: {chosen} …")
                if place:
                    board.reboot()  # no suite sees what another left on the heap
                results.append(work.verify(board, known[chosen], seed, count))
    if as_json:
        print_json({"results": [asdict(result) for result in results]})
    else:
        for r in results:
            counts = f"{r.vectors:>6} vectors  {r.mismatches:>4} mismatches"
            print(f"{r.target:<20} {r.suite:<10} {counts}  {', '.join(r.kernel_sets)}".rstrip())
            for key, text in (r.first or {}).items():
                print(f"    {key:<9} {text[:_SHOWN]}")
    if any(r.mismatches for r in results):
        raise typer.Exit(EXIT_VERIFICATION)
