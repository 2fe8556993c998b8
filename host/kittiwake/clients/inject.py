"""Samples sent to a running node through its bridge: command `stimulus` over the broker, paced by the responses.

For boards that have no sensor and no file: a channel with a source of kind "link" takes them. `StimulusSender` is
sans-I/O and knows commands and responses; `CommandClient` is the broker. Nothing here knows what detects in them.
"""

from __future__ import annotations

import json
import queue
import secrets
import socket
import time
from array import array
from collections.abc import Callable, Mapping
from typing import Any

from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.mqtt.address import parse_url

PIECE_SAMPLES = 256  # what the bridge takes in one command
_FULL_WAIT_S = 0.02
_RESPONSE_LIMIT_S = 60.0  # a bridge responds for a silent device before that
_REPEAT_S = 1.0  # a command that no bridge was there to hear is not kept for it


class StimulusSender:
    """Feeds one channel: each piece is sent when the one before has its response.

    The node says which sample it wants next, counted from its boot: what it did not take goes again, and after a reboot
    the samples begin anew.

    Args:
        samples: array('h').
        channel: number of the channel.

    Attributes:
        taken: samples that the node has taken since its boot.
        is_full: the node had no room left.
    """

    def __init__(self, samples: array[int], channel: int = 0):
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

    def next_command(self) -> dict[str, object]:
        """Form the next command, with an id that no other has; only while not `is_done`."""
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

    def take(self, response: Mapping[str, Any]) -> None:
        """Take the response to the newest command.

        Args:
            response: its fields.

        Raises:
            TargetError: the device refuses, or the bridge does not reach it.
        """
        result = response.get("result") or {}
        if response.get("status") != "ok" or result.get("next") is None:
            why = response.get("error") or response.get("status")
            raise TargetError(f"the node takes no samples: {why}", 'give its channel a source of kind "link"')
        self.taken, self._room = result["next"], result["room"]
        self.is_full = self._room == 0


class CommandClient:
    """Commands to one device, through a broker; as a context manager it is connected inside.

    Args:
        broker_url: mqtt://host:port.
        device: its id.
        base: first level of every topic.

    Raises:
        KittiwakeError: nothing answers there.
    """

    def __init__(self, broker_url: str, device: str, base: str = "kittiwake"):
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        self._topic = f"{base}/{device}"
        self._responses: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_socket_open = _send_at_once
        self._client.on_connect = lambda client, *_: client.subscribe(f"{self._topic}/resp", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.put(True)
        self._client.on_message = lambda client, userdata, message: self._take(bytes(message.payload))
        address = parse_url(broker_url)
        try:
            self._client.connect(address.host, address.port)
        except OSError as error:
            raise KittiwakeError(f"nothing answers at {broker_url}: {error}", "start the broker") from error

    def ask(self, command: Mapping[str, object]) -> dict[str, Any]:
        """Send a command and wait for its response; one that was lost is sent again, and carried out once.

        Args:
            command: with an id that no other has.

        Returns:
            The response's fields.

        Raises:
            TargetError: no response came: no bridge serves the device.
        """
        text = json.dumps(command)
        deadline = time.monotonic() + _RESPONSE_LIMIT_S
        while time.monotonic() < deadline:
            self._client.publish(f"{self._topic}/cmd", text, qos=1)
            repeat_s = time.monotonic() + _REPEAT_S
            while (left_s := repeat_s - time.monotonic()) > 0:
                try:
                    response = self._responses.get(timeout=left_s)
                except queue.Empty:
                    break
                if response.get("id") == command["id"]:
                    return response
        raise TargetError(f"no bridge answers for {self._topic}", "start `kittiwake bridge` on its port")

    def _take(self, payload: bytes) -> None:
        try:
            response = json.loads(payload)
        except ValueError:
            return  # not a bridge's
        if isinstance(response, dict):
            self._responses.put(response)

    def __enter__(self) -> CommandClient:
        self._client.loop_start()
        try:
            self._ready.get(timeout=_RESPONSE_LIMIT_S)
        except queue.Empty:
            raise KittiwakeError("the broker does not let us subscribe", "its ACL should allow the answers") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _send_at_once(_client: object, _userdata: object, connection: object) -> None:
    # Nagle's algorithm would hold each command back until the acknowledgement of the last response's: 40 ms a piece.
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def send_all(
    client: CommandClient, stimulus: StimulusSender, on_progress: Callable[[int], None] = lambda taken: None
) -> None:
    """Send samples until the node has taken them all.

    Args:
        client: connected.
        stimulus: what to send.
        on_progress: called with the number of samples taken.

    Raises:
        TargetError: see `StimulusSender.take` and `CommandClient.ask`.
    """
    while not stimulus.is_done:
        stimulus.take(client.ask(stimulus.next_command()))
        on_progress(stimulus.taken)
        if stimulus.is_full:
            time.sleep(_FULL_WAIT_S)
