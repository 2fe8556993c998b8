"""What there is to know of a compiled model before it runs: a layer at a time, in total, and what to expect of it.

Knows programs and the cost table; prints nothing.
"""

from __future__ import annotations

from typing import Any

from kittiwake.model.compiler import Compiled
from kittiwake.model.emit import cost
from kittiwake.model.lower.steps import SCRATCH
from kittiwake.model.read.ends import End

# In a kernel's place, for operators that no kernel runs: addresses say it all, or the compiler has done it.
VIEW, HOST = "view", "host"
_NOTHING = dict.fromkeys(("macs", "outputs", "flash_bytes", "ram_bytes"), 0)


def facts(compiled: Compiled) -> dict[str, Any]:
    """Tell about a model.

    Args:
        compiled: the model.

    Returns:
        layers (every operator, in as many rows as it has steps, one with VIEW or HOST where it has none; the last is
        what the ends take; source, kernel, macs, outputs, flash_bytes: constants; ram_bytes: scratch that lives while
        it runs, instructions by kernel set), operators (name -> count), total, inputs and outputs (with their
        offsets), and instructions an invoke by kernel set.
    """
    program = compiled.program
    buffers = {b for step in program.steps for b in (*step.reads, *step.writes, *step.temps) if b.kind == SCRATCH}
    layers: list[dict[str, Any]] = []
    idle = _without_steps(compiled)
    for at, step in enumerate(program.steps):
        number = step.source.partition(" ")[0]
        while idle and number.isdigit() and idle[0][0] < int(number):
            layers.append(_idle(*idle.pop(0)))
        alive = sum(-(-b.size // 4) * 4 for b in buffers if b.first <= at <= b.last)
        layers.append(
            {
                "source": step.source,
                "kernel": step.kind,
                "macs": step.macs,
                "outputs": step.outputs,
                "flash_bytes": step.constant_bytes,
                "ram_bytes": alive,
                "instructions": {kernel: round(cost.of_step(step, kernel)) for kernel in cost.SETS},
            }
        )
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
    weighted = ("conv", "depthwise")
    return {
        "layers": layers,
        "operators": operators,
        "total": {
            "macs": sum(s.macs for s in program.steps if s.kind in weighted),
            "flash_bytes": len(compiled.plan),
            "ram_bytes": compiled.scratch + compiled.state,
            "scratch_bytes": compiled.scratch,
            "state_bytes": compiled.state,
        },
        "inputs": [_end(end) for end in program.inputs],
        "outputs": [_end(end) for end in program.outputs],
        "instructions": {kernel: cost.instructions(program, kernel) for kernel in cost.SETS},
    }


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
