"""The audit of a journal: is every sequence number there, or explained? The end of a chain that began at a sample.

Pure. A board counts the records that it evicted before they could be sent (its health says so), and the history those
that its retention took out; everything else below the newest number that arrived has to be in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class JournalAudit:
    """What one journal's rows add up to.

    Attributes:
        device, journal: which.
        rows: records that are there.
        first, last: the least and the largest sequence number that was ever there.
        arrived: when the newest row came; None where retention has left none.
        evicted: records that the board itself counted as given up, over the journal's life.
        dropped: records that retention has taken out.
        awaited: absent numbers that others have overtaken so recently that they may still come.
        gaps: the newest few runs of absent numbers that are not awaited, both ends included.
    """

    device: str
    journal: str
    rows: int
    first: int
    last: int
    arrived: datetime | None
    evicted: int
    dropped: int = 0
    awaited: int = 0
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
        """Absent numbers that nothing explains."""
        return max(0, self.absent - self.dropped - self.awaited - self.evicted)
