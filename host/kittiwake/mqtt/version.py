"""Which MQTT version is spoken, and whether a connection is made only to wipe an old session. It opens nothing."""

from __future__ import annotations

import paho.mqtt.client as paho

_UNSUPPORTED_VERSION = "Unsupported protocol version"


class Dialect:
    """The version in use, changed where `auto` allows it and the broker does not take it.

    Args:
        setting: "auto", "5" or "3.1.1".
        is_lasting: the session at the broker outlives the process, so it is never wiped.

    Attributes:
        protocol: paho.MQTTv5 or paho.MQTTv311.
        wipes: the next connection is made to wipe an old session: MQTT 3.1.1 can only begin afresh with a connection
            that wipes, and then another that keeps.
    """

    def __init__(self, setting: str, is_lasting: bool):
        self._is_auto = setting == "auto"
        self._is_lasting = is_lasting
        self.protocol = paho.MQTTv311 if setting == "3.1.1" else paho.MQTTv5
        self.wipes = self._wants_wiping()

    @property
    def name(self) -> str:
        """The version as people write it: "5" or "3.1.1"."""
        return "5" if self.protocol == paho.MQTTv5 else "3.1.1"

    def turn(self, problem: str, was_ever_taken: bool, was_silent: bool) -> bool:
        """After an attempt that failed, turn to the other version where that may be why.

        Args:
            problem: what the attempt ended with.
            was_ever_taken: the broker has accepted a connection of this process.
            was_silent: it took the bytes and gave no answer to CONNECT.

        Returns:
            Whether it turned.
        """
        refused = self.protocol == paho.MQTTv5 and _UNSUPPORTED_VERSION in problem
        # Brokers that know 3.1.1 alone may close, or say nothing, instead of refusing.
        if not self._is_auto or not (refused or (was_silent and not was_ever_taken)):
            return False
        self.protocol = paho.MQTTv311 if self.protocol == paho.MQTTv5 else paho.MQTTv5
        self.wipes = self._wants_wiping() and not was_ever_taken
        return True

    def _wants_wiping(self) -> bool:
        return not self._is_lasting and self.protocol == paho.MQTTv311
