"""Steps of a record's way from sample to row, and the trace they belong to. Pure; it knows no exporter.

A trace is of one record: its id is made of (device, journal, seq) alone, so bridge and history know it without telling
each other, and a record that goes its way twice has the same trace. Ids of spans are made of the trace and the step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

SAMPLE = "sample"  # from the sample to the gateway: the root
PUBLISH = "publish"  # from there until the broker, or the spool, has confirmed it
ROW = "row"  # from the history's receipt to the commit
_HALF = 1 << 64


@dataclass(frozen=True)
class Key:
    """A record's identity.

    Args:
        device: its id.
        journal: 16 hexadecimal digits.
        seq: its number in the journal.
    """

    device: str
    journal: str
    seq: int

    @property
    def trace_id(self) -> int:
        """The trace's, 128 bits and never 0."""
        return int.from_bytes(self._digest("")[:16]) or 1

    def span_id(self, step: str) -> int:
        """The id of a step's span, 64 bits and never 0.

        Args:
            step: SAMPLE, PUBLISH or ROW.
        """
        return int.from_bytes(self._digest(step)[:8]) or 1

    def is_of_share(self, share: float) -> bool:
        """Whether the record is one of those that are traced: the same ones everywhere.

        Args:
            share: of all records, 0 to 1.
        """
        return self.trace_id % _HALF < share * _HALF

    def _digest(self, step: str) -> bytes:
        return hashlib.sha256(f"{self.device}/{self.journal}/{self.seq}/{step}".encode()).digest()


@dataclass(frozen=True)
class Step:
    """A step that a record has taken.

    Args:
        name: SAMPLE, PUBLISH or ROW.
        key: whose.
        begin_ns, end_ns: UTC in nanoseconds since 1970.
        more: what else is told of it.
    """

    name: str
    key: Key
    begin_ns: int
    end_ns: int
    more: Mapping[str, str] = field(default_factory=dict)


class Steps(Protocol):
    """Who is told of steps."""

    def wants(self, key: Key, /) -> bool:
        """Whether this record is traced."""

    def tell(self, step: Step, /) -> None:
        """Take a step of a record that is traced."""
