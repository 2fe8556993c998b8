"""Costs of detection: z-score, drift, novelty, summary; 256 samples of 16 bits in one call, one channel."""

from __future__ import annotations

import random
from collections.abc import Iterator

from kittiwake.benches import Case, register

_BLOCK = 256
_BUDGETS = {  # instructions a sample
    ("zscore", "viper"): 450,
    ("zscore", "thumb2"): 120,
    ("zscore", "rv32"): 180,
    **dict.fromkeys([("drift", "thumb2"), ("drift", "rv32")], 120),
    ("drift", "viper"): 450,
    ("novelty", "thumb2"): 260,
    ("novelty", "rv32"): 360,
    ("novelty", "viper"): 1000,
    ("summary", "viper"): 180,
    ("summary", "thumb2"): 60,
    ("summary", "rv32"): 60,
}
_ZSCORE = """
from array import array
from kittiwake_node import kernels
from kittiwake_node.core.zscore import ZScore
def make(storage):
    z = ZScore(kernels.load({kernel!r}), n={n}, p={p}, q={q})
    buf = array('h', {samples})
    for _ in range(2):
        z.find(buf, 0, len(buf))
    return z.find, (buf, 0, len(buf))
"""
# Fed long enough before that the warm-up is over, and every level and transition of the block was met.
_EWMA = """
from array import array
from kittiwake_node import kernels
from kittiwake_node.core.{module} import {name}
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
from kittiwake_node.core.summary import Summary
def make(storage):
    buf = array('h', {samples})
    return Summary(kernels.load({kernel!r})).feed, (buf, 0, len(buf))
"""


def quiet_samples() -> list[int]:
    """Gaussian noise about a level, cut at two standard deviations: nothing in it is an anomaly."""
    chance = random.Random(1)
    return [1000 + max(-600, min(600, round(chance.gauss(0, 300)))) for _ in range(_BLOCK)]


@register
def _zscore(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        for n, p, q in ((20, 5, 2), (256, 11, 2)):
            source = _ZSCORE.format(kernel=kernel, n=n, p=p, q=q, samples=quiet_samples())
            yield Case(f"zscore/{kernel}/{n}", source, "sample", _BLOCK, budget=_BUDGETS.get(("zscore", kernel)))


@register
def _drift_and_novelty(kernels: list[str]) -> Iterator[Case]:
    for module in ("drift", "novelty"):
        for kernel in kernels:
            source = _EWMA.format(module=module, name=module.title(), kernel=kernel, samples=quiet_samples())
            yield Case(f"{module}/{kernel}", source, "sample", _BLOCK, budget=_BUDGETS.get((module, kernel)))


@register
def _summary(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        source = _SUMMARY.format(kernel=kernel, samples=quiet_samples())
        yield Case(f"summary/{kernel}", source, "sample", _BLOCK, budget=_BUDGETS.get(("summary", kernel)))
