"""Which MQTT version is spoken, and whether a connection is made only to wipe an old session. It opens nothing."""

from __future__ import annotations

from paho.mqtt.enums import MQTTProtocolVersion


class VersionChoice:
    """The version in use, changed where `auto` allows it and the broker does not take it.

    Args:
        setting: "auto", "5" or "3.1.1".
        is_lasting: the session at the broker outlives the process, so it is never wiped.

    Attributes:
        protocol: MQTTProtocolVersion.MQTTv5 or MQTTv311.
        wipes: the next connection is made to wipe an old session: MQTT 3.1.1 can only begin afresh with a connection
            that wipes, and then another that keeps.
    """

    def __init__(self, setting: str, is_lasting: bool):
        self._is_auto = setting == "auto"
        self._is_lasting = is_lasting
        self.protocol = MQTTProtocolVersion.MQTTv311 if setting == "3.1.1" else MQTTProtocolVersion.MQTTv5
        self.wipes = self._wants_wiping()

    @property
    def name(self) -> str:
        """The version as people write it: "5" or "3.1.1"."""
        return "5" if self._is_5 else "3.1.1"

    @property
    def _is_5(self) -> bool:
        return self.protocol == MQTTProtocolVersion.MQTTv5

    def turn(self, was_refused: bool, was_ever_taken: bool, was_silent: bool) -> bool:
        """After an attempt that failed, turn to the other version where that may be why.

        Args:
            was_refused: the broker answered that it does not support the version.
            was_ever_taken: the broker has accepted a connection of this process.
            was_silent: it took the bytes and gave no answer to CONNECT.

        Returns:
            Whether it turned.
        """
        # Brokers that know 3.1.1 alone may close, or say nothing, instead of refusing.
        if not self._is_auto or not ((was_refused and self._is_5) or (was_silent and not was_ever_taken)):
            return False
        self.protocol = MQTTProtocolVersion.MQTTv311 if self._is_5 else MQTTProtocolVersion.MQTTv5
        self.wipes = self._wants_wiping() and not was_ever_taken
        return True

    def _wants_wiping(self) -> bool:
        return not self._is_lasting and not self._is_5
