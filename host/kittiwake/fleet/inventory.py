"""What is known of the devices behind one broker, from what they and their bridges publish. Pure: no broker, no clock.

A retained "online" is a word that may be years old: a device counts as on line only when it was heard itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from kittiwake.peers import json_text

DEVICES_MOST = 4096
_MESSAGE_BYTES = 64 * 1024
_TEXT_CHARACTERS = 128
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_COUNTERS = ("heap_free", "journal_bytes", "journal_limit_bytes", "loop_max_us", "alerts", "uptime_ms")
_EVICTED = ("evicted_raw", "evicted_telemetry", "evicted_alert")


class State(Enum):
    """Whether a device is there."""

    ONLINE = "online"
    """It was heard."""
    SILENT = "silent"
    """Its status says online, and nothing was heard of it."""
    OFFLINE = "offline"
    """Its status says offline."""
    UNKNOWN = "unknown"
    """Its status is not there: it was forgotten, or the broker does not show it."""


@dataclass
class Device:
    """One device.

    Attributes:
        name: its id.
        status: the newest word on its status topic, "" for none.
        is_heard: it has said something itself since this inventory began to listen.
        heard_ms: when it last did, UTC in milliseconds since 1970; None for never.
        bridge: the one that lists it; "" for a board that speaks MQTT itself, and where no bridge lists it.
        firmware, on, unique_id: what it says of itself: the application's version, MicroPython and board, the chip.
        boot: number of its newest boot, of its records; None when no record was seen.
        evicted: records that its journal has given up for want of room.
        health: counters of its newest health record.
        tags: group -> value, as people gave them.
    """

    name: str
    status: str = ""
    is_heard: bool = False
    heard_ms: int | None = None
    bridge: str = ""
    firmware: str = ""
    on: str = ""
    unique_id: str = ""
    boot: int | None = None
    evicted: int = 0
    health: dict[str, int] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Whether it is there."""
        if self.status == "online":
            return State.ONLINE if self.is_heard else State.SILENT
        return State.OFFLINE if self.status else State.UNKNOWN


class Inventory:
    """The devices that are known.

    Args:
        devices: known from before.
        base: first levels of every topic.

    Attributes:
        devices: name -> Device.
        bridges: names of bridges that were seen.
        dropped: devices for which there was no room.
    """

    def __init__(self, devices: Iterable[Device] = (), base: str = "kittiwake"):
        self._base = base
        self.devices = {device.name: device for device in devices}
        self.bridges: set[str] = set()
        self.dropped = 0

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics to subscribe to."""
        return tuple(f"{self._base}/+/{leaf}" for leaf in ("status", "devices", "resp", "health"))

    def take(self, topic: str, payload: bytes, now_ms: int) -> None:
        """Take a message; what is not understood changes nothing.

        Args:
            topic: as published.
            payload: bytes.
            now_ms: UTC in milliseconds since 1970.
        """
        name, _, leaf = topic.removeprefix(self._base + "/").partition("/")
        if not topic.startswith(self._base + "/") or not NAME.fullmatch(name):
            return
        if leaf == "status":
            self._take_status(name, payload)
            return
        try:
            body = json_text.read(payload or b"null", _MESSAGE_BYTES)
        except json_text.Refusal:
            return
        if leaf == "devices":
            self._take_list(name, body)
        elif isinstance(body, dict) and leaf == "resp":
            self._take_response(name, body, now_ms)
        elif isinstance(body, dict) and leaf == "health":
            self._take_health(name, body, now_ms)

    def to_identify(self) -> list[str]:
        """Names of devices that say they are on line and were not heard: those to ask."""
        return [device.name for device in self.listed() if device.state is State.SILENT]

    def listed(self, selection: str = "") -> list[Device]:
        """List devices by name.

        Args:
            selection: `group=value`; "" for all.
        """
        group, _, value = selection.partition("=")
        devices = (self.devices[name] for name in sorted(self.devices) if name not in self.bridges)
        return [device for device in devices if not selection or device.tags.get(group) == value]

    def _take_status(self, name: str, payload: bytes) -> None:
        if payload in (b"online", b"offline"):
            device = self._device(name)
            if device is not None:
                device.status = payload.decode()
                device.is_heard = device.is_heard and device.status == "online"
        elif name in self.devices:  # cleared by somebody, or no word of ours
            self.devices[name].status = ""

    def _take_list(self, bridge: str, body: object) -> None:
        self.bridges.add(bridge)
        names = {name for name in body if isinstance(name, str)} if isinstance(body, list) else set()
        for device in self.devices.values():
            if device.bridge == bridge and device.name not in names:
                device.bridge = ""
        for name in sorted(names):
            device_of_bridge = self._device(name) if NAME.fullmatch(name) else None
            if device_of_bridge is not None:
                device_of_bridge.bridge = bridge

    def _take_response(self, name: str, body: dict[str, object], now_ms: int) -> None:
        if body.get("device") != name:
            if body.get("bridge") == name:
                self.bridges.add(name)
            return
        device = self._device(name)
        # A bridge responds for a device that it does not reach: then the device itself has said nothing.
        if device is None or body.get("status") not in ("ok", "refused", "unknown"):
            return
        self._heard(device, now_ms)
        result = body.get("result")
        if body.get("op") == "identify" and isinstance(result, dict):
            device.firmware, device.on, device.unique_id = (
                _text(result.get(field)) for field in ("firmware", "on", "unique_id")
            )

    def _take_health(self, name: str, body: dict[str, object], now_ms: int) -> None:
        device = self._device(name)
        if device is None or body.get("device") != name:
            return
        self._heard(device, now_ms)
        counts = {name: value for name, value in body.items() if isinstance(value, int) and _is_count(value)}
        device.boot = counts.get("boot", device.boot)
        device.evicted = sum(counts.get(name, 0) for name in _EVICTED)
        device.health = {name: counts[name] for name in _COUNTERS if name in counts}

    def _heard(self, device: Device, now_ms: int) -> None:
        device.is_heard = True
        device.heard_ms = now_ms

    def _device(self, name: str) -> Device | None:
        if name not in self.devices and len(self.devices) >= DEVICES_MOST:
            self.dropped += 1
            return None
        return self.devices.setdefault(name, Device(name))


def _is_count(value: int) -> bool:
    return not isinstance(value, bool) and 0 <= value < 1 << 53


def _text(value: object) -> str:
    return shown(value if isinstance(value, str) else "" if value is None else json.dumps(value), _TEXT_CHARACTERS)


def shown(text: str, limit: int) -> str:
    """Keep of a peer's text what a terminal may be given.

    Args:
        text: as it came.
        limit: characters of it that are looked at.
    """
    return "".join(c for c in text[:limit] if c.isprintable())
