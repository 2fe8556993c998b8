"""Costs of the journal: an alert appended and committed, records read for the link, a start. A new one each time."""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake import board_code
from kittiwake.bench.cases.registry import Case, register


@register
def _journal(kernels: list[str]) -> Iterator[Case]:
    source = board_code.source("bench/journal")
    yield Case("journal/commit", source, "alert", calls=160, budget=400_000, allocates=True, make="make_commit")
    yield Case(
        "journal/commit-hurried",
        source,
        "alert",
        calls=160,
        budget=700_000,
        allocates=True,
        make="make_hurried_commit",
    )
    yield Case("journal/read", source, "record", units=11, budget=150_000, allocates=True, make="make_read")
    yield Case("journal/recover", source, "start", budget=50_000_000, allocates=True, make="make_start")
