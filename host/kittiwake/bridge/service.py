"""The bridge: devices on one side, one broker on the other, and the retained statuses that say who is there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable

from kittiwake.bridge.device import DeviceLink, Hooks
from kittiwake.bridge.fleet import Fleet
from kittiwake.bridge.mqtt import Events, MqttClient
from kittiwake.bridge.settings import DeviceSection, Settings

log = logging.getLogger(__name__)

ONLINE = b"online"
OFFLINE = b"offline"
_SHARE = 16  # messages that one device hands over before the next has its turn


class Bridge:
    """One bridge process's work. Make it inside a running event loop.

    Args:
        settings: the configuration.
        on_text: called as on_text(port url, line) with console text from devices.

    Attributes:
        mqtt: the MqttClient.
        fleet: the Fleet.

    Raises:
        ConfigError: a file that the settings name cannot be used.
    """

    def __init__(self, settings: Settings, on_text: Callable[[str, str], None] = lambda url, line: None):
        self.settings = settings
        self._policy = settings.policy()
        self._on_text = on_text
        self._status_topic = self._policy.status_topic(settings.bridge.id)
        self._share = settings.bridge.records_in_memory
        self._waiting: deque[DeviceLink] = deque()  # links with messages that wait for room, each once
        self.mqtt = MqttClient(
            settings.broker,
            client_id=settings.broker.client_id or f"{settings.bridge.base}-{settings.bridge.id}".replace("/", "-"),
            will=(self._status_topic, OFFLINE),
            events=Events(on_connected=self._connected, on_room=self._room),
        )
        self._hooks = Hooks(
            on_status=self._status,
            on_text=lambda link, line: self._on_text(link.url, line),
            on_backlog=self._backlog,
        )
        self.fleet = Fleet(settings.devices, self._make_link, self._gone)

    @property
    def links(self) -> list[DeviceLink]:
        """The DeviceLinks, one a port."""
        return self.fleet.links

    async def run(self) -> None:
        """Serve until cancelled, then say goodbye to the broker."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.mqtt.run(), name="broker")
                tasks.create_task(self.fleet.run(), name="devices")
        finally:
            for link in self.links:
                if link.is_online:
                    self._status(link, False)
            if self.mqtt.is_connected:
                self.mqtt.publish(self._status_topic, OFFLINE, 1, retain=True)
            with contextlib.suppress(OSError):
                await self.mqtt.close()

    def _make_link(self, section: DeviceSection) -> DeviceLink:
        # Memory is bounded for all together: with many devices, each gets a share.
        devices = max(len(self.settings.devices), len(self.fleet.links) + 1 if hasattr(self, "fleet") else 0)
        window = max(1, min(section.window, self._share // devices))
        return DeviceLink(section, self._policy, self.mqtt, self._hooks, window)

    def _connected(self) -> None:
        self.mqtt.publish(self._status_topic, ONLINE, 1, retain=True)
        for link in self.links:
            if link.device is not None:
                self._status(link, link.is_online)
        self._room()

    def _backlog(self, link: DeviceLink) -> None:
        if link not in self._waiting:
            self._waiting.append(link)

    def _room(self) -> None:
        # Round and round, so that a device with much to say does not hold back the others.
        while self._waiting and self.mqtt.has_room:
            link = self._waiting.popleft()
            if link.hand_over(_SHARE):
                self._waiting.append(link)

    def _status(self, link: DeviceLink, is_online: bool) -> None:
        if self.mqtt.is_connected and link.device is not None:
            topic = self._policy.status_topic(link.device)
            self.mqtt.publish(topic, ONLINE if is_online else OFFLINE, 1, retain=True)

    def _gone(self, link: DeviceLink) -> None:
        with contextlib.suppress(ValueError):
            self._waiting.remove(link)
