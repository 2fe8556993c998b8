"""The audit of a journal: is every sequence number there, or explained? The end of a chain that began at a sample.

Pure. A board counts the records that it evicted before they could be sent (its health says so); everything else below
the newest number that arrived has to be in the database.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JournalAudit:
    """What one journal's rows add up to.

    Attributes:
        device, journal: which.
        rows: records that are there.
        first, last: the least and the largest sequence number.
        evicted: records that the board itself counted as given up, over the journal's life.
        gaps: the first few runs of absent numbers between `first` and `last`, both ends included.
    """

    device: str
    journal: str
    rows: int
    first: int
    last: int
    evicted: int
    gaps: tuple[tuple[int, int], ...] = ()

    @property
    def before(self) -> int:
        """Numbers below the first one that arrived: acknowledged to others before this history began, or evicted."""
        return self.first

    @property
    def absent(self) -> int:
        """Numbers between the first and the last that are not there."""
        return self.last - self.first + 1 - self.rows

    @property
    def missing(self) -> int:
        """Absent numbers that no eviction explains."""
        return max(0, self.absent - self.evicted)
