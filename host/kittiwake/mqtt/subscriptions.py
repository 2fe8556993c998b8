"""What a client subscribes to, and what of it the broker refuses. It knows no message."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from kittiwake.mqtt.guard import CallbackGuard

log = logging.getLogger(__name__)


class Subscriptions:
    """One client's.

    Args:
        filters: what it subscribes to at every connection, at QoS 1.
        address: of the broker, for the log.
        guard: of the client's callbacks.
        on_subscribed: on_subscribed(refused) with every answer of the broker's.

    Attributes:
        refused: filter -> the broker's reason, as of its newest answer.
    """

    def __init__(
        self,
        filters: tuple[str, ...],
        address: object,
        guard: CallbackGuard,
        on_subscribed: Callable[[dict[str, str]], None],
    ):
        self._filters, self._address, self._guard, self._on_subscribed = filters, address, guard, on_subscribed
        self.refused: dict[str, str] = {}

    def begin(self, client: paho.Client) -> None:
        """Subscribe.

        Args:
            client: connected.
        """
        client.on_subscribe = self._guard.wrap(self._answered)
        if self._filters:
            client.subscribe([(topic, 1) for topic in self._filters])

    def _answered(self, client: object, _: object, mid: int, reasons: Sequence[ReasonCode], properties: object) -> None:
        answers = zip(self._filters, reasons, strict=False)
        refused = {topic: _in_words(reason) for topic, reason in answers if reason.is_failure}
        for topic in refused.keys() - self.refused.keys():
            log.warning("broker %s refuses the subscription to %s: %s", self._address, topic, refused[topic])
        self.refused = refused
        self._on_subscribed(refused)


def _in_words(reason: ReasonCode) -> str:
    # MQTT 3.1.1 has one code for every reason, which paho calls unspecified.
    return "no reason given (MQTT 3.1.1 has none)" if reason.value == 0x80 else str(reason)
