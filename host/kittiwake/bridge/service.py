"""The bridge: devices on one side, one broker on the other, and the retained statuses that say who is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from kittiwake.bridge import publisher
from kittiwake.bridge.device import DeviceLink
from kittiwake.bridge.mqtt import MqttClient

ONLINE = b"online"
OFFLINE = b"offline"


class Bridge:
    """One bridge process's work. Make it inside a running event loop.

    Args:
        port_urls: one port a device, see kittiwake.ports.
        broker_url: `mqtt://host:port`.
        policy: how records become messages.
        bridge_id: names this bridge at the broker; two bridges at one broker need two.
        on_text: called as on_text(port url, line) with console text from devices.

    Attributes:
        mqtt: the MqttClient.
        links: the DeviceLinks, one a port.
    """

    def __init__(
        self,
        port_urls: Sequence[str],
        broker_url: str,
        policy: publisher.Policy,
        bridge_id: str = "bridge",
        on_text: Callable[[str, str], None] = lambda url, line: None,
    ):
        self._policy = policy
        self._status_topic = f"{policy.base}/{bridge_id}/status"
        self.mqtt = MqttClient(
            broker_url,
            client_id=f"{policy.base}-{bridge_id}",
            will=(self._status_topic, OFFLINE),
            on_connected=self._connected,
            on_published=self._published,
        )
        self.links = [
            DeviceLink(
                url,
                policy,
                self._publish,
                lambda: self.mqtt.is_connected,
                self._status,
                lambda line, url=url: on_text(url, line),
            )
            for url in port_urls
        ]

    async def run(self) -> None:
        """Serve until cancelled, then say goodbye to the broker."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.mqtt.run())
                for link in self.links:
                    tasks.create_task(link.run())
        finally:
            for link in self.links:
                if link.is_online:
                    self._status(link.session.device, False)
            if self.mqtt.is_connected:
                self.mqtt.publish(self._status_topic, OFFLINE, 1, retain=True)
            with contextlib.suppress(OSError):
                await self.mqtt.close()

    def _publish(self, message: publisher.Publication) -> int:
        return self.mqtt.publish(message.topic, message.payload, message.qos, message.retain)

    def _published(self, publication_id: int) -> None:
        for link in self.links:
            if link.on_published(publication_id):
                return

    def _connected(self) -> None:
        self.mqtt.publish(self._status_topic, ONLINE, 1, retain=True)
        for link in self.links:
            if link.session.device is not None:
                self._status(link.session.device, link.is_online)
            link.on_connected()

    def _status(self, device: str, is_online: bool) -> None:
        if self.mqtt.is_connected:
            self.mqtt.publish(self._policy.status_topic(device), ONLINE if is_online else OFFLINE, 1, retain=True)
