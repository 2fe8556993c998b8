"""What a benchmark is: source that gives a board something to call, next to its budget. It knows no target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kittiwake.boards.arch import kernels_of


@dataclass(frozen=True)
class Case:
    """One benchmark.

    Attributes:
        name: as `kittiwake bench --case` takes it, e.g. "zscore/thumb2/20".
        board_source: defines a function on the board, called as make(storage, *arguments), which gives (function, its
            arguments): one call of that is measured. `storage` is the target's own, as the node's configuration has it.
        per: what the cost is given for: "sample", "record", ….
        units: how many of them one call works through.
        calls: calls measured, of which the mean is taken; the first, unmeasured, comes on top.
        budget: instructions per unit that it must stay below; None where there is none.
        aim: what it ought to stay below; None where there is none.
        allocates: it works with the heap, if only for the frames of its functions in plain Python. What the collector
            frees depends on chance (a number on the stack may look like an address), and with it how long a place is
            looked for: three digits of the figure are given.
        unit: "" for a cost; else what the call returns is in that unit, and may be as much as its budget: "bytes".
        files: gives what must lie on the board, path -> content; called when the case is measured.
        archs: the architectures that it is for; empty for all.
        make: name of the function that board_source defines.
        arguments: more of them, Python literals.
    """

    name: str
    board_source: str
    per: str
    units: int = 1
    calls: int = 1
    budget: float | None = None
    aim: float | None = None
    allocates: bool = False
    unit: str = ""
    files: Callable[[], Mapping[str, bytes]] | None = None
    archs: tuple[str, ...] = ()
    make: str = "make"
    arguments: tuple[object, ...] = ()


_groups: list[Callable[[list[str]], Iterator[Case]]] = []


def register(group: Callable[[list[str]], Iterator[Case]]) -> Callable[[list[str]], Iterator[Case]]:
    """Add cases: a function from the kernels that a board runs to the cases for it; usable as a decorator."""
    _groups.append(group)
    return group


def registered(arch: str | None, machine: str = "") -> dict[str, Case]:
    """Every case registered so far for a board of this architecture by name, in the order of registration.

    Args:
        arch: as `Target.facts` gives it.
        machine: as `Target.facts` gives it, under "cpu".
    """
    cases = [case for group in _groups for case in group(kernels_of(arch, machine))]
    return {case.name: case for case in cases if not case.archs or arch in case.archs}
