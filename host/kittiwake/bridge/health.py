"""Whether a bridge does its work, and why not, in words that an operator can act on. It reads what others keep."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.spool import Spool
from kittiwake.mqtt.client import MqttClient

_LOOK_S = 1.0
_TAKEN_OVER_S = 300.0


class Health:
    """One bridge's.

    Args:
        mqtt: the client that publishes.
        command_client: the client on which commands arrive.
        spool: None where it is off.
        links: gives all links.
        unwell_after_s: seconds for which records may wait with none confirmed.
        clock_s: seconds that never go back, for tests.
    """

    def __init__(
        self,
        mqtt: MqttClient,
        command_client: MqttClient,
        spool: Spool | None,
        links: Callable[[], Iterable[DeviceLink]],
        unwell_after_s: float,
        clock_s: Callable[[], float] = time.monotonic,
    ):
        self._mqtt, self._command_client, self._spool, self._links = mqtt, command_client, spool, links
        self._unwell_after_s, self._clock_s = unwell_after_s, clock_s
        self._confirmed = 0
        self._since_s = clock_s()

    async def watch(self) -> None:
        """Look every second until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        """See whether records wait, and whether the broker has confirmed something since the last look."""
        confirmed = self._mqtt.messages.confirmed
        if confirmed != self._confirmed or not self._waiting:
            self._confirmed, self._since_s = confirmed, self._clock_s()

    @property
    def reasons(self) -> list[str]:
        """Why it is not well; none where it is."""
        mqtt, spool, now_s = self._mqtt, self._spool, self._clock_s()
        reasons = []
        if not mqtt.is_connected:
            reasons.append(f"broker {mqtt.problem or 'is not connected'}")
        for client in (mqtt, self._command_client):
            if client.takeovers.count and now_s - client.takeovers.told_s < _TAKEN_OVER_S:
                count, who = client.takeovers.count, client.client_id
                reasons.append(f"{count} connections lost to another program, it seems, that connects as {who}")
        silent_s = now_s - self._since_s
        if silent_s >= self._unwell_after_s:
            reasons.append(f"{self._waiting} records wait, and the broker confirmed none for {silent_s:.0f} s")
        if spool is not None and spool.problem:
            reasons.append(f"spool {spool.problem}; devices keep their records")
        return reasons

    @property
    def _waiting(self) -> int:
        return sum(len(link.intake) for link in self._links()) + (self._spool.records if self._spool else 0)
