"""Parts of snapshots until all of one are there: few at a time, and what is given up is named. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from kittiwake.history.row import Row

SNAPSHOTS_LIMIT = 64
SAMPLES_LIMIT = 65536
_PARTS_LIMIT = 1024


@dataclass
class Snapshot:
    """A snapshot of which not all may be there.

    Attributes:
        first: its first part that came.
        parts: number -> samples.
        handles: of the messages.
    """

    first: Row
    parts: dict[int, list[int]] = field(default_factory=dict)
    handles: list[int] = field(default_factory=list)

    @property
    def samples(self) -> list[int]:
        """All samples, in their order."""
        return [sample for number in sorted(self.parts) for sample in self.parts[number]]


class Gathering:
    """Gathers parts of snapshots.

    Attributes:
        given_up: snapshots that made room for others.
    """

    def __init__(self) -> None:
        self._snapshots: OrderedDict[tuple[str, str, int], Snapshot] = OrderedDict()
        self.given_up = 0

    def clear(self) -> None:
        """Forget all: the broker sends again what was not acknowledged."""
        self._snapshots.clear()

    def take(self, row: Row, handle: int) -> tuple[Snapshot | None, list[int]]:
        """Take a part.

        Args:
            row: the part.
            handle: of its message.

        Returns:
            (the snapshot, when this part makes it whole; handles of messages that are not to be waited for).
        """
        part, parts, samples = row.body.get("part"), row.body.get("parts"), row.body.get("samples_lsb")
        if (
            type(part) is not int
            or type(parts) is not int
            or not 0 <= part < parts <= _PARTS_LIMIT
            or not isinstance(samples, list)
            or any(type(sample) is not int for sample in samples)
        ):
            return None, [handle]
        # Parts of one snapshot have sequence numbers that follow each other.
        key = row.device, row.journal, row.seq - part
        snapshot = self._snapshots.pop(key, None) or Snapshot(row)
        self._snapshots[key] = snapshot
        if row.seq < snapshot.first.seq:
            snapshot.first = row
        snapshot.parts[part] = samples
        snapshot.handles.append(handle)
        if len(snapshot.parts) == parts:
            del self._snapshots[key]
            return snapshot, []
        if len(self._snapshots) > SNAPSHOTS_LIMIT or sum(map(len, snapshot.parts.values())) > SAMPLES_LIMIT:
            _, old = self._snapshots.popitem(last=False)
            self.given_up += 1
            return None, old.handles
        return None, []
