"""A simulated device's journal: records until they are acknowledged, in memory. It outlives the device's reboots."""

from __future__ import annotations

from collections import deque

from kittiwake_node.link import record as rec

DESCRIPTION = b'[{"name":"vibration","sensor_id":"sim-001","unit":"mm/s","scale":"1/100","offset":"0"}]'
# As a board with 1 MiB: beyond it a device makes nothing, since what it would evict could not be told from a loss.
LIMIT_RECORDS = 4096


class Journal:
    """Records as DeviceSession reads them.

    Args:
        number: its id, 64 bits.

    Attributes:
        id: its id.
        acked, next_seq: first number that is not acknowledged, and the next to be given.
        evicted: always none; see LIMIT_RECORDS.
    """

    evicted = (0, 0, 0)

    def __init__(self, number: int):
        self.id = number
        self.acked = self.next_seq = 0
        self._records: deque[bytes] = deque()  # from `acked` on

    @property
    def is_full(self) -> bool:
        """Whether a record more would be beyond the limit."""
        return len(self._records) >= LIMIT_RECORDS

    def add(self, draft: bytearray) -> None:
        """Take a drafted record and number it.

        Args:
            draft: of `record.draft`.
        """
        rec.seal(draft, 0, len(draft), self.next_seq)
        self._records.append(bytes(draft))
        self.next_seq += 1

    def read(self, start: int, limit_bytes: int) -> tuple[bytes, int]:
        """Give records from a number on, as many as fit and one at least, and the number after them."""
        taken: list[bytes] = []
        size, after = 0, max(start, self.acked)
        while after < self.next_seq:
            record = self._records[after - self.acked]
            if taken and size + len(record) > limit_bytes:
                break
            taken.append(record)
            size, after = size + len(record), after + 1
        return b"".join(taken), after

    def ack(self, next_seq: int) -> None:
        """Let go of the records before a number."""
        while self.acked < min(next_seq, self.next_seq):
            self._records.popleft()
            self.acked += 1

    def description(self, number: int) -> bytes:
        """Give the only channel description that there is."""
        return DESCRIPTION
