"""Sizes of the detectors' states, in bytes, as the board that runs them has them in memory."""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake import board_code
from kittiwake.bench.cases.registry import Case, register

_HEAD = 64  # allowed besides the window
_MODULES = {"ZScore": "zscore", "Drift": "drift", "Novelty": "novelty"}


@register
def _states(kernels: list[str]) -> Iterator[Case]:
    sizes: list[tuple[str, str, dict[str, int], int]] = [
        ("zscore/20", "ZScore", {"n": 20, "p": 5, "q": 2}, 2 * 20 + _HEAD),
        ("zscore/256", "ZScore", {"n": 256}, 2 * 256 + _HEAD),
        ("zscore/1024", "ZScore", {"n": 1024}, 2 * 1024 + _HEAD),
        ("zscore/24-bit/256", "ZScore", {"n": 256, "bits": 24}, 4 * 256 + _HEAD),
        ("drift", "Drift", {}, 64),
        ("novelty", "Novelty", {}, 128),
    ]
    source = board_code.source("bench/detectors")
    for end, name, settings, most in sizes:
        arguments = (_MODULES[name], name, settings)
        yield Case(f"state/{end}", source, "channel", budget=most, unit="bytes", make="make_state", arguments=arguments)
