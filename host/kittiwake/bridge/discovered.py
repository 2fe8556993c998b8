"""What Home Assistant was told: of each port's device, again when it starts, and no more often than is of use.

It knows no broker; what the messages hold is homeassistant's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from kittiwake.bridge import homeassistant
from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.retained import Retained
from kittiwake.bridge.settings import HomeAssistantSection
from kittiwake.peers.complaints import Complaints
from kittiwake.publish.channel_description import Channel
from kittiwake.publish.publisher import Policy, Publication

log = logging.getLogger(__name__)

# What describes itself anew all the time is told of so often.
EVERY_S = 10.0


@dataclass
class _Port:
    """One port: the message of its device, and what of it was published."""

    device: str
    newest: Publication
    published: Publication | None = None
    is_forgotten: bool = False
    timer: asyncio.TimerHandle | None = None
    next_s: float = float("-inf")


class Discovered:
    """Discovery messages of one bridge; where discovery is switched off, it does nothing.

    Args:
        home: the settings.
        policy: names the topics.
        bridge_status: topic of the bridge's status.
        retained: where messages are left.
    """

    def __init__(self, home: HomeAssistantSection, policy: Policy, bridge_status: str, retained: Retained):
        self._home, self._policy, self._bridge_status, self._retained = home, policy, bridge_status, retained
        self._home_topic = f"{home.prefix}/status"
        self._ports: dict[str, _Port] = {}
        self._complaints = Complaints(log)

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics to subscribe to."""
        return (self._home_topic,) if self._home.enabled else ()

    def on_message(self, topic: str, payload: bytes) -> None:
        """Take a message of `filters`."""
        if topic == self._home_topic and payload == b"online":
            for port in self._ports.values():
                if port.published is not None and not port.is_forgotten:
                    self._retained.say(port.published.topic, port.published.payload)

    def on_described(self, link: DeviceLink, channels: Sequence[Channel]) -> None:
        """A device's records come under a channel description that was not seen before."""
        if not self._home.enabled:
            return
        device, journal = link.identity
        limit = homeassistant.CHANNELS_LIMIT
        if len(channels) > limit:
            self._complaints.tell(f"{link.url}: {len(channels)} channels; Home Assistant hears of {limit}")
        message = homeassistant.discovery(
            self._policy, self._home.prefix, self._bridge_status, device, journal, channels
        )
        port = self._ports.setdefault(link.url, _Port(device, message))
        port.device, port.newest = device, message
        if port.timer is None:
            self._say_in_time(port)

    def on_online(self, link: DeviceLink) -> None:
        """A device has come: if it was forgotten, that is over."""
        port = self._ports.get(link.url)
        if port is not None and port.is_forgotten and port.device == link.device:
            self._say(port)

    def on_forgotten(self, device: str) -> None:
        """Somebody cleared what was retained of a device that is not here."""
        for port in self._ports.values():
            if port.device == device and port.published is not None:
                self._retained.drop(port.published.topic)
                port.is_forgotten, port.published = True, None
                if port.timer is not None:
                    port.timer.cancel()
                    port.timer = None

    def on_gone(self, link: DeviceLink) -> None:
        """A port is no more; what the broker has stays there."""
        port = self._ports.pop(link.url, None)
        if port is None:
            return
        if port.timer is not None:
            port.timer.cancel()
        if port.published is not None:
            self._retained.drop(port.published.topic)

    def _say_in_time(self, port: _Port) -> None:
        loop = asyncio.get_running_loop()
        if port.next_s > loop.time():
            port.timer = loop.call_at(port.next_s, self._say, port)
        else:
            self._say(port)

    def _say(self, port: _Port) -> None:
        port.timer = None
        message, before = port.newest, port.published
        if message == before:
            return
        if before is not None and before.topic != message.topic:
            self._retained.drop(before.topic)  # of the device that was on this port before
        port.published, port.is_forgotten = message, False
        port.next_s = asyncio.get_running_loop().time() + EVERY_S
        self._retained.say(message.topic, message.payload)
