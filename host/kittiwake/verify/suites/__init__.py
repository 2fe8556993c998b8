"""Parity suites: vectors with what must come out, formed by the independent reference."""

# Each registers itself; their order is the order of reports.
from kittiwake.verify.suites import blocks, drift, frames, frontend, keyword, model, records, states, zscore  # noqa: F401
from kittiwake.verify.suites.registry import Suite, Vector, registered

__all__ = ["Suite", "Vector", "registered"]
