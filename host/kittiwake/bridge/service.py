"""The bridge: devices on one side, one broker on the other, and the retained statuses that say who is there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from kittiwake.bridge import device_report, report
from kittiwake.bridge.clock import GatewayClock
from kittiwake.bridge.command_queue import CommandQueue
from kittiwake.bridge.confirm import scorer
from kittiwake.bridge.confirm.worker import Worker
from kittiwake.bridge.delivery import Sink
from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.discovered import Discovered
from kittiwake.bridge.health import Health
from kittiwake.bridge.link_callbacks import Callbacks as LinkCallbacks
from kittiwake.bridge.links import Fleet
from kittiwake.bridge.names import Names
from kittiwake.bridge.own_commands import OwnCommands
from kittiwake.bridge.presence import Presence
from kittiwake.bridge.retained import Retained
from kittiwake.bridge.settings import DeviceSection, Settings
from kittiwake.bridge.spool import Spool
from kittiwake.bridge.verdicts import Judges
from kittiwake.mqtt.callbacks import Callbacks, Receipt
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.credentials import Credentials
from kittiwake.observe.steps import Steps
from kittiwake.supply.shelf import Shelf
from kittiwake.supply.updates import Updates

log = logging.getLogger(__name__)

OnText = Callable[[str, str], None]
_SHARE = 16  # messages that one device hands over before the next has its turn


class Bridge:
    """One bridge process's work. Make it inside a running event loop.

    Args:
        settings: the configuration.
        on_text: called as on_text(port url, line) with console text from devices.
        steps: who is told of records' steps; None for nobody.

    Attributes:
        clock: the GatewayClock that devices are told the time of.
        credentials: the Credentials of both MqttClients.
        mqtt: the MqttClient that publishes.
        command_client: the MqttClient on which commands arrive.
        fleet: the Fleet.
        health: the Health.
        commands: the CommandQueue.
        spool: the Spool, None when it is off.
        updates: the Updates. judges: the Judges, who hear wake words again; None when nobody does.

    Raises:
        ConfigError: a file that the settings name cannot be used.
        KittiwakeError: what the settings ask for needs a package that is not here.
    """

    def __init__(self, settings: Settings, on_text: OnText = lambda url, line: None, steps: Steps | None = None):
        self.settings = settings
        self._policy = settings.policy()
        self._on_text = on_text
        self._waiting: deque[DeviceLink] = deque()  # links with publications that wait for room, each once
        self.clock = GatewayClock(settings.bridge.clock)
        self.commands = CommandQueue(
            settings.bridge.base,
            settings.bridge.id,
            settings.bridge.command_timeout_s,
            find=lambda device: self.fleet.of_device(device),
            respond=self._respond,
            acknowledge=lambda handle: self.command_client.acknowledge(handle),
            own=OwnCommands(lambda: self.fleet, lambda: self.report()).operations(),
            now_ms=self.clock.now_ms,
        )
        self._retained = Retained(
            publish=lambda topic, payload, receipt: self.mqtt.publish(topic, payload, 1, True, receipt),
            is_connected=lambda: self.mqtt.is_connected,
            on_settled=lambda topic: self.presence.on_settled(topic),
        )
        self._names = Names(settings.bridge.id, lambda: self.links, lambda: self.presence.known)
        self.presence = Presence(
            self._policy,
            settings.bridge.id,
            find=lambda device: self.fleet.of_device(device),
            retained=self._retained,
            publish=lambda topic, payload: self.mqtt.publish(topic, payload, 1, retain=True),
            on_forgotten=self._forgotten,
        )
        self.updates = Updates(
            Shelf(settings.releases.folder, settings.releases.url),
            settings.bridge.base,
            find=lambda device: self.fleet.of_device(device),
            say=self._retained.say,
        )
        self._discovered = Discovered(settings.homeassistant, self._policy, self.presence.topic, self._retained)
        client_id = settings.broker.client_id or f"{settings.bridge.base}-{settings.bridge.id}".replace("/", "-")
        self.credentials = Credentials(settings.broker)
        self.mqtt = MqttClient(
            settings.broker,
            client_id=client_id,
            will=self.presence.will,
            subscriptions=(*self.presence.filters, *self._discovered.filters, *self.updates.filters),
            callbacks=Callbacks(
                on_connected=self._connected,
                on_disconnected=self._disconnected,
                on_message=self._message,
                on_room=self._broker_has_room,
            ),
            credentials=self.credentials,
        )
        self.spool = Spool(settings.spool, self.mqtt, self._room) if settings.spool.enabled else None
        self._sink: Sink = self.spool or self.mqtt
        self.judges = None
        if opinions := settings.opinions():
            scorer.check([rule.model for rule in opinions])
            self.judges = Judges(opinions, Worker())
        self.command_client = MqttClient(
            settings.broker,
            client_id=f"{client_id}-commands",
            subscriptions=(self.commands.topic,),
            callbacks=Callbacks(on_disconnected=self.commands.on_disconnected, on_message=self.commands.on_message),
            is_lasting=True,
            credentials=self.credentials,
        )
        self._link_callbacks = LinkCallbacks[DeviceLink](
            on_status=self._status,
            on_described=self._discovered.on_described,
            on_text=lambda link, line: self._on_text(link.url, line),
            on_backlog=self._backlog,
            on_opened=self._opened,
            on_reply=self._replied,
            admit=self._names.admit,
            steps=steps,
        )
        self.fleet = Fleet(settings.devices, self._make_link, self._gone)
        after_s = settings.bridge.unwell_after_s
        self.health = Health(self.mqtt, self.command_client, self.spool, lambda: self.links, after_s)

    @property
    def links(self) -> list[DeviceLink]:
        """The DeviceLinks, one a port."""
        return self.fleet.links

    async def run(self) -> None:
        """Serve until cancelled, then say goodbye to the broker."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.mqtt.run(), name="broker")
                tasks.create_task(self.command_client.run(), name="commands")
                tasks.create_task(self.credentials.watch(), name="certificates")
                tasks.create_task(self.clock.watch(), name="clock")
                tasks.create_task(self.health.watch(), name="health")
                tasks.create_task(self.updates.watch(), name="updates")
                if self.spool is not None:
                    tasks.create_task(self.spool.run(), name="spool")
                if self.judges is not None:
                    tasks.create_task(self.judges.run(), name="confirm")
                tasks.create_task(self.fleet.run(), name="devices")
        finally:
            if self.mqtt.is_connected:
                self.presence.goodbye()
            with contextlib.suppress(OSError):
                await asyncio.gather(self.mqtt.close(), self.command_client.close())

    async def apply(self, devices: list[DeviceSection]) -> list[str]:
        """Take up other devices while running; links whose settings are the same go on undisturbed.

        Args:
            devices: of a checked configuration.

        Returns:
            What changed, a line a port.
        """
        changes = await self.fleet.apply(devices)
        self.settings.devices = devices
        self._share_out()
        return changes

    def report(self) -> dict[str, Any]:
        """What there is, JSON-ready: the broker's state, and every link's."""
        reasons = self.health.reasons
        return {
            "well": not reasons,
            "reasons": reasons,
            "broker": {
                "connected": self.mqtt.is_connected,
                "problem": self.mqtt.problem,
                "in_flight": self.mqtt.in_flight,
                "commands": self.command_client.is_connected,
                "refused_subscriptions": self.mqtt.subscriptions.refused | self.command_client.subscriptions.refused,
            },
            "clock": {"known": not self.clock.problem, "problem": self.clock.problem},
            **report.of_certificates(self.credentials),
            **report.of_spool(self.spool),
            **({"verdicts": dict(self.judges.counts)} if self.judges else {}),
            "devices": [device_report.of(link) for link in self.links],
        }

    def _make_link(self, section: DeviceSection) -> DeviceLink:
        link = DeviceLink(section, self._policy, self._sink, self._link_callbacks, self.judges, self.clock)
        link.set_stalled(not self.mqtt.is_connected)
        asyncio.get_running_loop().call_soon(self._share_out)
        return link

    def _share_out(self) -> None:
        # Memory is bounded for all together: with many devices, each gets its share.
        share = self.settings.bridge.records_in_memory // max(1, len(self.links))
        for link in self.links:
            link.session.set_window(max(1, min(link.section.window, share)))

    def _respond(self, topic: str, payload: bytes, receipt: Receipt) -> None:
        self.mqtt.publish(topic, payload, self._policy.qos.get("response", 2), False, receipt)

    def _connected(self) -> None:
        self._retained.renew()
        self.presence.on_connected()
        for link in self.links:
            link.set_stalled(False)
        self._broker_has_room()

    def _disconnected(self) -> None:
        for link in self.links:
            link.set_stalled(True)

    def _message(self, topic: str, payload: bytes, handle: int) -> None:
        if not (self.presence.on_message(topic, payload) or self.updates.on_message(topic, payload)):
            self._discovered.on_message(topic, payload)
        self.mqtt.acknowledge(handle)

    def _forgotten(self, device: str) -> None:
        self._discovered.on_forgotten(device)
        self._names.forget(device)

    def _status(self, link: DeviceLink, is_online: bool) -> None:
        self.presence.on_status(link, is_online)
        if is_online:
            self._discovered.on_online(link)

    def _opened(self, link: DeviceLink) -> None:
        self.commands.on_opened(link)
        self.updates.on_opened(link)

    def _replied(self, link: DeviceLink, request: int, status: int, body: bytes) -> None:
        if not self.updates.on_reply(link, request, status, body):
            self.commands.on_reply(link, request, status, body)

    def _backlog(self, link: DeviceLink) -> None:
        if link not in self._waiting:
            self._waiting.append(link)
        if self._sink.has_room:
            # What was refused comes back while the sink has room: no confirmation calls for it.
            asyncio.get_running_loop().call_soon(self._room)

    def _broker_has_room(self) -> None:
        if self.spool is not None:
            self.spool.drain()
        else:
            self._room()

    def _room(self) -> None:
        # Round and round, so that a device with much to say does not hold back the others.
        while self._waiting and self._sink.has_room:
            link = self._waiting.popleft()
            if link.hand_over(_SHARE):
                self._waiting.append(link)

    def _gone(self, link: DeviceLink) -> None:
        self._discovered.on_gone(link)
        with contextlib.suppress(ValueError):
            self._waiting.remove(link)
        self._share_out()
