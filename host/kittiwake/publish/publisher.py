"""Publisher policy: one record in, the MQTT messages it becomes out. Pure: no broker, no port, no clock.

What comes out is a function of the record's bytes, its channel description and the configuration, so that a record
published twice gives the same bytes twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kittiwake.peers import json_text
from kittiwake.publish import bodies
from kittiwake.publish.bodies import OPAQUE
from kittiwake.publish.channel_description import Channel, parse_description, topic_level
from kittiwake_node.errors import FrameError
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec

KINDS = {
    rec.BOOT: "boot",
    rec.TIME: "time",
    rec.READING: "reading",
    rec.SUMMARY: "summary",
    rec.ANOMALY: "alert",
    rec.HEALTH: "health",
    rec.EVENT: "event",
    rec.SNAPSHOT: "snapshot",
    rec.DISTURBANCE: "disturbance",
    rec.KEYWORD: "keyword",
    rec.STATE: "state",
}
GUIDE_TOPICS = {"reading": "factory/line1/vibration", "alert": "factory/line1/alerts"}
_CHANNEL_KINDS = {"reading", "summary", "alert", "snapshot", "disturbance", "keyword", "state"}
_WIDE_KINDS = {"summary", "alert"}
_LAYOUTS_KEPT = 32  # of up to 256 channels each
_TOPICS_KEPT = 4096
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class Publication:
    """One MQTT message: topic, payload bytes, QoS 0 to 2, retain flag."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    kind: str = ""
    problem: str = ""  # what its channel's description holds that no message may, and was replaced


@dataclass(frozen=True)
class Policy:
    """The configuration of the publisher.

    Args:
        base: first levels of every topic.
        topics: kind -> a topic of its own in place of `<base>/<device>/<kind>/<channel>`, e.g. the guide's.
        qos: kind -> QoS; 1 where nothing is said.
    """

    base: str = "kittiwake"
    topics: Mapping[str, str] = field(default_factory=dict)
    qos: Mapping[str, int] = field(default_factory=dict)

    def status_topic(self, device: str) -> str:
        """Topic of a device's retained `online` / `offline`."""
        return f"{self.base}/{device}/status"


class Former:
    """Forms the messages of one device's journal; remembers the channel descriptions, which never change.

    Args:
        policy: the configuration.
        device: device id.
        journal: journal id, 64 bits.
        on_formed: on_formed(kind, channel, body) with each message's fields.

    Attributes:
        refusal: why the newest channel description is none, or "".
    """

    def __init__(
        self,
        policy: Policy,
        device: str,
        journal: int,
        on_formed: Callable[[str, Channel, bodies.Body], None] | None = None,
    ):
        self._policy = policy
        self._device = device
        self._on_formed = on_formed
        self._identity = {"device": device, "journal": f"{journal:016x}"}
        self._layouts: dict[int, list[Channel]] = {}
        self._topics: dict[tuple[str, str], str] = {}
        self.refusal = ""

    def knows(self, layout: int) -> bool:
        """Whether that channel description was given."""
        return layout in self._layouts

    def describe(self, layout: int, raw: bytes) -> list[Channel]:
        """Take a channel description. Returns its channels; none where it is refused, and `refusal` says why."""
        if len(self._layouts) >= _LAYOUTS_KEPT:
            del self._layouts[next(iter(self._layouts))]
        try:
            channels = parse_description(raw)
        except json_text.Refusal as refusal:
            channels, self.refusal = [], str(refusal)
        else:
            self.refusal = ""
        self._layouts[layout] = channels
        return channels

    def channel_of(self, record: rec.Record) -> Channel:
        """Give a record's channel; its channel description is known."""
        channels = self._layouts[record.description]
        return channels[record.channel] if record.channel < len(channels) else Channel(name=str(record.channel))

    def form(
        self, record: rec.Record, also: Mapping[str, object] | None = None, channel: Channel | None = None
    ) -> Publication:
        """Form the MQTT message of a record.

        Args:
            record: as received.
            also: fields that the bridge adds.
            channel: from `channel_of`; None for that of its channel description, which is known.

        Returns:
            A message whatever the record holds: unknown types, later versions and payloads that cannot be read go out
            as kind "opaque" with the payload in hex.
        """
        channel = channel or self.channel_of(record)
        kind = KINDS.get(record.type, OPAQUE) if record.version == rec.VERSION else OPAQUE
        try:
            body = self._write(kind, record, channel, also)
        except (FrameError, ArithmeticError, ValueError):
            # Cut short, or sums that no window can have: it goes on as it is.
            return self.form_opaque(record, channel)
        return self._publication(kind, body, channel)

    def form_opaque(self, record: rec.Record, channel: Channel) -> Publication:
        """Form the message of a record that nothing is made of: its payload in hex.

        Args:
            record: as received.
            channel: from `channel_of`.
        """
        return self._publication(OPAQUE, self._write(OPAQUE, record, channel), channel)

    def _publication(self, kind: str, body: str, channel: Channel) -> Publication:
        topic, qos = self.topic(kind, channel.level), self._policy.qos.get(kind, 1)
        return Publication(topic, body.encode(), qos, False, kind, channel.problem)

    def _write(self, kind: str, record: rec.Record, channel: Channel, also: Mapping[str, object] | None = None) -> str:
        body = bodies.FORMS[kind](record, channel)
        body |= also or {}
        body |= self._identity
        body["seq"] = record.seq
        body["boot"] = record.boot
        body["uptime_ms"] = record.time_ms
        body["kind"] = kind
        body["channel"] = channel.level if kind in _CHANNEL_KINDS or kind == OPAQUE else ""
        if kind in _WIDE_KINDS:
            body |= bodies.wide_texts(body)
        if record.is_late:
            body["late"] = True
        if channel.problem:
            body["problem"] = channel.problem
        message = _encode(body)
        if self._on_formed:
            self._on_formed(kind, channel, body)
        return message

    def topic(self, kind: str, channel: str) -> str:
        """Topic of a kind of message, of the channel of that name where the kind has channels."""
        topic = self._topics.get((kind, channel))
        if topic is None:
            topic = self._policy.topics.get(kind)
            if topic is None:
                topic = f"{self._policy.base}/{self._device}/{kind}"
                if kind in _CHANNEL_KINDS:
                    topic += f"/{topic_level(channel)}"
            if len(self._topics) < _TOPICS_KEPT:
                self._topics[kind, channel] = topic
        return topic


def publication(policy: Policy, device: str, journal: int, record: rec.Record, layout: bytes) -> Publication:
    """Form one MQTT message; for many of one device, use a Former, which reads the channel description once.

    Args:
        policy: the configuration.
        device: device id.
        journal: journal id, 64 bits.
        record: as received.
        layout: the channel description it refers to.
    """
    former = Former(policy, device, journal)
    former.describe(record.description, layout)
    return former.form(record)


def health_of(record: rec.Record) -> dict[str, int]:
    """Read the counters of a health record; {} when it cannot be read."""
    try:
        return payload.unpack_health(record.payload)
    except FrameError:
        return {}
