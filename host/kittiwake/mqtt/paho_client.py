"""paho's client as the bridge wants it: its socket behind a Wire, its session as the role demands. It opens nothing."""

from __future__ import annotations

import socket
import ssl

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from kittiwake.mqtt.address import Address
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.mqtt.socket_buffer import Wire


def make(
    broker: BrokerSection,
    address: Address,
    client_id: str,
    protocol: int,
    will: tuple[str, bytes] | None,
    login: tuple[str, str],
    context: ssl.SSLContext | None,
    is_lasting: bool,
    wipes: bool,
) -> paho.Client:
    """Make a client that has not connected.

    Args:
        broker: the settings.
        address: of the broker.
        client_id: names the session at the broker.
        protocol: paho.MQTTv311 or paho.MQTTv5.
        will: (topic, payload) left with the broker, retained, QoS 1; None for none.
        login: user name, "" for none, and password.
        context: for TLS, None without.
        is_lasting: the session outlives the process; else MQTT 5 begins afresh with the first connection.
        wipes: with MQTT 3.1.1, the session is wiped by connecting.
    """
    is_v5 = protocol == paho.MQTTv5
    client = _Client(
        paho.CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if is_v5 else wipes,
        protocol=protocol,
        transport="tcp" if address.path is None else "websockets",
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.max_inflight_messages_set(0)  # bounded by the caller
    client.connect_timeout = broker.connect_timeout_s
    if context is not None:
        client.tls_set_context(context)
    if address.path is not None:
        client.ws_set_options(address.path)
    if login[0]:
        client.username_pw_set(login[0], login[1] or None)
    if will is not None:
        client.will_set(will[0], will[1], qos=1, retain=True)
    options = {}
    if is_v5:
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = broker.session_expiry_s
        first = False if is_lasting else paho.MQTT_CLEAN_START_FIRST_ONLY
        options = {"clean_start": first, "properties": properties}
    client.connect_async(address.host, address.port, broker.keepalive_s, **options)
    return client


class _Client(paho.Client):
    """paho's client with its socket behind a Wire."""

    def _create_socket(self):
        sock = super()._create_socket()
        raw = getattr(sock, "_socket", sock)
        if raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Wire(sock)
