"""What the engine is told of a board, from what the broker shows of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kittiwake.fleet.inventory import Device, Inventory, State, shown
from kittiwake.peers import json_text
from kittiwake.rollout.gates import Measures
from kittiwake.rollout.members import Sighting

_MESSAGE_BYTES = 4096
_REASON_CHARACTERS = 200
_NEEDED = ("uptime_ms", "alerts", "heap_free", "loop_max_us", "journal_bytes", "journal_limit_bytes")


@dataclass(frozen=True)
class Update:
    """How a board stands with a release, as its bridge or it itself publishes it.

    Args:
        file: of the release.
        state: a word of docs/spec/mqtt.md.
        counter: of the release; 0 where the bridge does not have it.
        reason: of a refusal, or of the return to what ran before.
    """

    file: str
    state: str
    counter: int
    reason: str


class Sightings:
    """Boards as they are now.

    Args:
        base: first levels of every topic.
        inventory: that the same messages fill.
    """

    def __init__(self, base: str, inventory: Inventory):
        self._base, self._inventory = base, inventory
        self._updates: dict[str, Update] = {}

    @property
    def filters(self) -> tuple[str, ...]:
        """Topics to subscribe to."""
        return (*self._inventory.filters, f"{self._base}/+/update")

    def take(self, topic: str, payload: bytes, now_ms: int) -> None:
        """Take a message; what is not understood changes nothing.

        Args:
            topic: as published.
            payload: bytes.
            now_ms: UTC in milliseconds since 1970.
        """
        head, _, leaf = topic.rpartition("/")
        if leaf != "update":
            self._inventory.take(topic, payload, now_ms)
            return
        device = head.removeprefix(self._base + "/")
        update = read_update(payload)
        if update is not None and device in self._inventory.devices:
            self._updates[device] = update

    def of(self, devices: Iterable[str], file: str) -> dict[str, Sighting]:
        """Say what boards are.

        Args:
            devices: their ids.
            file: of the release that they are to have: what is said of another one is no problem of it.
        """
        known = ((name, self._inventory.devices.get(name)) for name in devices)
        return {name: self._sighting(device, file) for name, device in known if device is not None}

    def _sighting(self, device: Device, file: str) -> Sighting:
        update = self._updates.get(device.name)
        is_there = device.state is State.ONLINE
        measures = measures_of(device)
        if update is None or update.state not in ("running", "trial", "refused", "back", "missing"):
            return Sighting(is_there, 0, False, "", measures)
        if update.state in ("running", "trial"):
            return Sighting(is_there, update.counter, update.state == "running", "", measures)
        problem = f"{update.state}: {update.reason or 'no reason given'}" if update.file == file else ""
        return Sighting(is_there, 0, False, problem, measures)


def measures_of(device: Device) -> Measures | None:
    """Take the figures that gates judge out of a board's newest health record; None before there is one.

    Args:
        device: of the inventory.
    """
    health = device.health
    if device.boot is None or not all(name in health for name in _NEEDED):
        return None
    return Measures(
        device.boot,
        health["uptime_ms"],
        health["alerts"],
        device.evicted,
        health["heap_free"],
        health["loop_max_us"],
        health["journal_bytes"] / max(health["journal_limit_bytes"], 1),
    )


def read_update(payload: bytes) -> Update | None:
    """Read how a board stands with a release; None where it cannot be read.

    Args:
        payload: of its retained message.
    """
    try:
        body = json_text.read(payload or b"null", _MESSAGE_BYTES)
    except json_text.Refusal:
        return None
    if not isinstance(body, dict):
        return None
    file, state, counter, reason = (body.get(name) for name in ("file", "state", "counter", "reason"))
    if not isinstance(file, str) or not isinstance(state, str):
        return None
    text = shown(reason, _REASON_CHARACTERS) if isinstance(reason, str) else ""
    return Update(file, state, counter if isinstance(counter, int) and 0 <= counter < 1 << 32 else 0, text)
