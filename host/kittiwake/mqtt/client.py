"""The MQTT shell: paho's client on the event loop, reconnecting for ever; publishes and says when the broker has it.

It knows no device and no record. Everything here runs on one event loop: paho's own thread is not used, so that an
acknowledgement needs no hop between threads. What is in flight is bounded here, and not by paho, whose queue has no
bound and whose search through it costs time in proportion to its length.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable

import paho.mqtt.client as paho

from kittiwake.mqtt import paho_client, tls
from kittiwake.mqtt.address import parse_url
from kittiwake.mqtt.events import Events, Token
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.mqtt.socket_buffer import Wire
from kittiwake.mqtt.version import Dialect

__all__ = ["Events", "MqttClient", "Token"]

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
        events: what is called.

    Attributes:
        is_connected: the broker has accepted us.
        reconnects: connections made after the first.
        attempts: attempts to connect.
        refused: messages that the broker refused.
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
        events: Events | None = None,
        is_lasting: bool = False,
    ):
        self._broker = broker
        self._address = parse_url(broker.url)
        self._client_id = client_id
        self._will = will
        self._subscriptions = subscriptions
        self._is_lasting = is_lasting
        self._events = events or Events()
        self._context = tls.context(broker) if self._address.is_tls else None
        self._password = broker.password.get_secret_value()
        if broker.password_file:
            self._password = tls.read_secret(broker.password_file, "broker.password_file")
        self._dialect = Dialect(broker.protocol, is_lasting)
        self.is_connected = False
        self.reconnects = -1
        self.attempts = 0
        self.refused = 0
        self.problem = ""
        self._reported = ""
        self._limit = broker.in_flight
        self._tokens: dict[int, Token | None] = {}
        self._confirmed_s = 0.0
        self._wire: Wire | None = None
        self._dropped = asyncio.Event()
        self._closing = False
        self._answered = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._client = self._make_client()

    @property
    def in_flight(self) -> int:
        """Messages handed over that the broker has not confirmed."""
        return len(self._tokens)

    @property
    def has_room(self) -> bool:
        """Whether `publish` may be called for a message that can wait."""
        return self.is_connected and len(self._tokens) < self._limit

    @property
    def protocol(self) -> str:
        """MQTT version that is spoken or tried: "5" or "3.1.1"."""
        return self._dialect.name

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False, token: Token | None = None) -> None:
        """Hand a message over; `token` is told of its fate, at once for QoS 0.

        Callers keep to `has_room`, but for the few messages (status) that may not wait.
        """
        info = self._client.publish(topic, payload, qos, retain)
        while info.rc == paho.MQTT_ERR_QUEUE_SIZE:
            # An old message still has this id: ids are 16 bits and come round.
            info = self._client.publish(topic, payload, qos, retain)
        if qos == 0:
            if token is not None:
                token.confirmed()
            return
        if not self._tokens:
            self._confirmed_s = self._loop.time()
        self._tokens[info.mid] = token

    def acknowledge(self, handle: int) -> None:
        """Tell the broker that a message of a subscription is dealt with; until then it sends it again."""
        if self.is_connected:
            self._client.ack(handle, 1)

    async def run(self) -> None:
        """Connect, stay connected, connect again after every loss, with jittered backoff; until cancelled."""
        backoff_s = self._broker.backoff_first_s
        while not self._closing:
            self._dropped.clear()
            self._answered = False
            self.attempts += 1
            self._wire = None
            try:
                await self._loop.run_in_executor(None, self._client.reconnect)
            except (OSError, ValueError) as error:
                self.problem = tls.explain(error, self._address, self._broker)
            else:
                if await self._serve():
                    backoff_s = self._broker.backoff_first_s
                elif self._answered and not self._dialect.wipes and not self.problem:
                    continue  # the session is wiped: connect for good
                else:
                    self._try_other_version()
            if self._closing:
                return
            wait_s = random.uniform(backoff_s / 2, backoff_s)
            self._report(wait_s)
            await asyncio.sleep(wait_s)
            backoff_s = min(backoff_s * 2, self._broker.backoff_last_s)

    async def close(self) -> None:
        """Say goodbye, so that the broker does not send the will."""
        self._closing = True
        if self.is_connected:
            for _ in range(int(_DRAIN_S / 0.02)):
                # With a confirmation unread, closing would reset the connection and leave the will.
                if not self._tokens or not self.is_connected:
                    break
                await asyncio.sleep(0.02)
            self._client.disconnect()
            self._write()
            try:
                await asyncio.wait_for(self._dropped.wait(), 2)
            except TimeoutError:
                log.warning("broker did not close the connection in 2 s")

    def _make_client(self) -> paho.Client:
        client = paho_client.make(
            self._broker,
            self._address,
            self._client_id,
            self._dialect.protocol,
            self._will,
            (self._broker.username, self._password),
            self._context,
            is_lasting=self._is_lasting,
            wipes=self._dialect.wipes,
        )
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._message
        client.on_socket_open = lambda c, u, wire: self._soon(self._socket_open, wire)
        client.on_socket_register_write = lambda c, u, wire: self._soon(self._write)
        return client

    async def _serve(self) -> bool:
        # Keepalives and timeouts are paho's, driven from here; data moves in the wire's callbacks.
        was_connected = False
        started_s = self._loop.time()
        while not self._dropped.is_set():
            was_connected = was_connected or self.is_connected
            self._client.loop_misc()
            now_s = self._loop.time()
            is_asking = self._broker.protocol == "auto" and self.reconnects < 0
            patience_s = min(_ASK_S, self._broker.connect_timeout_s) if is_asking else self._broker.connect_timeout_s
            if not was_connected and now_s - started_s > patience_s:
                self._give_up("accepted the connection and says nothing")
            elif self._tokens and was_connected and now_s - self._confirmed_s > _CONFIRM_S:
                # PINGs are answered and messages are not: start over, which sends them again.
                self._confirmed_s = now_s
                self._give_up(f"confirmed nothing for {_CONFIRM_S:.0f} s")
            try:
                await asyncio.wait_for(self._dropped.wait(), _MISC_S)
            except TimeoutError:
                continue
        return was_connected

    def _give_up(self, why: str) -> None:
        self.problem = f"{self._address}: the broker {why}"
        if self._wire is not None and not self._wire.is_closed:
            self._wire.abort()
            self._client.loop_read()

    def _try_other_version(self) -> None:
        was_silent = not self._answered and self._wire is not None and not self._wire.has_failed
        if not self._dialect.turn(self.problem, self.reconnects >= 0, was_silent):
            return
        self._renew_client()
        self.problem = ""
        log.info("broker %s: trying MQTT %s", self._address, self.protocol)

    def _renew_client(self) -> None:
        waiting = self._client.drop_out_messages()
        tokens, self._tokens = self._tokens, {}
        self._client = self._make_client()
        for message in waiting:
            self.publish(message.topic, message.payload, message.qos, message.retain, tokens.get(message.mid))

    def _report(self, wait_s: float) -> None:
        # The same problem again is no news.
        level = logging.WARNING if self.problem != self._reported else logging.DEBUG
        log.log(level, "broker %s; next try in %.1f s", self.problem, wait_s)
        self._reported = self.problem

    def _soon(self, call: Callable, *arguments: object) -> None:
        # paho connects in an executor's thread; the loop may only be touched from its own.
        if threading.get_ident() == self._thread:
            self._loop.call_soon(call, *arguments)
        else:
            self._loop.call_soon_threadsafe(call, *arguments)

    def _socket_open(self, wire: Wire) -> None:
        self._wire = wire
        wire.attach(self._loop, self._client.loop_read)

    def _write(self) -> None:
        self._client.loop_write()
        wire = self._wire
        if wire is not None and not wire.is_closed:
            wire.flush()

    def _connected(self, client, userdata, flags, reason, properties) -> None:
        self._answered = True
        if reason.is_failure:
            self.problem = f"{self._address}: the broker refuses us: {reason}{_mend(str(reason), self._broker)}"
            return
        self.problem = ""
        if self._dialect.wipes:
            self._dialect.wipes = False
            self._loop.call_soon(self._end_wiping)
            return
        self.is_connected = True
        self._reported = ""
        self.reconnects += 1
        allowed = getattr(properties, "ReceiveMaximum", 65535) if properties is not None else 65535
        self._limit = min(self._broker.in_flight, allowed)
        self._confirmed_s = self._loop.time()
        log.info("connected to broker %s, MQTT %s", self._address, self.protocol)
        if self._subscriptions:
            client.subscribe([(topic, 1) for topic in self._subscriptions])
        # Not from here: paho sends what was in flight again when this returns, and that comes first.
        self._loop.call_soon(self._events.on_connected)

    def _end_wiping(self) -> None:
        # The client goes first: what paho reports while this one leaves is the end that was wanted, no problem.
        wiped = self._client
        self._renew_client()
        wiped.disconnect()
        wiped.loop_write()
        if self._wire is not None and not self._wire.is_closed:
            self._wire.flush()

    def _disconnected(self, client, userdata, flags, reason, properties) -> None:
        if client is not self._client:
            self._dropped.set()
            return  # the one that wiped
        wire = self._wire
        if wire is not None and wire.error is not None and not self.problem:
            self.problem = tls.explain(wire.error, self._address, self._broker)
        if not self.problem:
            # What paho calls unspecified is that the other end has closed.
            why = f": {reason}" if flags.is_disconnect_packet_from_server else ""
            self.problem = f"{self._address}: the broker closed the connection{why}"
        if self.is_connected and not self._closing:
            log.warning("broker connection lost: %s", self.problem)
            self._reported = self.problem
        if self.is_connected:
            self.is_connected = False
            self._events.on_disconnected()
        self._dropped.set()

    def _published(self, client, userdata, mid, reason, properties) -> None:
        token = self._tokens.pop(mid, None)
        self._confirmed_s = self._loop.time()
        if reason.is_failure:
            self.refused += 1
            log.warning("broker %s refused a message: %s", self._address, reason)
        if token is not None:
            if reason.is_failure:
                token.refused(str(reason))
            else:
                token.confirmed()
        self._events.on_room()

    def _message(self, client, userdata, message) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._events.on_message(topic, message.payload, message.mid)


def _mend(reason: str, broker: BrokerSection) -> str:
    if "ot authorized" in reason or "ad user name" in reason:
        if not broker.username and not broker.certificate_file:
            return "; it takes no strangers: set broker.username, or a certificate"
        return "; check broker.username and its password, and the broker's ACL"
    if "identifier" in reason.lower():
        return "; choose another broker.client_id"
    return ""
