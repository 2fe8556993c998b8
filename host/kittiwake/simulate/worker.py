"""One process of a fleet: its share of the devices, and the gateway's side of each link, over one broker connection.

As in a bridge a record is acknowledged to its device only after the broker's PUBACK. A link is memory here: no port is
between the firmware's two sessions, so a machine carries far more devices than with ports.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from dataclasses import dataclass

from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.publish import publisher
from kittiwake.simulate.device import Happened, SimulatedDevice
from kittiwake_node.link import gateway_session

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
    """

    broker: BrokerSection
    base: str
    seed: int
    first: int
    count: int
    interval_s: float
    seconds: float
    has_faults: bool


@dataclass
class Outcome(Happened):
    """What became of a share.

    Attributes:
        confirmed: records that the broker has confirmed.
        refused: that it has refused.
        left: records that were not confirmed when it ended.
        seconds: that it took.
    """

    confirmed: int = 0
    refused: int = 0
    left: int = 0
    seconds: float = 0.0


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

    def __init__(self, device: SimulatedDevice, policy: publisher.Policy, outcome: Outcome, rng: random.Random):
        self.device, self.outcome = device, outcome
        self.gateway = gateway_session.GatewaySession(lambda: rng.randrange(1, 1 << 32), _WINDOW)
        self._former = publisher.Former(policy, device.name, device.journal.id)
        self._done: set[int] = set()
        self._next = 0

    def pump(self, mqtt: MqttClient, now_ms: int) -> None:
        """Let both sides say what they have to say, and publish what arrives."""
        if self.device.is_offline(now_ms) or not mqtt.has_room:
            return
        while True:
            up = self.device.session.next_output(now_ms)
            for event in self.gateway.feed(up, now_ms) if up else ():
                if event[0] == gateway_session.RECORD:
                    record = event[1]
                    if not self._former.knows(record.description):
                        self._former.describe(record.description, self.gateway.descriptions[record.description])
                    made = self._former.form(record)
                    mqtt.publish(made.topic, made.payload, 1, receipt=_Receipt(self, record.seq))
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
    policy = publisher.Policy(base=share.base)
    mqtt = MqttClient(share.broker, f"kittiwake-simulate-{share.seed}-{share.first}", callbacks=Callbacks())
    client = asyncio.create_task(mqtt.run())
    started = time.monotonic()
    links = []
    for number in range(share.first, share.first + share.count):
        device = SimulatedDevice(
            f"sim-{number}", share.seed, share.has_faults, outcome, _now_ms(), time.time_ns() // 1_000_000
        )
        links.append(_Link(device, policy, outcome, rng))
    # (when, which, is it a record or only time for the sessions to speak)
    due = [(started + rng.random() * share.interval_s, number, True) for number in range(len(links))]
    due += [(started + rng.random(), number, False) for number in range(len(links))]
    heapq.heapify(due)
    try:
        while time.monotonic() < started + share.seconds:
            _turn(due, links, share.interval_s, mqtt)
            await asyncio.sleep(_TURN_S)
        for link in links:
            link.device.settle()
        ends = time.monotonic() + _SETTLE_S
        while _left(links) and time.monotonic() < ends:
            for link in links:
                link.pump(mqtt, _now_ms())
            await asyncio.sleep(0.05)
    finally:
        client.cancel()
        await asyncio.gather(client, return_exceptions=True)
        await mqtt.close()
    outcome.left = _left(links)
    outcome.seconds = time.monotonic() - started
    return outcome


def _turn(due: list[tuple[float, int, bool]], links: list[_Link], interval_s: float, mqtt: MqttClient) -> None:
    """Do what is due."""
    now = time.monotonic()
    while due and due[0][0] <= now:
        when, number, is_record = due[0]
        link = links[number]
        if is_record:
            link.device.work(_now_ms(), time.time_ns() // 1_000_000)
        link.pump(mqtt, _now_ms())
        heapq.heapreplace(due, (when + (interval_s if is_record else _SPEAK_MS / 1000), number, is_record))
        if time.monotonic() - now > _TURN_S * 10:
            return  # the broker is to be heard meanwhile


def _left(links: list[_Link]) -> int:
    return sum(link.device.journal.next_seq - link.device.journal.acked for link in links)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
