"""paho's client on an event loop: its socket behind a SocketBuffer, its session as the role demands.

It knows no subscription and no message.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kittiwake.mqtt import tls
from kittiwake.mqtt.address import parse_url
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.mqtt.socket_buffer import SocketBuffer


class ClientFactory:
    """Makes clients of one role at one broker. Use it on a running event loop.

    Args:
        broker: the settings.
        client_id: names the session at the broker.
        will: (topic, payload) left with the broker, retained, QoS 1; None for none.
        is_lasting: the session outlives the process; else it begins afresh with the first connection.

    Attributes:
        address: of the broker.

    Raises:
        ConfigError: a file that the settings name cannot be used.
    """

    def __init__(self, broker: BrokerSection, client_id: str, will: tuple[str, bytes] | None, is_lasting: bool):
        self._broker, self._client_id, self._will, self._is_lasting = broker, client_id, will, is_lasting
        self.address = parse_url(broker.url)
        self._context = tls.context(broker) if self.address.is_tls else None
        self._password = broker.password.get_secret_value()
        if broker.password_file:
            self._password = tls.read_secret(broker.password_file, "broker.password_file")

    def read_certificates(self) -> None:
        """Read the certificates' files again, for connections made from now on.

        Raises:
            ConfigError: one cannot be used; those before it are read.
        """
        if self._context is not None:
            tls.read_certificates(self._context, self._broker)

    def make(self, protocol: MQTTProtocolVersion, wipes: bool) -> LoopClient:
        """Make a client that has not connected.

        Args:
            protocol: MQTTv311 or MQTTv5.
            wipes: with MQTT 3.1.1, the session is wiped by connecting.

        Returns:
            The client; its callbacks are the caller's to set.
        """
        broker, address = self._broker, self.address
        is_v5 = protocol == MQTTProtocolVersion.MQTTv5
        client = LoopClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if is_v5 else wipes,
            protocol=protocol,
            transport="tcp" if address.path is None else "websockets",
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_inflight_messages_set(0)  # bounded by the caller
        client.connect_timeout = broker.connect_timeout_s
        if self._context is not None:
            client.tls_set_context(self._context)
        if address.path is not None:
            client.ws_set_options(address.path)
        if broker.username:
            client.username_pw_set(broker.username, self._password or None)
        if self._will is not None:
            client.will_set(*self._will, qos=1, retain=True)
        if is_v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it without types
            properties.SessionExpiryInterval = broker.session_expiry_s
            client.connect_async(
                address.host,
                address.port,
                broker.keepalive_s,
                clean_start=False if self._is_lasting else paho.MQTT_CLEAN_START_FIRST_ONLY,
                properties=properties,
            )
        else:
            client.connect_async(address.host, address.port, broker.keepalive_s)
        return client


class LoopClient(paho.Client):
    """paho's client with its socket behind a SocketBuffer, which the running event loop serves. See `ClientFactory`."""

    _buffer: SocketBuffer | None = None

    async def open(self) -> None:
        """Connect, on another thread.

        Raises:
            OSError: nothing answers, or TLS fails.
            ValueError: the address cannot be.
        """
        loop, here = asyncio.get_running_loop(), threading.get_ident()

        def soon(call: Callable[[], object]) -> None:
            # paho connects on the executor's thread; the loop may only be touched from its own.
            (loop.call_soon if threading.get_ident() == here else loop.call_soon_threadsafe)(call)

        self._buffer = None
        self.on_socket_open = lambda client, userdata, sock: soon(lambda: self._attach(loop, sock))
        self.on_socket_register_write = lambda client, userdata, sock: soon(self.flush)
        await loop.run_in_executor(None, self.reconnect)

    @property
    def error(self) -> OSError | None:
        """What ended the newest connection, None where nothing did."""
        return None if self._buffer is None else self._buffer.error

    @property
    def is_silent(self) -> bool:
        """Whether a connection was made, and neither the system nor the TLS layer reported an error since."""
        return self._buffer is not None and not self._buffer.has_failed

    def flush(self) -> None:
        """Write what paho has to send."""
        self.loop_write()
        if self._buffer is not None and not self._buffer.is_closed:
            self._buffer.flush()

    def abort(self) -> None:
        """Give the connection up; `on_disconnect` follows at once."""
        if self._buffer is not None and not self._buffer.is_closed:
            self._buffer.abort()
            self.loop_read()

    def _attach(self, loop: asyncio.AbstractEventLoop, sock: object) -> None:
        if isinstance(sock, SocketBuffer):
            self._buffer = sock
            sock.attach(loop, self.loop_read)

    def _create_socket(self) -> SocketBuffer:
        sock = super()._create_socket()
        under = getattr(sock, "_socket", sock)  # of a websocket, the socket that it speaks over
        if isinstance(under, socket.socket) and under.family in (socket.AF_INET, socket.AF_INET6):
            under.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SocketBuffer(sock)
