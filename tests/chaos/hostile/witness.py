"""What arrives at a subscriber of everything, judged as it comes: whose topic, whose content, which order, how late.

It shares no code with the bridge but paho: what it holds the messages against is the victim's own journal.
"""

import json
import socket
import threading
import time
from collections import Counter

import paho.mqtt.client as paho

from tests.support.waiting import until

BRIDGE_TOPICS = {"status", "devices", "cmd", "resp"}
SENDERS_KINDS = {"cmd", "status"}  # what attackers publish themselves
FINDINGS_KEPT = 20


class Witness:
    """A subscriber for as long as the context lasts.

    Args:
        port: of the broker.
        victims: names of devices that are well-behaved.

    Attributes:
        findings: what must not be, in words, the first of them only.
        arrived: victim -> how many of its records are here, in order from 0 on.
        latencies_ms: of the victims' records whose text is a time, in their order.
        kinds: how many messages of each kind came from others.
    """

    def __init__(self, port, victims):
        self.findings = []
        self.arrived = dict.fromkeys(victims, 0)
        self.latencies_ms = []
        self.kinds = Counter()
        self.discovery = {}
        self.responses = {}
        self.statuses = {}
        self._first = {victim: {} for victim in victims}
        self._port = port
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="witness")
        self._client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        # Without it its confirmations wait for the broker's, up to 40 ms, and that would count as the bridge's time.
        self._client.on_socket_open = lambda client, _, sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        assert self._subscribed.wait(20)
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()

    def find(self, text):
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append(text)

    def publish(self, topic, payload):
        self._client.publish(topic, payload, 1)

    def _take(self, client, userdata, message):
        now_ns = time.monotonic_ns()
        levels = message.topic.split("/")
        if levels[0] == "homeassistant":
            self._discovered(levels, message.payload)
        elif levels[0] != "kittiwake" or len(levels) < 3:
            self.find(f"a topic of nobody's: {message.topic!r}")
        elif levels[1] == "bridge":
            if len(levels) != 3 or levels[2] not in BRIDGE_TOPICS:
                self.find(f"a topic that the bridge has not: {message.topic!r}")
        elif levels[2] == "status":
            self.statuses[levels[1]] = message.payload
        elif levels[2] != "cmd":
            self._published(levels[1], levels[2], message, now_ns)

    def _published(self, device, kind, message, now_ns):
        if device not in self.arrived and not device.startswith("evil"):
            self.find(f"a device that there is not: {message.topic!r}")
            return
        try:
            body = json.loads(message.payload, parse_constant=_refuse)
            json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            self.find(f"{message.topic!r} carries what is no JSON: {error}")
            return
        if body.get("device") != device:
            self.find(f"{message.topic!r} speaks of {body.get('device')!r}")
        elif kind == "resp":
            self.responses[device, body["id"]] = body
        elif device in self.arrived:
            self._of_victim(device, body, message, now_ns)
        else:
            self.kinds[kind] += 1

    def _of_victim(self, device, body, message, now_ns):
        seq, first, mark = body["seq"], self._first[device], hash((message.topic, message.payload))
        if seq in first:
            if first[seq] != mark:
                self.find(f"record {seq} of {device} comes twice, and differs")
            return
        if seq != self.arrived[device]:
            self.find(f"record {seq} of {device} comes where {self.arrived[device]} is due")
        first[seq] = mark
        self.arrived[device] = seq + 1
        if str(body.get("text", "")).isdigit():
            self.latencies_ms.append((now_ns - int(body["text"])) / 1e6)

    def _discovered(self, levels, payload):
        if levels == ["homeassistant", "status"]:
            return
        name = levels[2] if len(levels) == 4 and levels[1::2] == ["device", "config"] else ""
        if name not in self.arrived and not name.startswith("evil"):
            self.find(f"discovery for nobody: {'/'.join(levels)!r}")
        elif self.discovery.setdefault(name, payload) != payload and name in self.arrived:
            self.find(f"discovery of {name} has changed")
        self.discovery[name] = payload


def retained(port, quiet_s=0.5):
    """Topics that the broker keeps a message of, with that message.

    Args:
        port: of the broker.
        quiet_s: when so long nothing more has come, that was all.
    """
    kept, heard = {}, [time.monotonic()]

    def take(client, userdata, message):
        heard[0] = time.monotonic()
        if message.retain:
            kept[message.topic] = message.payload

    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("#", 1)
    client.on_message = take
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        until(lambda: kept and time.monotonic() - heard[0] >= quiet_s, "all that the broker keeps", 60)
    finally:
        client.disconnect()
        client.loop_stop()
    return kept


def _refuse(constant):
    raise ValueError(f"{constant} is no JSON")
