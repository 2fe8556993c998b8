"""Costs of detection: z-score, drift, novelty, summary; 256 samples of 16 bits in one call, one channel."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kittiwake import board_code
from kittiwake.bench.cases.registry import Case, register

BLOCK = 256
OUTLIERS = 128  # samples from one to the next; more of them would hide each other at n = 256, t = 11/2
# Instructions a sample: (must be below, aim).
_BUDGETS: dict[tuple[str, str], tuple[int, int | None]] = {
    ("zscore", "viper"): (450, 250),
    ("zscore", "thumb2"): (120, 60),
    ("zscore", "rv32"): (180, 90),
    ("zscore", "xtensa"): (120, 60),
    ("drift", "viper"): (450, 250),
    ("drift", "thumb2"): (120, 60),
    ("drift", "rv32"): (120, None),
    ("drift", "xtensa"): (200, 90),
    ("novelty", "viper"): (1000, 550),
    ("novelty", "thumb2"): (260, 140),
    ("novelty", "rv32"): (360, 200),
    ("novelty", "xtensa"): (300, 160),
    ("summary", "viper"): (180, None),
    ("summary", "thumb2"): (60, None),
    ("summary", "rv32"): (60, None),
    ("summary", "xtensa"): (60, None),
}


def quiet_samples() -> list[int]:
    """Gaussian noise about a level, cut at two standard deviations: nothing in it is an anomaly."""
    chance = random.Random(1)
    return [1000 + max(-600, min(600, round(chance.gauss(0, 300)))) for _ in range(BLOCK)]


def noisy_samples(every: int) -> list[int]:
    """The same with an outlier now and then: every 20 samples are the rate of the guide's simulated sensor."""
    return [x + (6000 if i % every == every - 1 else 0) for i, x in enumerate(quiet_samples())]


@register
def _zscore(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        for n, p, q in ((20, 5, 2), (256, 11, 2)):
            for end, samples in (("", quiet_samples()), ("/alerts", noisy_samples(20 if n == 20 else OUTLIERS))):
                if end and kernel == "plain":
                    continue
                arguments = (kernel, n, p, q, 16, not end, samples)
                yield _case("zscore", kernel, f"/{n}{end}", "make_zscore", arguments, has_budget=not end)
        arguments = (kernel, 256, 11, 2, 24, True, [256 * x for x in quiet_samples()])
        yield _case("zscore", kernel, "/24-bit/256", "make_zscore", arguments, has_budget=False)


@register
def _drift_and_novelty(kernels: list[str]) -> Iterator[Case]:
    for module in ("drift", "novelty"):
        for kernel in kernels:
            yield _case(module, kernel, "", "make_averages", (module, module.title(), kernel, quiet_samples()))


@register
def _summary(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        yield _case("summary", kernel, "", "make_summary", (kernel, quiet_samples()))


def _case(stage: str, kernel: str, end: str, make: str, arguments: tuple[object, ...], has_budget: bool = True) -> Case:
    must, aim = _BUDGETS.get((stage, kernel), (None, None)) if has_budget else (None, None)
    return Case(
        f"{stage}/{kernel}{end}",
        board_code.source("bench/detectors"),
        "sample",
        BLOCK,
        budget=must,
        aim=aim,
        allocates=kernel == "plain",
        make=make,
        arguments=arguments,
    )
