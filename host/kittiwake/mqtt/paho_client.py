"""paho's client on an event loop: its socket behind a SocketBuffer, its session as the role demands.

It knows no subscription and no message.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Mapping

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kittiwake.mqtt import handshake, problems
from kittiwake.mqtt.address import Address, parse_url
from kittiwake.mqtt.callbacks import Receipt
from kittiwake.mqtt.credentials import Credentials
from kittiwake.mqtt.in_flight import Message
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.mqtt.socket_buffer import SocketBuffer


class ClientFactory:
    """Makes clients of one role at one broker. Use it on a running event loop.

    Args:
        broker: the settings.
        client_id: names the session at the broker.
        will: (topic, payload) left with the broker, retained, QoS 1; None for none.
        is_lasting: the session outlives the process; else it begins afresh with the first connection.
        credentials: what every connection is made with, as it is then.
        receive_limit: messages that the broker may send before the first is acknowledged (MQTT 5); None for its own.

    Attributes:
        address: of the broker.
    """

    def __init__(
        self,
        broker: BrokerSection,
        client_id: str,
        will: tuple[str, bytes] | None,
        is_lasting: bool,
        credentials: Credentials,
        receive_limit: int | None = None,
    ):
        self._receive_limit = receive_limit
        self._broker, self._client_id, self._will, self._is_lasting = broker, client_id, will, is_lasting
        self.address = parse_url(broker.url)
        self._credentials = credentials

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
            # A session that nobody takes up again would gather messages at the broker; MQTT 3.1.1 knows no expiry.
            clean_session=None if is_v5 else wipes or (broker.session_expiry_s == 0 and not self._is_lasting),
            protocol=protocol,
            transport="tcp" if address.path is None else "websockets",
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.max_inflight_messages_set(0)  # bounded by the caller
        client.connect_timeout = broker.connect_timeout_s
        client.use(address, self._credentials)
        if address.path is not None:
            client.ws_set_options(address.path)
        if self._will is not None:
            client.will_set(*self._will, qos=1, retain=True)
        if is_v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it without types
            properties.SessionExpiryInterval = broker.session_expiry_s
            if self._receive_limit is not None:
                properties.ReceiveMaximum = self._receive_limit
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
    _untrusted = False  # one end does not accept the other's certificate

    def use(self, address: Address, credentials: Credentials) -> None:
        """Say where the broker is, and what connections to it are made with; before the first of them.

        Args:
            address: of the broker.
            credentials: taken as they are when a connection is made.
        """
        self._address, self._credentials = address, credentials
        if credentials.context is not None:
            self.tls_set_context(credentials.context)

    async def open(self) -> str:
        """Connect, on another thread.

        Returns:
            Why it could not, in one line with the mend, or "".
        """
        loop, here = asyncio.get_running_loop(), threading.get_ident()

        def soon(call: Callable[[], object]) -> None:
            # paho connects on the executor's thread; the loop may only be touched from its own.
            (loop.call_soon if threading.get_ident() == here else loop.call_soon_threadsafe)(call)

        self._buffer = None
        self.on_socket_open = lambda client, userdata, sock: soon(lambda: self._attach(loop, sock))
        self.on_socket_register_write = lambda client, userdata, sock: soon(self.flush)
        broker = self._credentials.broker
        if broker.username:
            self.username_pw_set(broker.username, self._credentials.password or None)
        return await loop.run_in_executor(None, self._try)

    def leave(self) -> None:
        """Say goodbye, and send it."""
        self.disconnect()
        self.flush()

    def explain(self, what: str) -> str:
        """Say in one line why the newest connection ended, and the mend.

        Args:
            what: the broker did, where neither the system nor the TLS layer said anything.
        """
        if self.error is None:
            return problems.explain_end(self._address, self._credentials, what)
        return problems.explain_error(self.error, self._address, self._credentials, {})

    @property
    def error(self) -> OSError | None:
        """What ended the newest connection, None where nothing did."""
        return None if self._buffer is None else self._buffer.error

    @property
    def event(self) -> str:
        """What it is called that the newest connection failed."""
        is_of_error = self.error is not None and problems.is_of_certificates(self.error)
        return "certificate.untrusted" if self._untrusted or is_of_error else "broker.away"

    @property
    def is_silent(self) -> bool:
        """Whether a connection was made, and neither the system nor the TLS layer reported an error since."""
        return self._buffer is not None and not self._buffer.has_failed

    def send(self, message: Message) -> int:
        """Hand a message to paho.

        Args:
            message: at QoS 1 or 2.

        Returns:
            Its id, by which its confirmation is known.
        """
        # An old message may still have the next id: ids are 16 bits and come round.
        while True:
            info = self.publish(message.topic, message.payload, message.qos, message.retain)
            if info.rc != paho.MQTT_ERR_QUEUE_SIZE:
                return info.mid

    def take_unconfirmed(self, receipts: Mapping[int, Receipt | None]) -> list[Message]:
        """Take what was sent and not confirmed; paho has it no longer.

        Args:
            receipts: by message id.

        Returns:
            The messages, in their order.
        """
        return [
            Message(m.topic, bytes(m.payload), m.qos, m.retain, receipts.get(m.mid)) for m in self.drop_out_messages()
        ]

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

    def _try(self) -> str:
        self._untrusted = False
        try:
            self.reconnect()
        except (OSError, ValueError) as error:
            self._untrusted = problems.is_of_certificates(error)
            certificate = handshake.refused_certificate(error, self._address, self._credentials)
            handshake.learn(certificate, self._credentials)
            return problems.explain_error(error, self._address, self._credentials, certificate)
        return ""

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        # paho's own keeps the context that it was given first.
        credentials = self._credentials
        if credentials.context is None:
            raise RuntimeError("a TLS connection without a context")
        sock = handshake.shake_hands(tcp_sock, self._address.host, credentials.context, self.connect_timeout)
        handshake.learn(sock.getpeercert() or {}, credentials)
        return sock

    def _create_socket(self) -> SocketBuffer:
        sock = super()._create_socket()
        under = getattr(sock, "_socket", sock)  # of a websocket, the socket that it speaks over
        if isinstance(under, socket.socket) and under.family in (socket.AF_INET, socket.AF_INET6):
            under.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SocketBuffer(sock)
