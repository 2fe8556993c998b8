"""The MQTT client: paho's on the event loop, reconnecting for ever; publishes and says when the broker has it.

It knows no device and no record. Everything here runs on one event loop: paho's own thread is not used, so that an
acknowledgement needs no hop between threads. What is in flight is bounded here, and not by paho, whose queue has no
bound and whose search through it costs time in proportion to its length.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from kittiwake.mqtt import problems
from kittiwake.mqtt.backoff import Backoff
from kittiwake.mqtt.callbacks import Callbacks, Receipt
from kittiwake.mqtt.credentials import Credentials
from kittiwake.mqtt.guard import CallbackGuard
from kittiwake.mqtt.in_flight import InFlight, Message
from kittiwake.mqtt.paho_client import ClientFactory, LoopClient
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.mqtt.subscriptions import Subscriptions
from kittiwake.mqtt.version import VersionChoice
from kittiwake.observe.events import event
from kittiwake.peers.complaints import Complaints

log = logging.getLogger(__name__)

_MISC_S = 1.0
_CONFIRM_S = 30.0  # no confirmation for this long with messages in flight: the connection is taken for dead
_DRAIN_S = 2.0
_ASK_S = 3.0  # for an answer to the first CONNECT, before the other version is tried


class MqttClient:
    """A client that stays connected. Make it inside a running event loop.

    QoS 1 and 2 messages that the broker had not confirmed when the connection broke are kept and sent again, in their
    order, after the reconnect and before anything new.

    A process that publishes begins with a fresh session, since paho forgets ids that the broker would remember: a
    message at QoS 2 under an id that an earlier process left half done would be taken for that one and dropped. One
    that subscribes keeps its session, or commands sent meanwhile would be lost. So it takes two clients to do both.

    Args:
        broker: the settings.
        client_id: the same over restarts, so that the broker knows the session.
        will: (topic, payload) left with the broker, retained, QoS 1.
        subscriptions: filters, at QoS 1; each message is sent again until `acknowledge` is called for it.
        is_lasting: the broker keeps the session, and what it has for us, when the process ends.
        callbacks: what is called.
        credentials: shared with other clients; None for our own.
        receive_limit: messages that may come before the first is acknowledged (MQTT 5); None for the broker's own.

    Attributes:
        is_connected, was_connected: the broker has accepted us; it did at least once.
        reconnects, attempts: connections made after the first; attempts to connect.
        refusals, takeovers: Complaints of messages that the broker refused, and of programs that took our client id.
        messages, guard: the InFlight and the CallbackGuard, for their counters.
        subscriptions: the Subscriptions, for what the broker refused of them.
        problem: why the last attempt failed, or "".

    Raises:
        ConfigError: a file that the settings name cannot be used.
    """

    def __init__(
        self,
        broker: BrokerSection,
        client_id: str,
        will: tuple[str, bytes] | None = None,
        subscriptions: tuple[str, ...] = (),
        callbacks: Callbacks | None = None,
        is_lasting: bool = False,
        credentials: Credentials | None = None,
        receive_limit: int | None = None,
    ):
        self._broker, self.client_id = broker, client_id
        credentials = credentials or Credentials(broker)
        self._clients = ClientFactory(broker, client_id, will, is_lasting, credentials, receive_limit)
        self._address = self._clients.address
        self._callbacks = callbacks or Callbacks()
        self._version = VersionChoice(broker.protocol, is_lasting)
        self.is_connected = self.was_connected = False
        self.reconnects = self.attempts = self._refused_before = 0
        self.refusals, self.takeovers = Complaints(log), Complaints(log)
        self.problem = self._reported = ""
        self.messages, self.guard = InFlight(broker.in_flight), CallbackGuard()
        self.subscriptions = Subscriptions(subscriptions, self._address, self.guard, self._callbacks.on_subscribed)
        self._backoff = Backoff(broker.backoff_first_s, broker.backoff_last_s)
        self._dropped = asyncio.Event()
        self._closing = self._answered = self._refused_version = self._is_unwelcome = False
        self._loop = asyncio.get_running_loop()
        self._client = self._make_client()

    @property
    def in_flight(self) -> int:
        """Messages handed over that the broker has not confirmed."""
        return len(self.messages)

    @property
    def has_room(self) -> bool:
        """Whether `publish` may be called for a message that can wait."""
        return self.is_connected and not self.messages.is_full and not self.messages.waiting

    @property
    def protocol(self) -> str:
        """MQTT version that is spoken or tried: "5" or "3.1.1"."""
        return self._version.name

    def publish(
        self, topic: str, payload: bytes, qos: int, retain: bool = False, receipt: Receipt | None = None
    ) -> None:
        """Hand a message over.

        Callers keep to `has_room`, but for the few messages (status, responses) that may not wait for them.

        Args:
            topic: without wildcards.
            payload: bytes of the message.
            qos: 0 to 2.
            retain: the broker keeps it for later subscribers.
            receipt: who is told what became of it, at once for QoS 0; None for nobody.
        """
        if qos:
            self.messages.waiting.append(Message(topic, payload, qos, retain, receipt))
            self.messages.hand_over(self._client.send, self._loop.time())
            return
        self._client.publish(topic, payload, qos, retain)
        if receipt is not None:
            receipt.confirmed()

    def acknowledge(self, handle: int) -> None:
        """Tell the broker that a message of a subscription is dealt with; until then it sends it again.

        Args:
            handle: as `on_message` was called with it.
        """
        # What came at QoS 0 has no id, and is not confirmed: brokers close the connection over a PUBACK of id 0.
        if handle and self.is_connected:
            self._client.ack(handle, 1)

    def start_over(self) -> None:
        """Drop the connection; the next one brings again what was not acknowledged."""
        self._backoff.reset()
        self._client.abort()

    async def run(self) -> None:
        """Connect, stay connected, connect again after every loss, with jittered backoff; until cancelled."""
        while not self._closing:
            self._dropped.clear()
            self._answered = self._refused_version = self._is_unwelcome = False
            self.attempts += 1
            problem = await self._client.open()
            if problem:
                self.problem = problem
                self._backoff.failed()
            elif not await self._serve():
                if self._answered and not self._version.wipes and not self.problem:
                    continue  # the session is wiped: connect for good
                self._try_other_version()
            if not self._closing:
                self._report(wait_s := self._backoff.next_s())
                await asyncio.sleep(wait_s)

    async def close(self) -> None:
        """Say goodbye, so that the broker does not send the will."""
        self._closing = True
        if self.is_connected:
            for _ in range(int(_DRAIN_S / 0.02)):
                # With a confirmation unread, closing would reset the connection and leave the will.
                if not self.messages or not self.is_connected:
                    break
                await asyncio.sleep(0.02)
            self._client.leave()
            try:
                await asyncio.wait_for(self._dropped.wait(), 2)
            except TimeoutError:
                log.warning("broker did not close the connection in 2 s")

    def _make_client(self) -> LoopClient:
        client = self._clients.make(self._version.protocol, self._version.wipes)
        client.on_connect = self.guard.wrap(self._connected)
        client.on_disconnect = self.guard.wrap(self._disconnected)
        client.on_publish = self.guard.wrap(self._published)
        client.on_message = self.guard.wrap(self._message)
        return client

    async def _serve(self) -> bool:
        # Keepalives and timeouts are paho's, driven from here; data moves in the socket buffer's callbacks.
        was_connected, started_s = False, self._loop.time()
        while not self._dropped.is_set():
            was_connected = was_connected or self.is_connected
            self._client.loop_misc()
            now_s = self._loop.time()
            is_asking = self._broker.protocol == "auto" and not self.was_connected
            patience_s = min(_ASK_S, self._broker.connect_timeout_s) if is_asking else self._broker.connect_timeout_s
            if not was_connected and now_s - started_s > patience_s:
                self._give_up("accepted the connection and says nothing")
            elif was_connected and self.messages.is_stuck(now_s, _CONFIRM_S):
                # PINGs are answered and messages are not: start over, which sends them again.
                self.messages.progress_s = now_s
                self._give_up(f"confirmed nothing for {_CONFIRM_S:.0f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._dropped.wait(), _MISC_S)
        return was_connected

    def _give_up(self, why: str) -> None:
        self.problem = f"{self._address}: the broker {why}"
        self._client.abort()

    def _try_other_version(self) -> None:
        is_silent = not self._answered and self._client.is_silent
        if not self._version.turn(self._refused_version, self.was_connected, is_silent):
            return
        self._renew_client()
        self.problem = ""
        log.info("broker %s: trying MQTT %s", self._address, self.protocol)

    def _renew_client(self) -> None:
        unconfirmed = self._client.take_unconfirmed(self.messages.take_all())
        self._client = self._make_client()
        self.messages.waiting.extendleft(reversed(unconfirmed))
        self.messages.hand_over(self._client.send, self._loop.time())

    def _report(self, wait_s: float) -> None:
        level = logging.WARNING if self.problem != self._reported else logging.DEBUG  # the same again is no news
        name = "login.refused" if self._is_unwelcome else self._client.event
        log.log(level, "broker %s; next try in %.1f s", self.problem, wait_s, extra=event(name))
        self._reported = self.problem

    def _connected(
        self, client: paho.Client, _: object, flags: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self._answered, self._refused_before = True, self.refusals.count
        if reason.is_failure:
            self._refused_version = reason.value == problems.UNSUPPORTED_VERSION
            self._is_unwelcome = not self._refused_version
            self.problem = problems.explain_refusal(reason, self._address, self._broker)
            return
        self.problem = self._reported = ""
        if self._version.wipes:
            self._version.wipes = False
            self._loop.call_soon(self._end_wiping)
            return
        self._backoff.connected(self._loop.time())
        self.reconnects += self.was_connected
        self.is_connected = self.was_connected = True
        self.messages.limit = min(self._broker.in_flight, getattr(properties, "ReceiveMaximum", 65535))
        self.messages.progress_s = self._loop.time()
        log.info("connected to broker %s, MQTT %s", self._address, self.protocol, extra=event("broker.connected"))
        self.subscriptions.begin(client)
        # Not from here: paho sends what was in flight again when this returns, and that comes first.
        self._loop.call_soon(self._callbacks.on_connected)

    def _end_wiping(self) -> None:
        # The client goes first: what paho reports while this one leaves is the end that was wanted, no problem.
        wiped = self._client
        self._renew_client()
        wiped.leave()

    def _disconnected(
        self, client: paho.Client, _: object, flags: paho.DisconnectFlags, reason: ReasonCode, properties: object
    ) -> None:
        if client is not self._client:
            self._dropped.set()
            return  # the one that wiped
        has_word = flags.is_disconnect_packet_from_server
        is_told = has_word and reason.value == problems.SESSION_TAKEN_OVER
        is_wordless = not (has_word or self.problem or client.error or self.refusals.count > self._refused_before)
        # What paho calls unspecified is that the other end has closed.
        closed = f"the broker closed the connection{f': {reason}' if has_word else ''}"
        self.problem = self.problem or self._client.explain(closed)
        if self.is_connected:
            self.is_connected = False
            self._backoff.lost(self._loop.time(), is_told, is_wordless)
            if self._backoff.is_contested:
                self.problem = problems.explain_takeover(self._address, self.client_id, is_told)
                self.takeovers.tell(f"broker {self.problem}", extra=event("client.taken_over"))
            elif not self._closing:
                log.warning("broker connection lost: %s", self.problem, extra=event("broker.lost"))
            self._reported = self.problem
            self._callbacks.on_disconnected()
        self._dropped.set()

    def _published(self, client: paho.Client, _: object, mid: int, reason: ReasonCode, properties: object) -> None:
        if reason.is_failure:
            self.refusals.tell(f"broker {self._address} refused a message: {reason}")
        self.messages.settle(mid, str(reason) if reason.is_failure else "", self._loop.time())
        self.messages.hand_over(self._client.send, self._loop.time())
        self._callbacks.on_room()

    def _message(self, client: paho.Client, _: object, message: paho.MQTTMessage) -> None:
        # What cannot be dealt with is done with: sent again it would be no better.
        if not self.guard.call(lambda: self._callbacks.on_message(message.topic, bytes(message.payload), message.mid)):
            self.acknowledge(message.mid)
