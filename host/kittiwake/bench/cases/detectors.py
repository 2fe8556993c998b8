"""Costs of detection: z-score, drift, novelty, summary; 256 samples of 16 bits in one call, one channel."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kittiwake.bench.cases.registry import Case, register

BLOCK = 256
OUTLIERS = 128  # samples from one to the next; more of them would hide each other at n = 256, t = 11/2
# Instructions a sample: (must be below, aim).
_BUDGETS: dict[tuple[str, str], tuple[int, int | None]] = {
    ("zscore", "viper"): (450, 250),
    ("zscore", "thumb2"): (120, 60),
    ("zscore", "rv32"): (180, 90),
    ("drift", "viper"): (450, 250),
    ("drift", "thumb2"): (120, 60),
    ("drift", "rv32"): (120, None),
    ("novelty", "viper"): (1000, 550),
    ("novelty", "thumb2"): (260, 140),
    ("novelty", "rv32"): (360, 200),
    ("summary", "viper"): (180, None),
    ("summary", "thumb2"): (60, None),
    ("summary", "rv32"): (60, None),
}
_ZSCORE = """
from array import array
from kittiwake_node import kernels
from kittiwake_node.detect.zscore import ZScore
def make(storage):
    z = ZScore(kernels.load({kernel!r}), n={n}, p={p}, q={q}, bits={bits})
    buf = array('h' if {bits} == 16 else 'i', {samples})
    def block():
        at = 0
        while at < {size}:
            at = z.find(buf, at, {size}) + 1
    for _ in range(2):
        block()
    return (z.find, (buf, 0, {size})) if {is_quiet} else (block, ())
"""
# Fed long enough before that the warm-up is over, and every level and transition of the block was met.
_EWMA = """
from array import array
from kittiwake_node import kernels
from kittiwake_node.detect.{module} import {name}
def make(storage):
    d = {name}(kernels.load({kernel!r}))
    buf = array('h', {samples})
    for _ in range(6):
        at = 0
        while at < len(buf):
            at = d.find(buf, at, len(buf)) + 1
    return d.find, (buf, 0, len(buf))
"""
_SUMMARY = """
from array import array
from kittiwake_node import kernels
from kittiwake_node.detect.summary import Summary
def make(storage):
    buf = array('h', {samples})
    return Summary(kernels.load({kernel!r})).feed, (buf, 0, len(buf))
"""


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
            values = {"kernel": kernel, "n": n, "p": p, "q": q, "size": BLOCK, "bits": 16}
            for end, samples in (("", quiet_samples()), ("/alerts", noisy_samples(20 if n == 20 else OUTLIERS))):
                if end and kernel == "plain":
                    continue
                source = _ZSCORE.format(**values, is_quiet=not end, samples=samples)
                yield _case("zscore", kernel, f"/{n}{end}", source, has_budget=not end)
        values = {"kernel": kernel, "n": 256, "p": 11, "q": 2, "size": BLOCK, "bits": 24, "is_quiet": True}
        source = _ZSCORE.format(**values, samples=[256 * x for x in quiet_samples()])
        yield _case("zscore", kernel, "/24-bit/256", source, has_budget=False)


@register
def _drift_and_novelty(kernels: list[str]) -> Iterator[Case]:
    for module in ("drift", "novelty"):
        for kernel in kernels:
            source = _EWMA.format(module=module, name=module.title(), kernel=kernel, samples=quiet_samples())
            yield _case(module, kernel, "", source)


@register
def _summary(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        source = _SUMMARY.format(kernel=kernel, samples=quiet_samples())
        yield _case("summary", kernel, "", source)


def _case(stage: str, kernel: str, end: str, source: str, has_budget: bool = True) -> Case:
    must, aim = _BUDGETS.get((stage, kernel), (None, None)) if has_budget else (None, None)
    name = f"{stage}/{kernel}{end}"
    return Case(name, source, "sample", BLOCK, budget=must, aim=aim, allocates=kernel == "plain")
