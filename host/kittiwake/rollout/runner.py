"""The roll-out's process: listens at a broker, steps the engine once a second, and writes each step before it acts.

It talks MQTT alone: which release a board is to have stands in a retained message, so that bridges and boards that come
later, or begin anew, find it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from kittiwake.fleet.inventory import Inventory
from kittiwake.fleet.survey import identify
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.rollout.engine import Rollout
from kittiwake.rollout.members import Action, Decision, Member, State
from kittiwake.rollout.sightings import Sightings
from kittiwake.rollout.store import RolloutStore

STEP_S = 1.0
_IDENTIFY_S = 30.0  # who says it is on line and was not heard is asked again after so long


class Runner:
    """Runs the newest roll-out of a file until it is over.

    Args:
        broker: its settings.
        base: first levels of every topic.
        store: with the roll-out.
        on_decision: called with each decision that was written.
        wall_ms: the clock, UTC in milliseconds since 1970.

    Attributes:
        id: of the roll-out.
        rollout: the engine.
        written: decisions that were written down.
        mqtt: the client, for its state.
    """

    def __init__(
        self,
        broker: BrokerSection,
        base: str,
        store: RolloutStore,
        on_decision: Callable[[Decision], None] = lambda decision: None,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ):
        self._base, self._store, self._on_decision, self._wall_ms = base, store, on_decision, wall_ms
        kept = store.read()
        self.id, self.written = kept.id, 0
        self._decisions: list[Decision] = []
        self.rollout = Rollout(kept.plan, self._decisions.append, kept.members or None, kept.state, kept.back)
        for member in self.rollout.members.values():
            member.asked_ms = None  # the process before may have died between writing and telling
        self._written: dict[str, Member] = {}
        self._inventory = Inventory(base=base)
        self._sightings = Sightings(base, self._inventory)
        self._identify_s = 0.0
        self.mqtt = MqttClient(
            broker,
            broker.client_id or f"kittiwake-rollout-{secrets.token_hex(4)}",
            subscriptions=self._sightings.filters,
            callbacks=Callbacks(on_message=self._take),
        )

    async def run(self) -> None:
        """Run until the roll-out is over, or until cancelled; begun anew, it goes on."""
        client = asyncio.create_task(self.mqtt.run())
        try:
            while True:
                self.step()
                if self.rollout.is_over:
                    return
                await asyncio.sleep(STEP_S)
        finally:
            await self.mqtt.close()
            client.cancel()
            await asyncio.gather(client, return_exceptions=True)

    def step(self) -> None:
        """Take up what somebody asked for, decide, write it down, and tell boards."""
        now_ms = self._wall_ms()
        self._take_up(now_ms)
        rollout = self.rollout
        back = rollout.back if rollout.state is State.BACK else None
        file = back.release if back is not None else rollout.plan.release
        asked = rollout.step(self._sightings.of(rollout.members, file), now_ms) if self.mqtt.is_connected else []
        self._write()
        for device, action in asked:
            to = rollout.back if action is Action.RETURN and rollout.back else rollout.plan
            wanted = {"file": to.release} | ({"sha256": to.sha256} if to.sha256 else {})
            self.mqtt.publish(f"{self._base}/{device}/release", json.dumps(wanted).encode(), 1, retain=True)
        if self.mqtt.is_connected:
            self._identify()

    def _take_up(self, now_ms: int) -> None:
        kept = self._store.read(self.id)
        if kept.wanted is None:
            return
        if kept.wanted is State.BACK and kept.back is not None:
            self.rollout.take_back(kept.back, now_ms)
        elif kept.wanted is not self.rollout.state:
            self.rollout.set_state(kept.wanted, "asked for", now_ms)
        self._write()
        self._store.ask(self.id, None)

    def _write(self) -> None:
        changed = [m for m in self.rollout.members.values() if self._written.get(m.device) != m]
        if not changed and not self._decisions:
            return
        self._store.write(self.id, self.rollout.state, changed, self._decisions)
        self._written |= {member.device: replace(member) for member in changed}
        for decision in self._decisions:
            self.written += 1
            self._on_decision(decision)
        self._decisions.clear()

    def _identify(self) -> None:
        now_s = time.monotonic()
        if now_s < self._identify_s:
            return
        self._identify_s = now_s + _IDENTIFY_S
        for device in self._inventory.to_identify():
            if device in self.rollout.members:
                identify(self.mqtt, self._base, device)

    def _take(self, topic: str, payload: bytes, handle: int) -> None:
        self.mqtt.acknowledge(handle)
        self._sightings.take(topic, payload, self._wall_ms())
