"""What a plan will cost: instructions by kernel set, from what was measured on the emulated boards.

Knows steps and two tables: how often a kernel's loops turn (loops.py), and what a turn takes (cost_table.py). Nothing
is run; a cache, a wait state or a pipeline is not in it. What depends on the data (a saturated output, the terms of a
SOFTMAX) is an average.
"""

from __future__ import annotations

from kittiwake.model.emit import loops
from kittiwake.model.emit.cost_table import INVOKE, KERNELS
from kittiwake.model.lower import weights
from kittiwake.model.lower.steps import Program, Step

_WORD = 4
SETS = tuple(KERNELS)
# By the architecture, what runs on it in viper: its instructions are others on each.
_VIPER = {"rv32imc": "viper/rv32", "xtensawin": "viper/xtensa"}


def set_of(kernel: str, arch: str) -> str:
    """Name the figures for a set of kernels on a board.

    Args:
        kernel: "viper", "thumb2", ….
        arch: of the board, as boards.arch has it.

    Returns:
        One of SETS.
    """
    return _VIPER.get(arch, kernel) if kernel == "viper" else kernel


def layout_of(kernel: str) -> str:
    """Name the layout of the weights that a set reads.

    Args:
        kernel: one of SETS.
    """
    return weights.LAYOUT_OF[kernel.partition("/")[0]]


def instructions(program: Program, kernel: str) -> int:
    """Estimate an invoke.

    Args:
        program: its buffers placed.
        kernel: one of SETS.

    Returns:
        Instructions.
    """
    return round(sum(of_step(step, kernel) for step in program.steps) + of_ends(program, kernel))


def of_step(step: Step, kernel: str) -> float:
    """Estimate one step, its call included.

    Args:
        step: of a program.
        kernel: one of SETS.

    Returns:
        Instructions.
    """
    turns = loops.of_step(step, layout_of(kernel))
    return INVOKE[kernel][1] + sum(a * b for a, b in zip(KERNELS[kernel][step.kind], turns, strict=True))


def of_ends(program: Program, kernel: str) -> float:
    """Estimate what an invoke takes beside its steps: its call, inputs copied in, outputs copied out.

    Args:
        program: of the model.
        kernel: one of SETS.

    Returns:
        Instructions.
    """
    call, _, word, byte, out = INVOKE[kernel]
    size = program.inputs[-1].stop
    copied = word * (size // _WORD) if size % _WORD == 0 else byte * size
    return call + copied + out * program.outputs[-1].stop
