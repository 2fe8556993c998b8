"""The MQTT shell: paho's client on the event loop, reconnecting for ever; publishes and says when the broker has it.

It knows no device and no record. Everything here runs on one event loop: paho's own thread is not used, so that an
acknowledgement needs no hop between threads.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import paho.mqtt.client as paho

from kittiwake.errors import UsageError

log = logging.getLogger(__name__)

BACKOFF_FIRST_S = 0.5
BACKOFF_LAST_S = 30.0
CONNECT_TIMEOUT_S = 10.0
KEEPALIVE_S = 30
_MISC_S = 0.5


def parse_url(url: str) -> tuple[str, int]:
    """Host and port of `mqtt://host[:port]`.

    Raises:
        UsageError: it is not of that form.
    """
    parts = urlsplit(url if "//" in url else f"mqtt://{url}")
    try:
        host, port = parts.hostname, parts.port or 1883
    except ValueError:
        host, port = None, 0
    if parts.scheme != "mqtt" or not host:
        raise UsageError(f"broker {url!r} is not an MQTT address", "give it as mqtt://host:1883")
    return host, port


class MqttClient:
    """A client that stays connected.

    QoS 1 and 2 messages that were handed over while the broker was away, or that it had not confirmed, are kept by paho
    and sent again after the reconnect; what bounds them is the caller's window.

    Args:
        url: `mqtt://host:port`.
        client_id: the same over restarts, so that the broker knows the session.
        will: (topic, payload) left with the broker, retained, QoS 1.
        on_connected: called after every successful connect.
        on_published: called with the id that `publish` returned, once the broker confirmed it.
        clean: no session kept at the broker.

    Attributes:
        is_connected: the broker has accepted us.
        reconnects: connections made after the first.
        problem: why the last attempt failed, or "".
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        will: tuple[str, bytes] | None = None,
        on_connected: Callable[[], None] = lambda: None,
        on_published: Callable[[int], None] = lambda mid: None,
        clean: bool = False,
    ):
        self._host, self._port = parse_url(url)
        self._on_connected = on_connected
        self._on_published = on_published
        self.is_connected = False
        self.reconnects = -1
        self.problem = ""
        self._dropped = asyncio.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        client.max_inflight_messages_set(1000)
        client.connect_timeout = CONNECT_TIMEOUT_S
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_socket_open = lambda c, u, s: self._soon(self._socket_open, s)
        client.on_socket_close = lambda c, u, s: self._socket_close(s)
        client.on_socket_register_write = lambda c, u, s: self._soon(self._register_write, s)
        client.on_socket_unregister_write = lambda c, u, s: self._loop.remove_writer(s)
        client.connect_async(self._host, self._port, KEEPALIVE_S)  # names the broker; `run` connects
        self._client = client

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool = False) -> int:
        """Hand a message over. Returns the id that `on_published` will be called with (at once for QoS 0)."""
        return self._client.publish(topic, payload, qos, retain).mid

    async def run(self) -> None:
        """Connect, stay connected, connect again after every loss, with jittered backoff; until cancelled."""
        backoff_s = BACKOFF_FIRST_S
        while not self._closing:
            self._dropped.clear()
            try:
                await self._loop.run_in_executor(None, self._client.reconnect)
            except (OSError, ValueError) as error:
                self.problem = f"{self._host}:{self._port}: {error}"
                log.warning("broker %s; next try within %.0f s", self.problem, backoff_s)
            else:
                if await self._serve():
                    backoff_s = BACKOFF_FIRST_S
            if self._closing:
                return
            await asyncio.sleep(random.uniform(backoff_s / 2, backoff_s))
            backoff_s = min(backoff_s * 2, BACKOFF_LAST_S)

    async def close(self) -> None:
        """Say goodbye, so that the broker does not send the will."""
        self._closing = True
        if self.is_connected:
            self._client.disconnect()
            try:
                await asyncio.wait_for(self._dropped.wait(), 2)
            except TimeoutError:
                log.warning("broker did not close the connection in 2 s")

    async def _serve(self) -> bool:
        # Keepalives and timeouts are paho's, driven from here; data moves in the reader callback.
        was_connected = False
        while not self._dropped.is_set():
            was_connected = was_connected or self.is_connected
            self._client.loop_misc()
            try:
                await asyncio.wait_for(self._dropped.wait(), _MISC_S)
            except TimeoutError:
                continue
        return was_connected

    def _soon(self, call, sock):
        # paho opens the socket in the executor's thread; the loop may only be touched from its own.
        self._loop.call_soon_threadsafe(call, sock)

    def _socket_open(self, sock):
        if sock.fileno() < 0:
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(sock, self._client.loop_read)
        if self._client.want_write():
            self._register_write(sock)

    def _register_write(self, sock):
        if sock.fileno() >= 0:
            self._loop.add_writer(sock, self._client.loop_write)

    def _socket_close(self, sock):
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    def _connected(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            self.problem = f"{self._host}:{self._port}: {reason}"
            log.error("broker refused the connection: %s", self.problem)
            return
        self.is_connected = True
        self.problem = ""
        self.reconnects += 1
        log.info("connected to broker %s:%d", self._host, self._port)
        self._on_connected()

    def _disconnected(self, client, userdata, flags, reason, properties):
        if self.is_connected and not self._closing:
            log.warning("broker %s:%d: connection lost (%s)", self._host, self._port, reason)
        self.is_connected = False
        self._dropped.set()

    def _published(self, client, userdata, mid, reason, properties):
        self._on_published(mid)
