"""Bench: what each stage costs on a target: in instructions where they can be counted, else in microseconds.

Knows how to measure; what is measured is benches/'s. On an emulated board that counts, a figure is the same in every
run and on every machine (but for its last digits where the heap is used); elsewhere it is the best of several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kittiwake import board_code
from kittiwake.bench.cases import Case
from kittiwake.target.base import Target

INSTRUCTIONS = "instructions"
MICROSECONDS = "us"
# What a budget in instructions allows where only time can be had: slower than any board this runs on.
_SLOWEST_MIPS = 50
_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Row:
    """What one case costs.

    Attributes:
        case: its name.
        cost: in `unit`, per `per`.
        unit: "instructions", "us", "bytes" or "times".
        per: "sample", "record", ….
        budget: in `unit`; None where there is none.
        within: whether the cost is within its budget: below it (instructions, us), at most it, or, with `at_least`, not
            below it; None where there is none.
        aim: what is wanted beyond the budget, in `unit`; None where nothing is.
        at_least: more is better.
        exact: the same in every run. Instructions are not where memory was taken from the heap: what an interrupt left
            on the stack decides what the collector frees and how long a free place is looked for. Up to 1.5 % was seen
            where the collector ran within, and 0.5 % elsewhere. Times never are.
    """

    case: str
    cost: float
    unit: str
    per: str
    budget: float | None
    within: bool | None
    aim: float | None = None
    at_least: bool = False
    exact: bool = False


def run(target: Target, cases: Iterable[Case], on_progress: Callable[[str], None] = lambda name: None) -> list[Row]:
    """Measure.

    Args:
        target: started; its journal is made anew by the cases that need one.
        cases: what to measure.
        on_progress: called with each case's name before it is measured.

    Returns:
        A Row a case.

    Raises:
        TargetError: a case failed on the board, or the board did.
    """
    counts = target.instructions() is not None
    rows = []
    for case in cases:
        on_progress(case.name)
        if case.files is not None:
            target.deploy(case.files())
        target.reboot()  # no case sees what another left on the heap
        target.exec(case.board_source)
        target.exec(board_code.source("bench/measure"))
        measure = "measure_result" if case.unit else "measure_instructions" if counts else "measure_us"
        storage, arguments = (board_code.literal(x) for x in (target.node_overrides()["storage"], case.arguments))
        printed = target.exec(f"{measure}({case.make}, {storage}, {arguments}, {case.calls})", _TIMEOUT_S)
        total, allocated = (float(figure) for figure in printed.split())
        unit = case.unit or (INSTRUCTIONS if counts else MICROSECONDS)
        rows.append(_row(case, total / case.calls / case.units, unit, allocated > 0))
    return rows


def _row(case: Case, cost: float, unit: str, allocated: bool) -> Row:
    budget, aim = case.budget, case.aim
    if unit == MICROSECONDS:
        budget = None if budget is None else budget / _SLOWEST_MIPS
        aim = None if aim is None else aim / _SLOWEST_MIPS
    within = None if budget is None else cost <= budget if case.unit else cost < budget
    digits = 4 if unit == MICROSECONDS else 2
    if case.allocates and unit == INSTRUCTIONS:
        digits = 3 - len(str(int(cost)))
    exact = unit != MICROSECONDS and not case.allocates and not allocated
    return Row(case.name, round(cost, digits), unit, case.per, budget, within, aim, exact=exact)
