"""Benchmarks: what the firmware's stages cost, each next to its budget."""

# Each registers itself; their order is the order of reports.
from kittiwake.bench.cases import (  # noqa: F401
    channel,
    codec,
    detectors,
    hearing,
    machine_states,
    networks,
    states,
    store,
    update,
)
from kittiwake.bench.cases.registry import Case, registered
from kittiwake.boards.arch import kernels_of

__all__ = ["Case", "kernels_of", "registered"]
