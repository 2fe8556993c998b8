"""One device's records on their way through this gateway, for traces: when each came, and when it was safe.

It knows neither port nor broker, nor who is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kittiwake.observe.steps import PUBLISH, SAMPLE, Key, Step, Steps
from kittiwake.publish.bodies import OPAQUE
from kittiwake.publish.publisher import KINDS
from kittiwake_node.link.record import Record


class Way:
    """One device's.

    Args:
        steps: who is told.
        clock_ns: UTC in nanoseconds since 1970, for tests.
    """

    def __init__(self, steps: Steps, clock_ns: Callable[[], int] = time.time_ns):
        self._steps, self._clock_ns = steps, clock_ns
        self._device, self._journal = "", ""
        # By sequence number: those that are traced and not safe, no more than are on their way.
        self._under_way: dict[int, tuple[Key, int, dict[str, str]]] = {}

    def begin(self, device: str, journal: int) -> None:
        """Records of another device or journal come from here on.

        Args:
            device: device id.
            journal: journal id, 64 bits.
        """
        self._device, self._journal = device, f"{journal:016x}"
        self._under_way.clear()

    def taken(self, record: Record) -> None:
        """A record has come from the device.

        Args:
            record: as received.
        """
        key = Key(self._device, self._journal, record.seq)
        if not self._steps.wants(key):
            return
        now_ns = self._clock_ns()
        more = {"kind": KINDS.get(record.type, OPAQUE)}
        self._under_way[record.seq] = key, now_ns, more
        # Of a board that did not know the time, or whose clock is ahead, nobody knows how long the record took.
        sampled_ns = now_ns if record.utc_ms is None else min(record.utc_ms * 1_000_000, now_ns)
        self._steps.tell(Step(SAMPLE, key, sampled_ns, now_ns, more))

    def confirmed(self, seq: int) -> None:
        """The sink has a record's publication.

        Args:
            seq: of the record.
        """
        if taken := self._under_way.pop(seq, None):
            key, since_ns, more = taken
            self._steps.tell(Step(PUBLISH, key, since_ns, self._clock_ns(), more))
