"""Tells one device the time: when its session opens, when the gateway's clock was set, and every hour.

It knows neither port nor record. A device takes a time that differs from its own by more than the link's jitter, and
journals that it did; so a clock that jumps all the time is passed on only now and then.
"""

from __future__ import annotations

import struct

from kittiwake.bridge.clock import GatewayClock
from kittiwake_node.link import messages
from kittiwake_node.link.gateway_session import GatewaySession

EVERY_MS = 3_600_000  # a device's crystal goes wrong by some 100 ms an hour
HOLD_MS = 10_000


class TimeTeller:
    """One device's.

    Args:
        session: of the device.
        clock: of this machine.
    """

    def __init__(self, session: GatewaySession, clock: GatewayClock):
        self._session, self._clock = session, clock
        self._request = 0
        self._told_ms: int | None = None
        self._told_epoch_ms: int | None = None

    def begin(self, now_ms: int) -> None:
        """A session has opened: whatever was told is told again.

        Args:
            now_ms: milliseconds that never go back.
        """
        self._request, self._told_ms = 0, None
        self.tick(now_ms)

    def tick(self, now_ms: int) -> None:
        """Queue a request of the session where one is due.

        Args:
            now_ms: milliseconds that never go back.
        """
        epoch_ms = self._clock.epoch_ms
        if epoch_ms is None or not self._session.is_open or not self._is_due(epoch_ms, now_ms):
            return
        if self._request:
            self._session.cancel(self._request)  # unanswered still, it has become pointless
        # The time of each sending, not of the first; 0 is refused by the device.
        self._request = self._session.request(
            messages.OP_TIME, lambda: struct.pack("<Q", max(0, self._clock.now_ms() or 0))
        )
        self._told_ms, self._told_epoch_ms = now_ms, epoch_ms

    def _is_due(self, epoch_ms: int, now_ms: int) -> bool:
        if self._told_ms is None:
            return True
        age_ms = now_ms - self._told_ms
        return age_ms >= EVERY_MS or (age_ms >= HOLD_MS and epoch_ms != self._told_epoch_ms)
