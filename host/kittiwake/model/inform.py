"""What there is to know of a compiled model before it runs: a layer at a time, in total, and what to expect of it.

Knows programs and the cost table; prints nothing.
"""

from __future__ import annotations

from typing import Any

from kittiwake.model.compiler import Compiled
from kittiwake.model.emit import cost
from kittiwake.model.lower.steps import SCRATCH
from kittiwake.model.read.ends import End


def facts(compiled: Compiled) -> dict[str, Any]:
    """Tell about a model.

    Args:
        compiled: the model.

    Returns:
        layers (the last is what the ends take; source, kernel, macs, outputs, flash_bytes: constants; ram_bytes:
        scratch that lives while it runs, instructions by kernel set), operators (name -> count), total, inputs and
        outputs (with their offsets), and instructions an invoke by kernel set.
    """
    program = compiled.program
    buffers = {b for step in program.steps for b in (*step.reads, *step.writes, *step.temps) if b.kind == SCRATCH}
    layers = []
    for at, step in enumerate(program.steps):
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
    layers.append(
        {
            **dict.fromkeys(("macs", "outputs", "flash_bytes", "ram_bytes"), 0),
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


def _end(end: End) -> dict[str, object]:
    tensor = end.tensor
    return {
        "offset": end.offset,
        "shape": list(tensor.shape),
        "type": tensor.type,
        "scale": tensor.scale,
        "zero_point": tensor.zero_point,
    }
