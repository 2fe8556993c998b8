"""Samples sent to a running node through its bridge: command `stimulus` over the broker, paced by the answers.

For boards that have no sensor and no file: a channel with a source of kind "link" takes them. `Injector` is sans-I/O
and knows requests and answers; `Wire` is the broker. Nothing here knows what detects in the samples.
"""

from __future__ import annotations

import json
import queue
import secrets
import socket
import time
from array import array
from collections.abc import Callable

from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.mqtt.address import parse_url

PIECE_SAMPLES = 256  # what the bridge takes in one request
_FULL_WAIT_S = 0.02
_ANSWER_LIMIT_S = 60.0  # a bridge answers for a silent device before that
_REPEAT_S = 1.0  # a request that no bridge was there to hear is not kept for it


class Injector:
    """Feeds one channel: each piece is sent when the one before was answered.

    The node says which sample it wants next, counted from its boot: what it did not take goes again, and after a reboot
    the samples begin anew.

    Args:
        samples: array('h').
        channel: number of the channel.

    Attributes:
        taken: samples that the node has taken since its boot.
        is_full: the node had no room left.
    """

    def __init__(self, samples: array, channel: int = 0):
        self._samples = samples
        self._channel = channel
        self._room = PIECE_SAMPLES
        self._token = secrets.token_hex(4)
        self._count = 0
        self.taken = 0
        self.is_full = False

    @property
    def is_done(self) -> bool:
        """Whether the node has taken every sample."""
        return self.taken >= len(self._samples)

    def next_request(self) -> dict:
        """Form the next request, with an id that no other has; only while not `is_done`."""
        self._count += 1
        count = max(1, min(PIECE_SAMPLES, self._room))  # one sample asks as well as none would
        piece = self._samples[self.taken : self.taken + count]
        return {
            "id": f"inject-{self._token}-{self._count}",
            "op": "stimulus",
            "channel": self._channel,
            "start": self.taken,
            "samples": piece.tolist(),
        }

    def take(self, answer: dict) -> None:
        """Take the answer to the newest request.

        Raises:
            TargetError: the device refuses, or the bridge does not reach it.
        """
        result = answer.get("result") or {}
        if answer.get("status") != "ok" or result.get("next") is None:
            why = answer.get("error") or answer.get("status")
            raise TargetError(f"the node takes no samples: {why}", 'give its channel a source of kind "link"')
        self.taken, self._room = result["next"], result["room"]
        self.is_full = self._room == 0


class Wire:
    """Requests to one device, through a broker; as a context manager it is connected inside.

    Args:
        broker_url: mqtt://host:port.
        device: its id.
        base: first level of every topic.

    Raises:
        KittiwakeError: nothing answers there.
    """

    def __init__(self, broker_url: str, device: str, base: str = "kittiwake"):
        import paho.mqtt.client as paho

        self._topic = f"{base}/{device}"
        self._answers: queue.SimpleQueue[dict] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = lambda client, *_: client.subscribe(f"{self._topic}/resp", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.put(True)
        self._client.on_message = lambda client, userdata, message: self._take(message.payload)
        address = parse_url(broker_url)
        try:
            self._client.connect(address.host, address.port)
        except OSError as error:
            raise KittiwakeError(f"nothing answers at {broker_url}: {error}", "start the broker") from error

    def ask(self, request: dict) -> dict:
        """Send a request and wait for its answer; a request that was lost is sent again, and carried out once.

        Raises:
            TargetError: no answer came: no bridge serves the device.
        """
        text = json.dumps(request)
        deadline = time.monotonic() + _ANSWER_LIMIT_S
        while time.monotonic() < deadline:
            self._client.publish(f"{self._topic}/cmd", text, qos=1)
            repeat_s = time.monotonic() + _REPEAT_S
            while (left_s := repeat_s - time.monotonic()) > 0:
                try:
                    answer = self._answers.get(timeout=left_s)
                except queue.Empty:
                    break
                if answer.get("id") == request["id"]:
                    return answer
        raise TargetError(f"no bridge answers for {self._topic}", "start `kittiwake bridge` on its port")

    def _take(self, payload: bytes) -> None:
        try:
            answer = json.loads(payload)
        except ValueError:
            return  # not a bridge's
        if isinstance(answer, dict):
            self._answers.put(answer)

    def __enter__(self) -> Wire:
        self._client.loop_start()
        try:
            self._ready.get(timeout=_ANSWER_LIMIT_S)
        except queue.Empty:
            raise KittiwakeError("the broker does not let us subscribe", "its ACL should allow the answers") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _send_at_once(_client: object, _userdata: object, connection: socket.socket) -> None:
    # Nagle's algorithm would hold each request back until the acknowledgement of the last answer's: 40 ms a piece.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def feed(wire: Wire, injector: Injector, on_progress: Callable[[int], None] = lambda taken: None) -> None:
    """Send samples until the node has taken them all.

    Args:
        wire: connected.
        injector: what to send.
        on_progress: called with the number of samples taken.

    Raises:
        TargetError: see `Injector.take` and `Wire.ask`.
    """
    while not injector.is_done:
        injector.take(wire.ask(injector.next_request()))
        on_progress(injector.taken)
        if injector.is_full:
            time.sleep(_FULL_WAIT_S)
