"""One process of a fleet: its share of the devices, and their links.

Over a gateway all have one broker connection, and as in a bridge a record is acknowledged to its device only after the
broker's PUBACK. A link is memory there: no port is between the firmware's two sessions, so a machine carries far more
devices than with ports. Direct devices have a connection each.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import random
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.publish import publisher
from kittiwake.simulate.device import SimulatedDevice, gateway_session
from kittiwake.simulate.direct import Access, DirectLink
from kittiwake.simulate.outcome import Outcome
from kittiwake_node.link import gateway_session as gateway
from kittiwake_node.link.device_session import DeviceSession

_WINDOW = 32
_SPEAK_MS = 1000  # a gateway that says nothing for five seconds is gone
_TURN_S = 0.005
_SETTLE_S = 60


@dataclass(frozen=True)
class Share:
    """What one process does.

    Attributes:
        broker: the broker.
        base: first levels of the topics.
        seed: of everything that happens.
        first, count: numbers of its devices.
        interval_s: between two records of a device.
        seconds: for which records are made; then it waits until the broker has all of them.
        has_faults: see SimulatedDevice.
        is_direct: its devices speak MQTT themselves.
    """

    broker: BrokerSection
    base: str
    seed: int
    first: int
    count: int
    interval_s: float
    seconds: float
    has_faults: bool
    is_direct: bool = False


class _Receipt:
    """Told what became of one record."""

    def __init__(self, link: _Link, seq: int):
        self._link, self._seq = link, seq

    def confirmed(self) -> None:
        """The broker has it."""
        self._link.confirmed(self._seq)

    def refused(self, reason: str) -> None:
        """The broker does not take it."""
        self._link.outcome.refused += 1


class _Link:
    """A device, the gateway's session for it, and what the broker has not confirmed yet."""

    def __init__(
        self,
        device: SimulatedDevice[DeviceSession],
        policy: publisher.Policy,
        mqtt: MqttClient,
        outcome: Outcome,
        rng: random.Random,
    ):
        self.device, self._mqtt, self.outcome = device, mqtt, outcome
        self.gateway = gateway.GatewaySession(lambda: rng.randrange(1, 1 << 32), _WINDOW)
        self._former = publisher.Former(policy, device.name, device.journal.id)
        self._done: set[int] = set()
        self._next = 0

    def pump(self, now_ms: int) -> None:
        """Let both sides say what they have to say, and publish what arrives."""
        if self.device.is_offline(now_ms) or not self._mqtt.has_room:
            return
        while True:
            up = self.device.session.next_output(now_ms)
            for event in self.gateway.feed(up, now_ms) if up else ():
                if event[0] == gateway.RECORD:
                    record = event[1]
                    if not self._former.knows(record.description):
                        self._former.describe(record.description, self.gateway.descriptions[record.description])
                    made = self._former.form(record)
                    self._mqtt.publish(made.topic, made.payload, 1, receipt=_Receipt(self, record.seq))
            down = self.gateway.next_output(now_ms)
            if down:
                self.device.session.feed(down, now_ms)
            if not up and not down:
                return

    def confirmed(self, seq: int) -> None:
        """The broker has a record: acknowledge what has no hole before it."""
        self._done.add(seq)
        while self._next in self._done:
            self._done.discard(self._next)
            self._next += 1
            self.outcome.confirmed += 1
        self.gateway.ack(self._next)


async def run(share: Share) -> Outcome:
    """Do a share.

    Args:
        share: what to do.

    Returns:
        What became of it.
    """
    outcome = Outcome()
    rng = random.Random(f"{share.seed}/{share.first}")
    started = time.monotonic()
    async with _links(share, outcome, rng) as links:
        # (when, which, is it a record or only time for the sessions to speak)
        due = [(started + rng.random() * share.interval_s, number, True) for number in range(len(links))]
        due += [(started + rng.random(), number, False) for number in range(len(links))]
        heapq.heapify(due)
        while time.monotonic() < started + share.seconds:
            _turn(due, links, share.interval_s)
            await asyncio.sleep(_TURN_S)
        for link in links:
            link.device.settle()
        ends = time.monotonic() + _SETTLE_S
        while _left(links) and time.monotonic() < ends:
            for link in links:
                link.pump(_now_ms())
            await asyncio.sleep(0.05)
    outcome.left = _left(links)
    outcome.seconds = time.monotonic() - started
    return outcome


@contextlib.asynccontextmanager
async def _links(share: Share, outcome: Outcome, rng: random.Random) -> AsyncIterator[Sequence[_Link | DirectLink]]:
    """Make the devices and their links; the connections end with it."""
    names = [f"sim-{number}" for number in range(share.first, share.first + share.count)]
    life = share.seed, share.has_faults, outcome, _now_ms(), time.time_ns() // 1_000_000
    if share.is_direct:
        access = Access(share.broker, share.base, _now_ms, rng)
        direct = [DirectLink(SimulatedDevice(name, *life, access.session), access, outcome) for name in names]
        try:
            yield direct
        finally:
            for link in direct:
                await link.close()
        return
    mqtt = MqttClient(share.broker, f"kittiwake-simulate-{share.seed}-{share.first}", callbacks=Callbacks())
    client = asyncio.create_task(mqtt.run())
    policy = publisher.Policy(base=share.base)
    try:
        yield [_Link(SimulatedDevice(name, *life, gateway_session), policy, mqtt, outcome, rng) for name in names]
    finally:
        client.cancel()
        await asyncio.gather(client, return_exceptions=True)
        await mqtt.close()
        outcome.connections = mqtt.was_connected + mqtt.reconnects


def _turn(due: list[tuple[float, int, bool]], links: Sequence[_Link | DirectLink], interval_s: float) -> None:
    """Do what is due."""
    now = time.monotonic()
    while due and due[0][0] <= now:
        when, number, is_record = due[0]
        link = links[number]
        if is_record:
            link.device.work(_now_ms(), time.time_ns() // 1_000_000)
        link.pump(_now_ms())
        heapq.heapreplace(due, (when + (interval_s if is_record else _SPEAK_MS / 1000), number, is_record))
        if time.monotonic() - now > _TURN_S * 10:
            return  # the broker is to be heard meanwhile


def _left(links: Sequence[_Link | DirectLink]) -> int:
    return sum(link.device.journal.next_seq - link.device.journal.acked for link in links)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
