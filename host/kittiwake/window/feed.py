"""The window's ear: a subscriber that fills the fleet, and asks gateways how they are while somebody looks."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping

from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.window.fleet import Fleet

log = logging.getLogger(__name__)

_ASK_S = 1.5


def utc_ms() -> int:
    """The clock: UTC in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Feed:
    """Listens until it is cancelled. Make it inside a running event loop.

    Args:
        broker: the settings.
        base: first levels of the topics.
        own_topics: more filters, of kinds that are published elsewhere.
        is_watched: whether somebody looks: only then are gateways asked.
        on_record: see Fleet.
        on_response: see Fleet.

    Attributes:
        fleet: what was heard.
        mqtt: the client, for its state.
    """

    def __init__(
        self,
        broker: BrokerSection,
        base: str,
        own_topics: tuple[str, ...],
        is_watched: Callable[[], bool],
        on_record: Callable[[str, Mapping[str, object], str], None],
        on_response: Callable[[Mapping[str, object]], None] = lambda body: None,
    ):
        self._base, self._is_watched = base, is_watched
        self.fleet = Fleet(base, on_record, on_response)
        self.fleet.disconnected(utc_ms())
        self._prefix = f"w{secrets.token_hex(4)}"
        self._asked = 0
        self.mqtt = MqttClient(
            broker,
            f"kittiwake-window-{secrets.token_hex(4)}",
            subscriptions=(f"{base}/#", *own_topics),
            callbacks=Callbacks(
                on_connected=lambda: self.fleet.connected(utc_ms()),
                on_disconnected=lambda: self.fleet.disconnected(utc_ms()),
                on_message=self._take,
            ),
        )

    async def run(self) -> None:
        """Listen until cancelled."""
        client, asking = asyncio.create_task(self.mqtt.run()), asyncio.create_task(self._ask_all())
        try:
            await asyncio.gather(client, asking)
        finally:
            asking.cancel()
            await self.mqtt.close()
            client.cancel()
            await asyncio.gather(client, asking, return_exceptions=True)

    def send(self, name: str, command: Mapping[str, object]) -> bool:
        """Send a command.

        Args:
            name: of the device or gateway.
            command: with its `id`.

        Returns:
            Whether the broker takes messages now.
        """
        if not self.mqtt.has_room:
            return False
        self.mqtt.publish(f"{self._base}/{name}/cmd", json.dumps(command, separators=(",", ":")).encode(), 1)
        return True

    def _take(self, topic: str, payload: bytes, handle: int) -> None:
        self.mqtt.acknowledge(handle)
        self.fleet.take(topic, payload, utc_ms())

    async def _ask_all(self) -> None:
        while True:
            for gateway in self.fleet.gateways.values():
                if not self._is_watched() or not self.mqtt.is_connected or gateway.word.text != "online":
                    gateway.asked_ms = None
                    continue
                self._asked += 1
                if self.send(gateway.name, {"id": f"{self._prefix}-{self._asked}", "op": "status"}):
                    gateway.asked_ms = utc_ms() if gateway.asked_ms is None else gateway.asked_ms
            await asyncio.sleep(_ASK_S)
