"""Compile: the steps from a .tflite file to a plan, in one call, with what `info` tells of it.

Knows the order of the steps; what each does is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from kittiwake.errors import UsageError
from kittiwake.model.emit import arena, kwm
from kittiwake.model.lower import lowering, weights
from kittiwake.model.lower.steps import Program
from kittiwake.model.read import admit, ends, flatbuffer, folding, islands
from kittiwake.model.read.graph import Graph
from kittiwake.model.read.refusal import ModelRefused

WEIGHT_LAYOUT_OF = weights.LAYOUT_OF


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
    """

    plan: bytes
    program: Program
    graph: Graph
    original: Graph
    isa: str
    scratch: int
    state: int


def compile_model(
    content: bytes,
    isa: str = "viper",
    name: str = "the model",
    ram_bytes: int | None = None,
    flash_bytes: int | None = None,
    byte_ends: bool = False,
) -> Compiled:
    """Compile a model.

    Args:
        content: of the .tflite file.
        isa: one of WEIGHT_LAYOUT_OF.
        name: for messages.
        ram_bytes: budget of RAM; None for none.
        flash_bytes: budget of flash; None for none.
        byte_ends: leave out the QUANTIZE and DEQUANTIZE at ends in floats, and take and give bytes.

    Returns:
        The plan and what it was made from.

    Raises:
        UsageError: no such instruction set.
        ModelRefused: the model is damaged, unsupported or over a budget, with all reasons.
    """
    graph = flatbuffer.read(content, name)
    return compile_graph(ends.in_bytes(graph) if byte_ends else graph, isa, name, ram_bytes, flash_bytes)


def compile_graph(
    graph: Graph,
    isa: str = "viper",
    name: str = "the model",
    ram_bytes: int | None = None,
    flash_bytes: int | None = None,
) -> Compiled:
    """Compile a model that was read, or made, as a graph; arguments, result and errors else as of `compile_model`."""
    if isa not in WEIGHT_LAYOUT_OF:
        raise UsageError(f"no instruction set is called {isa!r}", f"use one of {', '.join(WEIGHT_LAYOUT_OF)}")
    original, graph = graph, islands.join(folding.fold(graph))
    reasons = admit.reasons(graph)
    if reasons:
        raise ModelRefused(reasons, name)
    try:
        program = lowering.lower(graph, WEIGHT_LAYOUT_OF[isa])
    except ModelRefused as error:
        raise ModelRefused(error.reasons, name) from None
    scratch, state = arena.place(program)
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
    return Compiled(written, program, graph, original, isa, scratch, state)
