"""Costs of a channel that tells a machine's states: a sample of it, all that it becomes included.

The network has the shapes of what `kittiwake model train states` makes, over blocks of 256 samples and four states, and
random weights. The source's samples stand in the buffer already.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kittiwake import board_code
from kittiwake.bench.cases.detectors import BLOCK, quiet_samples
from kittiwake.bench.cases.made_net import Net
from kittiwake.bench.cases.networks import PLAN
from kittiwake.bench.cases.registry import Case, register
from kittiwake.model import compiler, states

_NODE_BLOCK = 64
_STATES = ("off", "slow", "fast", "jammed")
_LAYERS = ((16, 8, 4), (24, 5, 2), (32, 3, 2))  # channels, samples, step


def plan(kernel: str) -> bytes:
    """Make the plan.

    Args:
        kernel: whose weight layout it gets.

    Returns:
        The plan with its note, as a .kwm file has it.
    """
    net = Net()
    x = samples = net.tensor((1, 1, BLOCK, 1), scales=(1 / 128,), zero_points=(0,))
    for channels, length, step in _LAYERS:
        x = net.convolution(x, (1, length), (1, step), channels, padding="valid")
    compiled = compiler.compile_graph(net.ended(samples, x, len(_STATES)), kernel, "states")
    return states.with_states(compiled, _STATES, 4000.0, "states")


def _files(kernel: str) -> dict[str, bytes]:
    return {PLAN: plan(kernel)}


@register
def _states(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        if kernel == "plain":
            continue  # no node runs it
        # All of it, and what comes before the network: the block kept, its mean, the network's input.
        for end, make in (("", "make_states"), ("/block", "make_block_of_states")):
            yield Case(
                f"machine-states/{kernel}{end}",
                board_code.source("bench/channel"),
                "sample",
                BLOCK,
                allocates=True,
                files=partial(_files, kernel),
                make=make,
                arguments=(kernel, quiet_samples()[:_NODE_BLOCK], PLAN),
            )
