"""Server of releases: a client of the broker that gives boards without a gateway what they ask for."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import time

from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.supply.direct import DirectDevices
from kittiwake.supply.shelf import Shelf

_TICK_S = 0.05


async def serve(broker: BrokerSection, base: str, folder: str, url: str = "") -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        broker: its settings.
        base: first levels of every topic.
        folder: with the releases.
        url: as of Shelf.
    """
    task = asyncio.create_task(ReleaseServer(broker, base, folder, url).run(), name="releases")
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


class ReleaseServer:
    """Gives the releases of a folder to the boards of a broker. It remembers nothing, and may die at any time.

    Args:
        broker: its settings.
        base: first levels of every topic.
        folder: with the releases.
        url: as of Shelf.
    """

    def __init__(self, broker: BrokerSection, base: str, folder: str, url: str = ""):
        self.devices = DirectDevices(Shelf(folder, url), base, self._publish)
        self.mqtt = MqttClient(
            broker,
            f"kittiwake-releases-{secrets.token_hex(4)}",
            subscriptions=self.devices.filters,
            callbacks=Callbacks(on_message=self._take),
        )

    async def run(self) -> None:
        """Serve until cancelled."""
        client = asyncio.create_task(self.mqtt.run())
        try:
            while True:
                await asyncio.sleep(_TICK_S)
                if self.mqtt.is_connected:
                    self.devices.updates.tick(time.monotonic())
        finally:
            await self.mqtt.close()
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)

    def _publish(self, topic: str, payload: bytes, is_retained: bool) -> None:
        self.mqtt.publish(topic, payload, 1 if is_retained else 0, is_retained)

    def _take(self, topic: str, payload: bytes, handle: int) -> None:
        self.mqtt.acknowledge(handle)
        self.devices.take(topic, payload)
