"""Sizes of the detectors' states, in bytes, as the board that runs them has them in memory."""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.bench.cases.registry import Case, register

_HEAD = 64  # allowed besides the window
_MODULES = {"ZScore": "zscore", "Drift": "drift", "Novelty": "novelty"}
_STATE = """
from kittiwake_node import kernels
from kittiwake_node.detect.{module} import {name}
def make(storage):
    d = {name}(kernels.load("viper"){settings})
    def size():
        return len(bytes(d._state)) + len(bytes(getattr(d, "_ring", b"")))
    return size, ()
"""


@register
def _states(kernels: list[str]) -> Iterator[Case]:
    sizes = [("zscore/20", "ZScore", ", n=20, p=5, q=2", 2 * 20 + _HEAD)]
    sizes += [(f"zscore/{n}", "ZScore", f", n={n}", 2 * n + _HEAD) for n in (256, 1024)]
    sizes += [("zscore/24-bit/256", "ZScore", ", n=256, bits=24", 4 * 256 + _HEAD)]
    sizes += [("drift", "Drift", "", 64), ("novelty", "Novelty", "", 128)]
    for end, name, settings, most in sizes:
        source = _STATE.format(module=_MODULES[name], name=name, settings=settings)
        yield Case(f"state/{end}", source, "channel", budget=most, unit="bytes")
