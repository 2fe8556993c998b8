"""A look at the fleet: what the broker keeps, and what each device that is said to be on line says of itself."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Sequence
from functools import partial

from kittiwake.errors import KittiwakeError
from kittiwake.fleet.inventory import Inventory
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection

RETAINED_S = 1.0  # what is retained comes at once
CONNECT_S = 20.0
_LOOK_S = 0.05
_ASKED_AT_ONCE = 64


async def survey(
    broker: BrokerSection,
    base: str,
    inventory: Inventory,
    wait_s: float,
    on_progress: Callable[[int, int], None] = lambda heard, asked: None,
) -> None:
    """Fill an inventory.

    Args:
        broker: its settings.
        base: first levels of every topic.
        inventory: what is known before, and afterwards.
        wait_s: seconds for devices to respond.
        on_progress: called as on_progress(heard, asked) when either has changed.

    Raises:
        KittiwakeError: the broker does not answer, or refuses a subscription.
    """
    answered: list[dict[str, str]] = []

    def take(topic: str, payload: bytes, handle: int) -> None:
        client.acknowledge(handle)
        inventory.take(topic, payload, time.time_ns() // 1_000_000)

    client = MqttClient(
        broker,
        f"kittiwake-fleet-{secrets.token_hex(4)}",
        subscriptions=inventory.filters,
        callbacks=Callbacks(on_message=take, on_subscribed=answered.append),
    )
    work = asyncio.create_task(client.run())
    try:
        await _until(lambda: bool(answered), CONNECT_S)
        if not answered:
            raise KittiwakeError(f"the broker at {broker.url} does not answer: {client.problem or 'no word'}")
        for topic, reason in answered[0].items():
            raise KittiwakeError(
                f"the broker refuses the subscription to {topic}: {reason}", "its ACL has to let this user read it"
            )
        await asyncio.sleep(min(RETAINED_S, wait_s))
        asked = inventory.to_identify()
        for start in range(0, len(asked), _ASKED_AT_ONCE):
            some = asked[start : start + _ASKED_AT_ONCE]
            for name in some:
                identify(client, base, name)
            on_progress(start, len(asked))
            await _until(partial(_are_heard, inventory, some), wait_s)
        on_progress(len(asked) - len(inventory.to_identify()), len(asked))
    finally:
        await client.close()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def identify(client: MqttClient, base: str, device: str) -> None:
    """Ask a device what it is; the response comes on its topic.

    Args:
        client: to ask by.
        base: first levels of every topic.
        device: its id.
    """
    command = {"id": f"fleet-{secrets.token_hex(6)}", "op": "identify"}
    client.publish(f"{base}/{device}/cmd", json.dumps(command).encode(), 1)


def _are_heard(inventory: Inventory, names: Sequence[str]) -> bool:
    return not set(names) & set(inventory.to_identify())


async def _until(condition: Callable[[], bool], limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while not condition() and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_S)
