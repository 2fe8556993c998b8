"""Costs of one channel: a block of 256 samples through z-score, events and summary, with and without alerts; and what
passes between a sample and the action, in the loop and in an interrupt.

As the node turns it with its defaults (n = 256, t = 11/2), but for the source, whose samples stand in the buffer
already, and the journal behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake import board_code
from kittiwake.bench.cases.detectors import BLOCK, OUTLIERS, noisy_samples, quiet_samples
from kittiwake.bench.cases.registry import Case, register

# The node's default block, its last sample the outlier; what is measured ends where the action begins.
_NODE_BLOCK = 64


@register
def _channel(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        if kernel == "plain":
            continue  # no node runs it
        for end, samples in (("", quiet_samples()), ("/alerts", noisy_samples(OUTLIERS))):
            source = board_code.source("bench/channel")
            arguments = (kernel, samples)
            yield Case(
                f"channel/{kernel}{end}",
                source,
                "sample",
                BLOCK,
                allocates=True,
                make="make_channel",
                arguments=arguments,
            )


@register
def _to_the_action(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        if kernel == "plain":
            continue  # allocates, so no interrupt runs it
        samples = quiet_samples()[: _NODE_BLOCK - 1] + [7000]
        source = board_code.source("bench/channel")
        yield Case(
            f"action/loop/{kernel}",
            source,
            "alert",
            allocates=True,
            make="make_until_it_acts",
            arguments=(kernel, samples),
        )
        arguments = (kernel, noisy_samples(20))
        yield Case(f"action/interrupt/{kernel}", source, "sample", BLOCK, make="make_ticks", arguments=arguments)
