"""Simulated devices that speak MQTT themselves: the firmware's own MQTT session over a connection for each of them.

A connection that fails is made anew after a while, as a board does it; the session keeps what was not confirmed. The
messages are formed by the gateway's publisher, which gives the same bytes: the host takes no figures from the firmware.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable
from typing import Any, cast

from kittiwake.errors import ConfigError
from kittiwake.mqtt.address import Address, parse_url
from kittiwake.mqtt.credentials import Credentials
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.publish import publisher
from kittiwake.simulate.device import SimulatedDevice
from kittiwake.simulate.journal import Journal
from kittiwake.simulate.outcome import Outcome
from kittiwake_node.link import record as rec
from kittiwake_node.mqtt.packets import Login
from kittiwake_node.mqtt.session import MqttSession

log = logging.getLogger(__name__)

_AT_ONCE = 50  # connections that are being made: a broker's queue of them is short
_CONNECT_S = 30.0
_AGAIN_MS = (1_000, 5_000)


class Access:
    """How devices reach their broker; one for all of a process.

    Args:
        broker: the settings.
        base: first levels of the topics.
        now_ms: milliseconds that never go back.
        rng: for what is left to chance.

    Raises:
        ConfigError: the broker's address is a websocket's, which boards do not speak, or a file cannot be used.
    """

    def __init__(self, broker: BrokerSection, base: str, now_ms: Callable[[], int], rng: random.Random):
        self._credentials = Credentials(broker)
        self.address = address_of(broker)
        self.broker, self.base, self.now_ms, self.rng = broker, base, now_ms, rng
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._problems: set[str] = set()

    def session(self, name: str, boot: int, journal: Journal) -> MqttSession:
        """Make the session of a device that has just started."""
        client_id = f"{self.base.replace('/', '-')}-{name}"
        login = Login(client_id, self.broker.username, self._credentials.password)
        # Its face is that of the firmware's publisher, whose class stays with the firmware.
        forming = cast(Any, _Publisher(self.base, name, journal))
        return MqttSession(login, forming, journal, json.loads, lambda payload, now_ms: _refusal(name, payload))

    async def connect(self, protocol: asyncio.Protocol) -> None:
        """Connect, not too many at a time.

        Raises:
            OSError, TimeoutError: it does not work now.
        """
        async with self._gate, asyncio.timeout(_CONNECT_S):
            loop = asyncio.get_running_loop()
            await loop.create_connection(
                lambda: protocol, self.address.host, self.address.port, ssl=self._credentials.context
            )

    def complain(self, problem: str) -> None:
        """Log a problem that is new."""
        if problem not in self._problems:
            self._problems.add(problem)
            log.warning("simulate: %s: %s", self.address, problem)


class _Publisher:
    """Forms a device's messages for its session."""

    def __init__(self, base: str, device: str, journal: Journal):
        self._prefix, self._journal = f"{base}/{device}/", journal
        self._former = publisher.Former(publisher.Policy(base=base), device, journal.id)

    def topic(self, leaf: str) -> str:
        return self._prefix + leaf

    def form(self, record: rec.Record, channels: object) -> tuple[str, bytes]:
        if not self._former.knows(record.description):
            self._former.describe(record.description, self._journal.description(record.description))
        made = self._former.form(record)
        return made.topic, made.payload


def _refusal(device: str, payload: bytes) -> bytes:
    """The response to a command, none of which a simulated device carries out."""
    try:
        command = json.loads(payload)
    except ValueError:
        command = None
    asked = command if isinstance(command, dict) else {}
    response = {"id": asked.get("id"), "op": asked.get("op"), "device": device, "bridge": None}
    return json.dumps(response | {"status": "refused", "error": "a simulated device carries out no commands"}).encode()


def address_of(broker: BrokerSection) -> Address:
    """Give the address of a broker that boards can reach.

    Args:
        broker: the settings.

    Raises:
        ConfigError: it is a websocket's.
    """
    address = parse_url(broker.url)
    if address.path is not None:
        raise ConfigError(f"{broker.url}: boards speak no websockets", "give mqtt://HOST:PORT or mqtts://HOST:PORT")
    return address


class DirectLink(asyncio.Protocol):
    """A device and its connection.

    Args:
        device: whose session `access` has made.
        access: to the broker.
        outcome: where it is counted.
    """

    def __init__(self, device: SimulatedDevice[MqttSession], access: Access, outcome: Outcome):
        self.device, self._access, self._outcome = device, access, outcome
        self._session = device.session
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._again_ms = 0
        self._has_room = True
        self._acked = 0

    def pump(self, now_ms: int) -> None:
        """Let the session say what it has to say; connect, or drop the connection, where that is due."""
        if self.device.session is not self._session:  # it has rebooted
            self._drop()
            self._session = self.device.session
        if self.device.is_offline(now_ms):
            self._drop()
        elif self._transport is not None:
            self._speak()
        elif self._connecting is None and now_ms >= self._again_ms:
            self._connecting = asyncio.create_task(self._connect())

    async def close(self) -> None:
        """End the connection in order."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.write(self._session.goodbye())
            transport.close()

    async def _connect(self) -> None:
        try:
            await self._access.connect(self)
        except (OSError, TimeoutError) as error:
            self._failed(str(error) or "no answer")
        finally:
            self._connecting = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the session."""
        self._transport, self._has_room = cast(asyncio.Transport, transport), True
        self._outcome.connections += 1
        self._session.set_link(True, self._access.now_ms())
        self._speak()

    def data_received(self, data: bytes) -> None:
        """Take what the broker says."""
        self._session.feed(data, self._access.now_ms())
        self._outcome.confirmed += self.device.journal.acked - self._acked
        self._acked = self.device.journal.acked
        self._speak()

    def connection_lost(self, error: Exception | None) -> None:
        """Note that it is gone."""
        if self._transport is not None:
            self._failed(str(error) if error else "the broker has closed the connection")
            self._drop()

    def pause_writing(self) -> None:
        """The way is full."""
        self._has_room = False

    def resume_writing(self) -> None:
        """It is not any more."""
        self._has_room = True
        self._speak()

    def _speak(self) -> None:
        now_ms = self._access.now_ms()
        while self._transport is not None and self._has_room:
            packet = self._session.next_output(now_ms)
            if self._session.problem:
                self._failed(self._session.problem)
                self._drop()
            elif packet is None:
                return
            else:
                self._transport.write(packet)

    def _drop(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
            self._session.set_link(False, self._access.now_ms())

    def _failed(self, problem: str) -> None:
        self._access.complain(problem)
        self._again_ms = self._access.now_ms() + self._access.rng.randint(*_AGAIN_MS)
