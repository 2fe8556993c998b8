"""Releases for boards that speak MQTT themselves: the link's messages as commands, and their replies as responses.

Knows topics and JSON, and no connection. Commands go at QoS 0: the board is asked again for what got lost, and one that
was away is not to find pieces of yesterday at its broker.
"""

from __future__ import annotations

import binascii
import json
import secrets
from collections.abc import Callable

from kittiwake.peers import json_text
from kittiwake.supply.shelf import Shelf
from kittiwake.supply.updates import Updates
from kittiwake_node.link import messages as m

ASK_S = 0.2  # a broker and a radio are between: seldomer than over a cable
PATIENCE_S = 10.0
_MESSAGE_LIMIT_BYTES = 4096
_STEPS = {m.OP_UPDATE_OFFER: "offer", m.OP_UPDATE_PIECE: "piece", m.OP_UPDATE_PROGRESS: "progress"}
_STATUSES = {"ok": m.OK, "refused": m.REFUSED}
_TOPICS = ("release", "status", "resp")


class DirectDevice:
    """A device as its broker shows it.

    Args:
        device: its id.
        ask: called as ask(device, command) with each command.

    Attributes:
        device: as it came.
        is_online: it said so last, and no bridge answered for it since.
        session: of this one what is asked is known by; it begins anew with this process.
    """

    def __init__(self, device: str, ask: Callable[[str, bytes], None]):
        self.device = device
        self.is_online = False
        self.session = secrets.token_hex(6)
        self._ask = ask
        self._request = 0

    def request(self, op: int, body: bytes) -> int:
        """Send a request.

        Args:
            op: OP_UPDATE_OFFER, _PIECE or _PROGRESS of the link's messages.
            body: its arguments.

        Returns:
            The number that its reply will carry.
        """
        self._request += 1
        data = binascii.b2a_base64(body, newline=False).decode()
        command = {"id": f"{self.session}-{self._request}", "op": "update", "step": _STEPS[op], "data": data}
        self._ask(self.device, json.dumps(command, separators=(",", ":")).encode())
        return self._request

    def cancel(self, request: int) -> None:
        """Have no reply come any more: whoever asked knows its number, and passes over others.

        Args:
            request: its number.
        """

    def read(self, response: dict[str, object]) -> tuple[int, int, bytes] | None:
        """Read a response.

        Args:
            response: its fields.

        Returns:
            (number of the request, status and body of the reply, as of the link's messages); None when it is to
            nothing of ours.
        """
        session, _, number = str(response.get("id")).partition("-")
        if session != self.session or not number.isdecimal():
            return None
        status = _STATUSES.get(str(response.get("status")), m.UNKNOWN)
        if status != m.OK:
            return int(number), status, str(response.get("error")).encode(errors="replace")
        result = response.get("result")
        try:
            body = binascii.a2b_base64(str(result["data"])) if isinstance(result, dict) else b""
        except (KeyError, ValueError):
            body = b""
        return int(number), status, body


class DirectDevices:
    """All devices of a broker, and their updates.

    Args:
        shelf: with the releases.
        base: first levels of every topic.
        publish: called as publish(topic, payload, is_retained).

    Attributes:
        updates: theirs.
    """

    def __init__(self, shelf: Shelf, base: str, publish: Callable[[str, bytes, bool], None]):
        self._base, self._publish = base, publish
        self._devices: dict[str, DirectDevice] = {}
        self.updates = Updates(
            shelf,
            base,
            self._devices.get,
            lambda topic, payload: publish(topic, payload, True),
            ASK_S,
            PATIENCE_S,
        )

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics to subscribe to."""
        return tuple(f"{self._base}/+/{leaf}" for leaf in _TOPICS)

    def take(self, topic: str, payload: bytes) -> None:
        """Take a message of `filters`; what is not understood changes nothing.

        Args:
            topic: as published.
            payload: bytes.
        """
        if self.updates.on_message(topic, payload):
            return
        head, _, leaf = topic.rpartition("/")
        name = head.removeprefix(self._base + "/")
        if leaf == "status":
            device = self._devices.setdefault(name, DirectDevice(name, self._command))
            device.is_online = payload == b"online"
            if device.is_online:
                self.updates.on_opened(device)
        elif leaf == "resp" and name in self._devices:
            self._responded(self._devices[name], payload)

    def _responded(self, device: DirectDevice, payload: bytes) -> None:
        try:
            response = json_text.read(payload, _MESSAGE_LIMIT_BYTES)
        except json_text.Refusal:
            return
        if not isinstance(response, dict) or (reply := device.read(response)) is None:
            return
        if response.get("bridge") is not None:
            device.is_online = False  # until its status says so again: it gets its releases from its bridge
            return
        self.updates.on_reply(device, *reply)

    def _command(self, device: str, command: bytes) -> None:
        self._publish(f"{self._base}/{device}/cmd", command, False)
