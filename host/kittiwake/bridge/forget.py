"""Clears what the broker retains of a device that is gone, for `kittiwake bridge forget`; a client of its own.

A running bridge sees that the status of a device is cleared, and forgets it too.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from kittiwake.bridge import homeassistant
from kittiwake.bridge.settings import Settings
from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.peers import json_text
from kittiwake_node.link.messages import is_device_id

_QUIET_S = 1.0  # after the last retained message
_POLL_S = 0.05
_LIMIT_S = 15.0
_CLAIMS_LIMIT_BYTES = 1024 * 1024


@dataclass
class _Topic:
    """One topic to be cleared, and the broker's word on it; None before."""

    name: str
    outcome: str | None = None

    def confirmed(self) -> None:
        """The broker has it."""
        self.outcome = ""

    def refused(self, reason: str) -> None:
        """The broker does not take it.

        Args:
            reason: in the broker's words.
        """
        self.outcome = reason


@dataclass
class _Retained:
    """What the broker retains, by topic, and when the last of it came."""

    payloads: dict[str, bytes] = field(default_factory=dict)
    at_s: float = 0.0


async def forget(settings: Settings, device: str, is_forced: bool) -> dict[str, Any]:
    """Clear a device's retained topics: its status, its discovery, and its place on the bridge's list.

    Args:
        settings: of the gateway that had it.
        device: device id.
        is_forced: also if it is on line; then it comes back with its next status.

    Returns:
        JSON-ready: device, cleared (topics), was_known (the broker had a status of it, or the bridge's list had it).

    Raises:
        UsageError: the id cannot be one.
        KittiwakeError: it is on line; the broker cannot be reached, or refuses it.
    """
    if not is_device_id(device.encode(errors="replace")):
        raise UsageError(f"{device!r} is no device id", "letters, digits, '-', '_' and '.', at most 64")
    policy, bridge = settings.policy(), settings.bridge
    status, claims = policy.status_topic(device), f"{bridge.base}/{bridge.id}/devices"
    retained, loop = _Retained(), asyncio.get_running_loop()

    def on_message(topic: str, payload: bytes, handle: int) -> None:
        retained.payloads[topic] = payload
        retained.at_s = loop.time()
        client.acknowledge(handle)

    client_id = settings.broker.client_id or f"{bridge.base}-{bridge.id}".replace("/", "-")
    callbacks = Callbacks(on_message=on_message)
    broker = settings.broker.model_copy(update={"session_expiry_s": 0})  # the session ends with us
    client = MqttClient(broker, f"{client_id}-forget", subscriptions=(status, claims), callbacks=callbacks)
    task = asyncio.create_task(client.run())
    try:
        await _connect(client)
        retained.at_s = loop.time()
        while loop.time() - retained.at_s < _QUIET_S:
            await asyncio.sleep(_POLL_S)
        names = _names(retained.payloads.get(claims, b""))
        was_known = status in retained.payloads or device in names
        if retained.payloads.get(status) == b"online" and not is_forced:
            raise KittiwakeError(f"{device} is on line", "unplug it first, or --force: it comes back when it speaks")
        messages = {status: b"", homeassistant.topic(settings.homeassistant.prefix, device): b""}
        if device in names:
            messages[claims] = json.dumps([name for name in names if name != device]).encode()
        cleared = await _publish(client, messages)
        if status not in cleared:
            raise KittiwakeError(f"the broker refuses {status}", "the bridge's user must be allowed to write there")
    finally:
        await client.close()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return {"device": device, "cleared": cleared, "was_known": was_known}


async def _connect(client: MqttClient) -> None:
    problem = ""
    while not client.is_connected:
        await asyncio.sleep(_POLL_S)
        # Twice the same: one MQTT version that is refused is no problem while the other is tried.
        if client.problem and client.problem == problem:
            raise KittiwakeError(f"broker {client.problem}")
        problem = client.problem


async def _publish(client: MqttClient, messages: dict[str, bytes]) -> list[str]:
    topics = [_Topic(name) for name in messages]
    for topic in topics:
        client.publish(topic.name, messages[topic.name], 1, True, topic)
    try:
        async with asyncio.timeout(_LIMIT_S):
            while any(topic.outcome is None for topic in topics):
                await asyncio.sleep(_POLL_S)
    except TimeoutError as error:
        raise KittiwakeError(f"the broker confirmed nothing for {_LIMIT_S:.0f} s", "try again") from error
    return [topic.name for topic in topics if topic.outcome == ""]


def _names(claims: bytes) -> list[str]:
    try:
        names = json_text.read(claims or b"[]", _CLAIMS_LIMIT_BYTES)
    except json_text.Refusal:
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
