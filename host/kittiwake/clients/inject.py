"""Samples sent to a running node through its bridge: command `stimulus` over the broker, paced by the responses.

For boards that have no sensor and no file: a channel with a source of kind "link" takes them. `StimulusSender` is
sans-I/O and knows commands and responses; `CommandClient` is the broker. Nothing here knows what detects in them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import secrets
import threading
import time
from array import array
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.credentials import Credentials
from kittiwake.mqtt.settings import BrokerSection

PIECE_SAMPLES = 256  # what the bridge takes in one command
_FULL_WAIT_S = 0.02
_RESPONSE_LIMIT_S = 60.0  # a bridge responds for a silent device before that
_POLL_S = 0.1
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
        result = response.get("result")
        numbers = [result.get(name) for name in ("next", "room")] if isinstance(result, dict) else []
        if response.get("status") != "ok" or set(map(type, numbers)) != {int}:
            why = response.get("error") or response.get("status")
            raise TargetError(f"the node takes no samples: {why}", 'give its channel a source of kind "link"')
        self.taken, self._room = (int(number) for number in numbers if number is not None)
        self.is_full = self._room == 0


class CommandClient:
    """Commands to one device, through a broker; as a context manager it is connected inside.

    The broker's client runs on an event loop in a thread of its own.

    Args:
        broker: its settings, or its address, mqtt://host:port.
        device: its id.
        base: first levels of every topic.

    Raises:
        ConfigError: a file that the settings name cannot be used.
    """

    def __init__(self, broker: BrokerSection | str, device: str, base: str = "kittiwake"):
        self._broker = BrokerSection(url=broker, session_expiry_s=0) if isinstance(broker, str) else broker
        self._topic = f"{base}/{device}"
        self._responses: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._refusals: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._subscribed: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        self._credentials = Credentials(self._broker)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)

    def ask(self, command: Mapping[str, object]) -> dict[str, Any]:
        """Send a command and wait for its response; one that was lost is sent again, and carried out once.

        Args:
            command: with an id that no other has.

        Returns:
            The response's fields.

        Raises:
            TargetError: no response came: no bridge serves the device, or the broker does not let us command it.
        """
        text = json.dumps(command).encode()
        deadline = time.monotonic() + _RESPONSE_LIMIT_S
        while time.monotonic() < deadline:
            self._loop.call_soon_threadsafe(self._publish, text)
            repeat_s = time.monotonic() + _REPEAT_S
            while (left_s := repeat_s - time.monotonic()) > 0:
                try:
                    response = self._responses.get(timeout=left_s)
                except queue.Empty:
                    break
                if response.get("id") == command["id"]:
                    return response
            if not self._refusals.empty():
                raise TargetError(
                    f"the broker refuses commands on {self._topic}/cmd: {self._refusals.get()}",
                    "its ACL has to let this user write there",
                )
        raise TargetError(
            f"no bridge answers for {self._topic}",
            f"start `kittiwake bridge` on its port; the broker's ACL has to let this user read {self._topic}/resp",
        )

    def confirmed(self) -> None:
        """The broker has a command."""

    def refused(self, reason: str) -> None:
        """The broker does not take a command.

        Args:
            reason: in its words.
        """
        self._refusals.put(reason)

    def _publish(self, text: bytes) -> None:
        self._client.publish(f"{self._topic}/cmd", text, 1, receipt=self)

    def _take(self, topic: str, payload: bytes, handle: int) -> None:
        self._client.acknowledge(handle)
        try:
            response = json.loads(payload)
        except (ValueError, RecursionError):
            return  # not a bridge's
        if isinstance(response, dict):
            self._responses.put(response)

    async def _connect(self) -> None:
        callbacks = Callbacks(on_message=self._take, on_subscribed=self._subscribed.put)
        self._client = MqttClient(
            self._broker,
            f"kittiwake-inject-{secrets.token_hex(4)}",
            subscriptions=(f"{self._topic}/resp",),
            callbacks=callbacks,
            credentials=self._credentials,
        )
        self._work = asyncio.create_task(self._client.run())

    async def _disconnect(self) -> None:
        await self._client.close()
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)

    def __enter__(self) -> CommandClient:
        self._thread.start()
        try:
            self._run(self._connect())
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self) -> None:
        problem = ""
        deadline = time.monotonic() + _RESPONSE_LIMIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                refused = self._subscribed.get(timeout=_POLL_S)
                for topic, reason in refused.items():
                    raise KittiwakeError(
                        f"the broker refuses the subscription to {topic}: {reason}",
                        "its ACL has to let this user read the responses",
                    )
                return
            # Twice the same: one MQTT version that is refused is no problem while the other is tried.
            if self._client.problem and self._client.problem == problem:
                raise KittiwakeError(f"broker {problem}")
            problem = self._client.problem
        raise KittiwakeError(f"the broker at {self._broker.url} does not answer", "see its log")

    def __exit__(self, *_: object) -> None:
        self._run(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()


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
