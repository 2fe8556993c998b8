"""Compile: the steps from a .tflite file to a plan, in one call, with what `info` tells of it.

Knows the order of the steps; what each does is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.errors import UsageError
from kittiwake.model import SLOWER_PERCENT, tiling
from kittiwake.model.emit import arena, cost, kwm
from kittiwake.model.lower import descriptors, lowering, weights
from kittiwake.model.lower.context import Packed
from kittiwake.model.lower.steps import Program
from kittiwake.model.read import admit, ends, flatbuffer, folding, islands
from kittiwake.model.read.graph import Graph
from kittiwake.model.read.refusal import ModelRefused
from kittiwake.model.tiling import Chosen, Made

WEIGHT_LAYOUT_OF = weights.LAYOUT_OF
_MOST_PERCENT = 300.0  # what strips may add where a budget of RAM forces them


@dataclass(frozen=True)
class Compiled:
    """A compiled model.

    Attributes:
        plan: the bytes of the .kwm file.
        program: what they were made from.
        graph: the model, its shape arithmetic done and floats between bytes joined.
        original: the model as it was given.
        isa: the kernel set it is for.
        scratch, state: bytes of RAM.
        tiling: which operators are computed in strips, and what the program takes without.
    """

    plan: bytes
    program: Program
    graph: Graph
    original: Graph
    isa: str
    scratch: int
    state: int
    tiling: Chosen

    @property
    def has_halfwords(self) -> bool:
        """Whether kernels for int16 activations run, which go to no node."""
        return any(step.kind in descriptors.OF_HALFWORDS for step in self.program.steps)


def compile_model(
    content: bytes,
    isa: str = "viper",
    name: str = "the model",
    ram_bytes: int | None = None,
    flash_bytes: int | None = None,
    byte_ends: bool = False,
    slower_percent: float = SLOWER_PERCENT,
) -> Compiled:
    """Compile a model.

    Args:
        content: of the .tflite file.
        isa: one of WEIGHT_LAYOUT_OF.
        name: for messages.
        ram_bytes: budget of RAM; None for none.
        flash_bytes: budget of flash; None for none.
        byte_ends: leave out the QUANTIZE and DEQUANTIZE at ends in floats, and take and give bytes.
        slower_percent: what computing layers in strips, to save RAM, may add to an invoke's instructions; 0 for none.
            It is doubled until a budget of RAM is met.

    Returns:
        The plan and what it was made from.

    Raises:
        UsageError: no such instruction set.
        ModelRefused: the model is damaged, unsupported or over a budget, with all reasons.
    """
    graph = flatbuffer.read(content, name)
    return compile_graph(
        ends.in_bytes(graph) if byte_ends else graph, isa, name, ram_bytes, flash_bytes, slower_percent
    )


def compile_graph(
    graph: Graph,
    isa: str = "viper",
    name: str = "the model",
    ram_bytes: int | None = None,
    flash_bytes: int | None = None,
    slower_percent: float = SLOWER_PERCENT,
) -> Compiled:
    """Compile a model that was read, or made, as a graph; arguments, result and errors else as of `compile_model`."""
    if isa not in WEIGHT_LAYOUT_OF:
        raise UsageError(f"no instruction set is called {isa!r}", f"use one of {', '.join(WEIGHT_LAYOUT_OF)}")
    original, graph = graph, islands.join(folding.fold(graph))
    reasons = admit.reasons(graph)
    if reasons:
        raise ModelRefused(reasons, name)
    try:
        chosen = _chosen(graph, isa, slower_percent, ram_bytes)
    except ModelRefused as error:
        raise ModelRefused(error.reasons, name) from None
    program, scratch, state = chosen.made.program, chosen.made.scratch, chosen.made.state
    large = kwm.too_large(program)
    if large:
        raise ModelRefused(large, name)
    if max(scratch, state) > kwm.MOST_BYTES:
        raise ModelRefused([f"it takes {scratch + state} bytes of RAM, a plan addresses {kwm.MOST_BYTES}"], name)
    written = kwm.write(program, WEIGHT_LAYOUT_OF[isa], scratch, state)
    budgets = (("RAM", scratch + state, ram_bytes), ("flash", len(written), flash_bytes))
    over = [
        f"it takes {used} bytes of {what}, the budget is {most}"
        for what, used, most in budgets
        if most is not None and used > most
    ]
    if over:
        raise ModelRefused(over, name)
    return Compiled(written, program, graph, original, isa, scratch, state, chosen)


def _chosen(graph: Graph, isa: str, slower_percent: float, ram_bytes: int | None) -> Chosen:
    layout, packed = WEIGHT_LAYOUT_OF[isa], Packed()
    kernel = isa if isa in cost.SETS else cost.SETS[0]

    def make(whole: Graph) -> Made:
        program = lowering.lower(whole, layout, packed)
        return Made(program, *arena.place(program))

    def instructions(program: Program) -> float:
        return cost.instructions(program, kernel)

    tiler = tiling.Tiler(graph, make, instructions)
    # What is cheap may leave the way open to what saves more: with less allowed, more may come of it.
    tried = [tiler.choose(slower_percent * share) for share in (0.25, 0.5, 1)]
    while ram_bytes is not None and _least(tried).made.ram > ram_bytes and 0 < slower_percent < _MOST_PERCENT:
        slower_percent *= 2
        tried.append(tiler.choose(slower_percent))
    return _least(tried)


def _least(tried: Sequence[Chosen]) -> Chosen:
    return min(tried, key=lambda chosen: chosen.made.bytes)
