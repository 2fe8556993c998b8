"""Whether this machine knows the time, and when its clock was set. It knows no device.

A machine without a battery begins years ago, or where it was switched off, until it has asked the network. A time that
is wrong stands in records for ever; one that is missing can be worked out later.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from kittiwake.peers.complaints import Complaints

log = logging.getLogger(__name__)

# No clock that is right shows an earlier time: the month in which this release was made.
RELEASED = "2026-11-01"
LOOK_S = 1.0  # between two looks at the clock
STEP_MS = 100
# What systemd-timesyncd leaves. Source: systemd-timesyncd.service(8).
_TIMESYNC, _SYNCHRONIZED = "/run/systemd/timesync", "/run/systemd/timesync/synchronized"

_RELEASED_MS = int(datetime.fromisoformat(RELEASED).replace(tzinfo=UTC).timestamp() * 1000)


def monotonic_ms() -> int:
    """Milliseconds that never go back."""
    return time.monotonic_ns() // 1_000_000


class GatewayClock:
    """This machine's clock.

    Args:
        rule: "auto": it is right if it is later than this release and, where systemd-timesyncd runs, that has set it;
            "trusted": if it is later.
        utc_ms: gives milliseconds since 1970.
        steady_ms: gives milliseconds that never go back.
        exists: tells whether a path is there.

    Attributes:
        problem: why the time is not known, or "".
        epoch_ms: UTC of the steady clock's zero, as of the last look; None while the time is not known. It changes
            when the clock was set, or has been slewed by STEP_MS.
        steps: how often it changed.
    """

    def __init__(
        self,
        rule: str = "auto",
        utc_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        steady_ms: Callable[[], int] = monotonic_ms,
        exists: Callable[[str], bool] = os.path.exists,
    ):
        self._rule, self._utc_ms, self._steady_ms, self._exists = rule, utc_ms, steady_ms, exists
        self._is_synchronized = False
        self._complaints = Complaints(log)
        self.problem = ""
        self.epoch_ms: int | None = None
        self.steps = 0
        self.look()

    def now_ms(self) -> int | None:
        """UTC in milliseconds since 1970; None while it is not known."""
        return None if self.epoch_ms is None else self._utc_ms()

    def look(self) -> None:
        """See whether the time is known, and whether the clock was set."""
        problem = self._judge()
        if problem != self.problem:
            if problem:
                log.warning("devices are not told the time: %s", problem)
            else:
                log.info("devices are told the time")
        self.problem = problem
        epoch_ms = None if problem else self._utc_ms() - self._steady_ms()
        if epoch_ms is not None and self.epoch_ms is not None:
            change_ms = epoch_ms - self.epoch_ms
            if abs(change_ms) < STEP_MS:
                return
            self.steps += 1
            self._complaints.tell(f"this machine's clock was set by {change_ms / 1000:+.1f} s; devices are told anew")
        self.epoch_ms = epoch_ms

    async def watch(self) -> None:
        """Look every LOOK_S seconds, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def _judge(self) -> str:
        if self._utc_ms() < _RELEASED_MS:
            return f"this machine's clock shows a day before {RELEASED}, and this release is of that month"
        if self._rule == "auto" and not self._is_synchronized:
            self._is_synchronized = self._exists(_SYNCHRONIZED) or not self._exists(_TIMESYNC)
            if not self._is_synchronized:
                return "systemd-timesyncd has not set this machine's clock yet"
        return ""
