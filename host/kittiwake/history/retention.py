"""What a history may take out, and when: by class and age, then by bytes. Pure.

What goes first is raw (snapshots with their samples), then telemetry, last alerts and all that is no telemetry, as on
the boards. Roll-ups stay: the figures of a year are there when its summaries are not.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Policy:
    """How long records stay.

    Attributes:
        days: for raw, telemetry and alert records each; 0 for ever.
        limit_bytes: of the database; 0 for no limit.
        free_share: of the file's disk, from 0 to 1, that is to stay free; 0 for no matter. Of a file only.
    """

    days: tuple[int, int, int] = (0, 0, 0)
    limit_bytes: int = 0
    free_share: float = 0.0

    def cutoffs_ms(self, now_ms: int) -> list[tuple[int, int]]:
        """Give (class, time before which its records go) of the classes that have an age, raw first."""
        return [(number, now_ms - days * DAY_MS) for number, days in enumerate(self.days) if days]


@dataclass(frozen=True)
class Dropped:
    """What one step of retention took out.

    Attributes:
        records, bytes: of payloads.
        is_done: nothing more is to go now.
    """

    records: int = 0
    bytes: int = 0
    is_done: bool = True
