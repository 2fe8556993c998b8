"""Publisher policy: one record in, the MQTT messages it becomes out. Pure: no broker, no port, no clock.

What comes out is a function of the record's bytes, its channel description and the configuration, so that a record
published twice gives the same bytes twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction

from kittiwake.bridge import alerts, figures
from kittiwake_node.core import payload
from kittiwake_node.core import record as rec
from kittiwake_node.errors import FrameError

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
}
OPAQUE = "opaque"
GUIDE_TOPICS = {"reading": "factory/line1/vibration", "alert": "factory/line1/alerts"}
_CHANNEL_KINDS = {"reading", "summary", "alert", "snapshot", "disturbance"}
_LAYOUTS_KEPT = 256
_TOPICS_KEPT = 4096
_RATIONAL = re.compile(r"[+-]?\d{1,24}(\.\d{0,24})?([eE][+-]?\d\d?)?|[+-]?\d{1,24}/\d{1,24}")
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class Publication:
    """One MQTT message: topic, payload bytes, QoS 0 to 2, retain flag."""

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    kind: str = ""


@dataclass(frozen=True)
class Channel:
    """What turns a channel's integers into units; from the channel description that its records refer to."""

    name: str = "0"
    sensor_id: str = ""
    unit: str = ""
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)


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


def parse_layout(text: bytes) -> list[Channel]:
    """Read a channel description (SPEC.md, "Layout"); what it lacks gets defaults, and no JSON gives no channels."""
    try:
        entries = json.loads(text)
    except ValueError:
        return []
    channels = []
    for entry in entries if isinstance(entries, list) else []:
        entry = entry if isinstance(entry, dict) else {}
        channels.append(
            Channel(
                name=str(entry.get("name", len(channels))),
                sensor_id=str(entry.get("sensor_id", "")),
                unit=str(entry.get("unit", "")),
                scale=_rational(entry.get("scale"), Fraction(1)),
                offset=_rational(entry.get("offset"), Fraction(0)),
            )
        )
    return channels


class Former:
    """Forms the messages of one device's journal; remembers the channel descriptions, which never change.

    Args:
        policy: the configuration.
        device: device id.
        journal: journal id, 64 bits.
    """

    def __init__(self, policy: Policy, device: str, journal: int):
        self._policy = policy
        self._device = device
        self._identity = {"device": device, "journal": f"{journal:016x}"}
        self._layouts: dict[int, list[Channel]] = {}
        self._topics: dict[tuple[str, str], str] = {}

    def knows(self, layout: int) -> bool:
        """Whether that channel description was given."""
        return layout in self._layouts

    def describe(self, layout: int, text: bytes) -> list[Channel]:
        """Take a channel description. Returns its channels."""
        if len(self._layouts) >= _LAYOUTS_KEPT:
            self._layouts.clear()
        channels = self._layouts[layout] = parse_layout(text)
        return channels

    def form(self, record: rec.Record) -> Publication:
        """Form the MQTT message of a record whose channel description is known.

        Returns:
            A message whatever the record holds: unknown types, later versions and payloads that cannot be read go out
            as kind "opaque" with the payload in hex.
        """
        channels = self._layouts[record.layout]
        channel = channels[record.channel] if record.channel < len(channels) else Channel(name=str(record.channel))
        kind = KINDS.get(record.type, OPAQUE) if record.version == rec.VERSION else OPAQUE
        try:
            body = _BODIES[kind](record, channel)
        except FrameError:
            kind, body = OPAQUE, _opaque(record, channel)
        body |= self._identity
        body["seq"] = record.seq
        body["boot"] = record.boot
        body["uptime_ms"] = record.time_ms
        return Publication(
            self._topic(kind, channel.name), _encode(body).encode(), self._policy.qos.get(kind, 1), False, kind
        )

    def _topic(self, kind: str, channel: str) -> str:
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
    former.describe(record.layout, layout)
    return former.form(record)


def topic_level(name: str) -> str:
    """Make one level of a topic out of a channel's name: what a level may not hold becomes '_'."""
    return "".join("_" if c in "+#/" or ord(c) < 32 else c for c in name)[:64] or "_"


def health_of(record: rec.Record) -> dict:
    """The counters of a health record, {} when it cannot be read."""
    try:
        return payload.unpack_health(record.payload)
    except FrameError:
        return {}


def timestamp(utc_ms: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, or None for a time that was not known."""
    if utc_ms is None:
        return None
    try:
        moment = datetime.fromtimestamp(utc_ms // 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{utc_ms % 1000:03d}Z"


def _alert(record: rec.Record, channel: Channel) -> dict:
    told = payload.unpack_anomaly(record.payload)
    formed = alerts.form(told, channel.scale, channel.offset)
    return {
        "anomaly": True,
        **{name: formed.pop(name) for name in ("value", "z_score", "mean", "stdev")},
        "ts": timestamp(record.utc_ms),
        "sensor_id": channel.sensor_id,
        "unit": channel.unit,
        "index": told["index"],
        **formed,
        "t": f"{told['p']}/{told['q']}" if told["q"] else None,
        "detector": payload.DETECTORS[told["detector"]],
        **({"clipped": True} if told["flags"] & payload.CLIPPED else {}),
        **({"lagged": True} if told["flags"] & payload.LAGGED else {}),
    }


def _disturbance(record: rec.Record, channel: Channel) -> dict:
    d = payload.unpack_disturbance(record.payload)
    d["detector"] = payload.DETECTORS.get(d["detector"], str(d["detector"]))
    return {"sensor_id": channel.sensor_id, "ts": timestamp(record.utc_ms)} | d


def _snapshot(record: rec.Record, channel: Channel) -> dict:
    head = {"sensor_id": channel.sensor_id, "unit": channel.unit, "ts": timestamp(record.utc_ms)}
    return head | payload.unpack_snapshot(record.payload)


def _summary(record: rec.Record, channel: Channel) -> dict:
    s = payload.unpack_summary(record.payload)
    body = {"sensor_id": channel.sensor_id, "unit": channel.unit, "ts": timestamp(record.utc_ms)}
    if s["n"]:
        mean, stdev, _ = figures.window_figures(s["n"], s["sum"], s["sum_sq"], None, channel.scale, channel.offset)
        ends = [figures.value(s[end], channel.scale, channel.offset) for end in ("min", "max")]
        body |= {"mean": mean, "stdev": stdev, "low": min(ends), "high": max(ends)}
    return body | {
        "n": s["n"],
        "s": s["sum"],
        "q": s["sum_sq"],
        "min": s["min"],
        "max": s["max"],
        "anomalies": s["anomalies"],
        "clipped": s["clipped"],
        "index": s["index"],
    }


def _reading(record: rec.Record, channel: Channel) -> dict:
    r = payload.unpack_reading(record.payload)
    return {
        "sensor_id": channel.sensor_id,
        "value": figures.value(r["x"], channel.scale, channel.offset),
        "unit": channel.unit,
        "ts": timestamp(record.utc_ms),
        "x": r["x"],
        "index": r["index"],
    }


def _time(record: rec.Record, channel: Channel) -> dict:
    return {"ts": timestamp(payload.unpack_time(record.payload)["utc_ms"])}


def _plain(unpack):
    def body(record: rec.Record, channel: Channel) -> dict:
        return {"ts": timestamp(record.utc_ms)} | unpack(record.payload)

    return body


def _opaque(record: rec.Record, channel: Channel) -> dict:
    return {
        "ts": timestamp(record.utc_ms),
        "type": record.type,
        "version": record.version,
        "channel": record.channel,
        "payload": record.payload.hex(),
    }


def _rational(text: object, default: Fraction) -> Fraction:
    # Bounded before it is believed: "1e999999999" is a short text and a very long number.
    if not _RATIONAL.fullmatch(str(text)):
        return default
    try:
        return Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        return default


_BODIES = {
    "alert": _alert,
    "summary": _summary,
    "reading": _reading,
    "time": _time,
    "boot": _plain(payload.unpack_boot),
    "health": _plain(payload.unpack_health),
    "event": _plain(payload.unpack_event),
    "snapshot": _snapshot,
    "disturbance": _disturbance,
    OPAQUE: _opaque,
}
