"""What Home Assistant was told of devices: kept, so that it can be told again when it starts or a device comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kittiwake.bridge.homeassistant import discovery
from kittiwake.bridge.settings import HomeAssistantSection
from kittiwake.publish.channel_description import Channel
from kittiwake.publish.publisher import Policy, Publication


class Discovered:
    """Discovery messages of one bridge; where discovery is switched off, it does nothing.

    Args:
        home: the settings.
        policy: names the topics.
        bridge_status: topic of the bridge's status.
        publish: called with each message.
    """

    def __init__(
        self,
        home: HomeAssistantSection,
        policy: Policy,
        bridge_status: str,
        publish: Callable[[Publication], None],
    ):
        self._home, self._policy, self._bridge_status, self._publish = home, policy, bridge_status, publish
        self._home_topic = f"{home.prefix}/status"
        self._messages: dict[str, Publication] = {}
        self._forgotten: dict[str, Publication] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics to subscribe to."""
        return (self._home_topic,) if self._home.enabled else ()

    def on_message(self, topic: str, payload: bytes) -> None:
        """Take a message of `filters`."""
        if topic == self._home_topic and payload == b"online":
            for message in self._messages.values():
                self._publish(message)

    def on_described(self, device: str, journal: int, channels: Sequence[Channel]) -> None:
        """A device's records come under a channel description that was not seen before."""
        if not self._home.enabled:
            return
        message = discovery(self._policy, self._home.prefix, self._bridge_status, device, journal, channels)
        self._forgotten.pop(device, None)
        if self._messages.get(device) != message:
            self._messages[device] = message
            self._publish(message)

    def on_online(self, device: str) -> None:
        """A device has come: if it was forgotten, that is over."""
        message = self._forgotten.pop(device, None)
        if message is not None:
            self._messages[device] = message
            self._publish(message)

    def on_forgotten(self, device: str) -> None:
        """Somebody cleared what was retained of a device that is not here."""
        message = self._messages.pop(device, None)
        if message is not None:
            self._forgotten[device] = message
