"""Costs of the audio front end: one frame of 10 ms, with noise in it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kittiwake import board_code
from kittiwake.bench.cases.registry import Case, register

_BUDGETS = {
    "viper": (350_000, 300_000),
    "thumb2": (84_000, 60_000),
    "rv32": (110_000, 70_000),
    "xtensa": (140_000, 80_000),
}


@register
def _frontend(kernels: list[str]) -> Iterator[Case]:
    chance = random.Random(7)
    samples = [round(chance.gauss(0, 2000)) for _ in range(160)]
    for kernel in kernels:
        must, aim = _BUDGETS.get(kernel, (None, None))
        yield Case(
            f"frontend/{kernel}",
            board_code.source("bench/frontend"),
            "frame",
            budget=must,
            aim=aim,
            allocates=kernel == "plain",
            make="make_frame",
            arguments=(kernel, samples),
        )
