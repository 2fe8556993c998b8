"""All that the window has heard of a base's devices and gateways: messages in, rows for the page out. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kittiwake.bridge.device_health import warnings
from kittiwake.peers import json_text
from kittiwake.window.device import NAMES_LIMIT, Device, Gateway
from kittiwake.window.presence import Connection, Verdict, judge, judge_gateway

MESSAGE_LIMIT_BYTES = 65536
ANSWER_LIMIT_BYTES = 4 * 1024 * 1024
KEPT_LIMIT_BYTES = 64 << 20  # of all devices' messages that are kept for pages that open
_LINK_FIELDS = ("port", "device", "online", "records", "lag", "problem", "refused")
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class Fleet:
    """What was heard below one base.

    Args:
        base: first levels of the topics.
        on_record: called with a device's name, a record's body, and the same as JSON on one line.
        on_response: called with the body of an answer to a command.

    Attributes:
        devices, gateways: by name.
        connection: the window's to the broker.
        records: that have come.
        unreadable: messages that were no record, no status and no answer.
    """

    def __init__(
        self,
        base: str,
        on_record: Callable[[str, Mapping[str, object], str], None] = lambda device, body, text: None,
        on_response: Callable[[Mapping[str, object]], None] = lambda body: None,
    ):
        self._base, self._on_record, self._on_response = base + "/", on_record, on_response
        self.devices: dict[str, Device] = {}
        self.gateways: dict[str, Gateway] = {}
        self.connection = Connection()
        self.records = self.unreadable = 0
        self._share_bytes = KEPT_LIMIT_BYTES

    @property
    def kept_messages(self) -> int:
        """Messages of devices that are kept for pages that open."""
        return sum(len(device.recent) + len(device.snapshots) for device in self.devices.values())

    def connected(self, now_ms: int) -> None:
        """The broker has accepted us.

        Args:
            now_ms: UTC.
        """
        self.connection = Connection(True, now_ms)

    def disconnected(self, now_ms: int) -> None:
        """The broker is away.

        Args:
            now_ms: UTC.
        """
        if self.connection.is_up or self.connection.since_ms is None:
            self.connection = Connection(False, now_ms)
        for device in self.devices.values():
            device.interrupt()
            device.word.is_of_this_connection = False
        for gateway in self.gateways.values():
            gateway.word.is_of_this_connection = False
            gateway.asked_ms = gateway.answered_ms = None

    def take(self, topic: str, payload: bytes, now_ms: int) -> None:
        """Take a message.

        Args:
            topic: as published.
            payload: not believed.
            now_ms: when it came, UTC.
        """
        levels = topic.removeprefix(self._base).split("/") if topic.startswith(self._base) else [""]
        name, tail = levels[0], levels[1] if len(levels) == 2 else ""
        if tail == "status":
            self._take_word(name, payload, now_ms)
        elif tail == "devices":
            self._take_list(name, payload)
        elif tail == "resp":
            self._take_response(payload, now_ms)
        elif tail != "cmd":
            self._take_record(payload, now_ms)

    def gateway_of(self, device: str) -> Gateway | None:
        """Give the gateway that has named a device; of several one that is on line, and has a session with it."""
        having = [gateway for gateway in self.gateways.values() if device in gateway.devices]
        return max(
            having, key=lambda g: (g.word.text == "online", bool(g.links.get(device, {}).get("online"))), default=None
        )

    def verdict(self, name: str, now_ms: int) -> Verdict:
        """Judge a device that is known.

        Args:
            name: its id.
            now_ms: UTC.
        """
        return judge(self.devices[name], self.gateway_of(name), self.connection, now_ms)

    def row(self, name: str, now_ms: int) -> dict[str, Any]:
        """What the page shows of a device, but for what changes with every record (`beat`).

        Args:
            name: its id.
            now_ms: UTC.
        """
        device, verdict = self.devices[name], self.verdict(name, now_ms)
        link = self._link(name)
        # When the newest sign came is the beat's to say: as part of the row, it would be another row with each record.
        is_beat = verdict.state == "online"
        return {
            "device": name,
            "state": verdict.state,
            "why": verdict.why,
            "since": None if is_beat else verdict.since_ms,
            "since_kind": "" if is_beat else verdict.since_kind,
            "gateway": verdict.gateway,
            "firmware": device.firmware or _text(link, "firmware"),
            "heap_free": device.health.get("heap_free"),
            "warnings": warnings({k: v for k, v in device.health.items() if isinstance(v, int)}),
            "problem": _text(link, "problem"),
            "alerts": device.alerts_by_hour(now_ms),
            "channels": device.channels,
        }

    def beat(self, name: str, now_ms: int) -> list[int | None]:
        """What changes with every record: when the newest came, when its gateway answered for it, and its lag."""
        device, gateway = self.devices[name], self.gateway_of(name)
        lag = self._link(name).get("lag")
        answered_ms = gateway.answered_ms if gateway and name in gateway.links else None
        return [device.heard_ms, answered_ms, lag if isinstance(lag, int) else None]

    def gateway_row(self, name: str, now_ms: int) -> dict[str, Any]:
        """What the page shows of a gateway.

        Args:
            name: its id.
            now_ms: UTC.
        """
        gateway = self.gateways[name]
        verdict = judge_gateway(gateway, self.connection, now_ms)
        is_beat = verdict.state == "online"
        return {
            "gateway": name,
            "state": verdict.state,
            "why": verdict.why,
            "since": None if is_beat else verdict.since_ms,
            "since_kind": "" if is_beat else verdict.since_kind,
            "devices": sorted(gateway.devices),
            "answer": gateway.answer,
            "links": [{name: link.get(name) for name in _LINK_FIELDS} for _, link in sorted(gateway.links.items())],
            "answered": gateway.answered_ms,
        }

    def know(self, name: str) -> Device | None:
        """Give a device, made where it is new; None beyond so many as nobody has."""
        device = self.devices.get(name)
        if device is None and len(self.devices) < NAMES_LIMIT:
            device = self.devices[name] = Device(name)
            self._share_out()
        return device

    def _share_out(self) -> None:
        # For twice as many devices the share is halved: to look at all of them is not needed at each new one.
        rooms = 1 << (len(self.devices) - 1).bit_length()
        share_bytes = KEPT_LIMIT_BYTES // (2 * rooms)
        if share_bytes >= self._share_bytes:
            next(reversed(self.devices.values())).share_bytes = self._share_bytes
            return
        self._share_bytes = share_bytes
        for device in self.devices.values():
            device.share_bytes = share_bytes
            device.recent.trim(share_bytes)
            device.snapshots.trim(share_bytes)

    def remember(
        self, name: str, arrived_ms: int, firmware: str, alerts: Iterable[tuple[tuple[str, int], int]]
    ) -> None:
        """Take what a history knows of a device; what was heard meanwhile counts more.

        Args:
            name: its id.
            arrived_ms: when its newest record came, UTC.
            firmware: that it named last; "" for none.
            alerts: (journal, sequence number) of each, and when it came.
        """
        device = self.know(name)
        if device is None:
            return
        device.heard_ms = max(arrived_ms, device.heard_ms or 0)
        device.firmware = device.firmware or firmware
        for key, at_ms in alerts:
            device.count_alert(key, at_ms)

    def _link(self, name: str) -> Mapping[str, object]:
        gateway = self.gateway_of(name)
        return gateway.links.get(name, {}) if gateway else {}

    def _take_word(self, name: str, payload: bytes, now_ms: int) -> None:
        text = payload.decode(errors="replace")
        if text not in ("online", "offline"):
            if not text:  # somebody cleared it: the device is forgotten
                self.devices.pop(name, None)
            return
        gateway, device = self.gateways.get(name), None if name in self.gateways else self.know(name)
        word = gateway.word if gateway else device.word if device else None
        if word is None or (word.text == text and word.is_of_this_connection):
            return
        word.take(text, now_ms)
        for each in gateway.devices if gateway else [name]:
            if each in self.devices:
                self.devices[each].interrupt()

    def _take_list(self, name: str, payload: bytes) -> None:
        try:
            names = json_text.read(payload or b"[]", ANSWER_LIMIT_BYTES)
        except json_text.Refusal:
            self.unreadable += 1
            return
        if not isinstance(names, list) or (name not in self.gateways and len(self.gateways) >= NAMES_LIMIT):
            return
        gateway = self.gateways.setdefault(name, Gateway(name))
        # A list says that this name is a gateway's; its word may have come before.
        taken = self.devices.pop(name, None)
        if taken is not None:
            gateway.word = taken.word
        gateway.know(each for each in names[:NAMES_LIMIT] if isinstance(each, str))

    def _take_response(self, payload: bytes, now_ms: int) -> None:
        try:
            body = json_text.read(payload, ANSWER_LIMIT_BYTES)
        except json_text.Refusal:
            self.unreadable += 1
            return
        if not isinstance(body, dict):
            return
        result, bridge = body.get("result"), body.get("bridge")
        if body.get("op") == "status" and isinstance(result, dict) and bridge in self.gateways:
            self.gateways[str(bridge)].take_answer(result, now_ms)
        self._on_response(body)

    def _take_record(self, payload: bytes, now_ms: int) -> None:
        try:
            body = json_text.read(payload, MESSAGE_LIMIT_BYTES)
        except json_text.Refusal:
            self.unreadable += 1
            return
        name = body.get("device") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(name, str) or not isinstance(body.get("kind"), str):
            self.unreadable += 1
            return
        device = self.know(name)
        self.records += 1
        if device is not None:
            text = _encode(body)
            device.take(body, text, now_ms)
            self._on_record(name, body, text)


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
