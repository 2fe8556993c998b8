"""What there is to know of a compiled model before it runs: a layer at a time, in total, and what to expect of it.

Knows programs and the cost table; prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kittiwake.model.compiler import Compiled
from kittiwake.model.emit import arena, cost
from kittiwake.model.lower.steps import Program, Step
from kittiwake.model.read.ends import End
from kittiwake.model.read.graph import Operator
from kittiwake.model.strip_candidates import Cut

# In a kernel's place, for operators that no kernel runs: addresses say it all, or the compiler has done it.
VIEW, HOST = "view", "host"
_WEIGHTED = ("conv", "depthwise", "conv16", "depthwise16")
_NOTHING = dict.fromkeys(("steps", "macs", "outputs", "flash_bytes", "ram_bytes"), 0)


def facts(compiled: Compiled) -> dict[str, Any]:
    """Tell about a model.

    Args:
        compiled: the model.

    Returns:
        layers (every operator, in as many rows as it has steps, those of all strips in one, one with VIEW or HOST where
        it has none; the last is what the ends take; source, kernel, steps, macs, outputs, flash_bytes: constants;
        ram_bytes: scratch that lives while it runs, instructions by kernel set), operators (name -> count), total,
        strips (first and last operator, how many), whole (what it would take without strips), inputs and outputs (with
        their offsets), and instructions an invoke by kernel set.
    """
    program = compiled.program
    layers: list[dict[str, Any]] = []
    idle = _without_steps(compiled)
    in_strips: dict[tuple[str, str], dict[str, Any]] = {}
    cut = {op.index for each in compiled.tiling.cuts for op in _operators(compiled, each)}
    for step, alive in zip(program.steps, arena.alive(program), strict=True):
        number = step.source.partition(" ")[0]
        while idle and number.isdigit() and idle[0][0] < int(number):
            layers.append(_idle(*idle.pop(0)))
        row = _row(step, alive)
        if number.isdigit() and int(number) in cut:
            first = in_strips.setdefault((step.source, step.kind), row)
            if first is not row:
                _add(first, row)
                continue
        layers.append(row)
    layers += [_idle(*row) for row in idle]
    layers.append(
        {
            **_NOTHING,
            "source": "the ends",
            "kernel": "",
            "instructions": {kernel: round(cost.of_ends(program, kernel)) for kernel in cost.SETS},
        }
    )
    operators: dict[str, int] = {}
    for op in compiled.graph.main.operators:
        operators[op.kind] = operators.get(op.kind, 0) + 1
    whole = compiled.tiling.whole
    return {
        "layers": layers,
        "operators": operators,
        "total": {
            "macs": _macs(program),
            "flash_bytes": len(compiled.plan),
            "ram_bytes": compiled.scratch + compiled.state,
            "scratch_bytes": compiled.scratch,
            "state_bytes": compiled.state,
        },
        "strips": [
            {"first": ops[0].index, "last": ops[-1].index, "strips": each.strips}
            for each in compiled.tiling.cuts
            if (ops := _operators(compiled, each))
        ],
        "whole": {"ram_bytes": whole.ram, "macs": _macs(whole.program)},
        "inputs": [_end(end) for end in program.inputs],
        "outputs": [_end(end) for end in program.outputs],
        "instructions": {kernel: cost.instructions(program, kernel) for kernel in cost.SETS},
    }


def _operators(compiled: Compiled, cut: Cut) -> Sequence[Operator]:
    return compiled.graph.main.operators[cut.region.first : cut.region.last + 1]


def _macs(program: Program) -> int:
    return sum(step.macs for step in program.steps if step.kind in _WEIGHTED)


def _row(step: Step, alive: int) -> dict[str, Any]:
    return {
        "source": step.source,
        "kernel": step.kind,
        "steps": 1,
        "macs": step.macs,
        "outputs": step.outputs,
        "flash_bytes": step.constant_bytes,
        "ram_bytes": alive,
        "instructions": {kernel: round(cost.of_step(step, kernel)) for kernel in cost.SETS},
    }


def _add(row: dict[str, Any], other: dict[str, Any]) -> None:
    """Add what another strip takes to a row; its constants are the same."""
    for name in ("steps", "macs", "outputs"):
        row[name] += other[name]
    row["ram_bytes"] = max(row["ram_bytes"], other["ram_bytes"])
    row["instructions"] = {kernel: n + other["instructions"][kernel] for kernel, n in row["instructions"].items()}


def _without_steps(compiled: Compiled) -> list[tuple[int, str, str]]:
    """Number, kind, and VIEW or HOST of the operators that no kernel runs, in the order of the file."""
    run = {step.source for step in compiled.program.steps}
    kept = {op.index for op in compiled.graph.main.operators}
    return [
        (op.index, op.kind, VIEW if op.index in kept else HOST)
        for op in compiled.original.main.operators
        if not any(source.startswith(f"{op.index} ") for source in run)
    ]


def _idle(number: int, kind: str, how: str) -> dict[str, Any]:
    return {**_NOTHING, "source": f"{number} {kind}", "kernel": how, "instructions": dict.fromkeys(cost.SETS, 0)}


def _end(end: End) -> dict[str, object]:
    tensor = end.tensor
    return {
        "offset": end.offset,
        "shape": list(tensor.shape),
        "type": tensor.type,
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
    }
