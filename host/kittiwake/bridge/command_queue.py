"""Commands that arrive at `…/cmd`: they go to their device one by one, and are answered on `…/resp`.

A command is acknowledged to the broker only when its response is with the broker, so a bridge that is killed gets it
again; the device, asked again, replies from what it has kept. That is how it is carried out once although no client can
take an MQTT message exactly once across its own death: the broker's side is QoS 1 here, whatever it was published at.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kittiwake.bridge import command_codec
from kittiwake.bridge.command_codec import Command, Exchange, Result, Start
from kittiwake.bridge.device_link import DeviceLink
from kittiwake.mqtt.callbacks import Receipt
from kittiwake.observe.events import event

log = logging.getLogger(__name__)

PENDING_LIMIT = 256
_UPDATE = "update"  # asked of boards that speak MQTT themselves; those of a bridge get their releases from it


class CommandQueue:
    """All commands under way.

    Args:
        base: first levels of every topic.
        bridge_id: of this bridge, whose own commands come to `<base>/<bridge_id>/cmd`.
        timeout_s: how long a command waits for its device.
        find: gives the link of a device id, or None.
        respond: called as respond(topic, payload, receipt): publish a response.
        acknowledge: called with a message's handle when the broker may forget it.
        own: operations of the bridge itself: called with the command's fields, give the result.
        now_ms: gives UTC in milliseconds, None while it is not known.

    Attributes:
        done: commands that have their response.
    """

    def __init__(
        self,
        base: str,
        bridge_id: str,
        timeout_s: float,
        find: Callable[[str], DeviceLink | None],
        respond: Callable[[str, bytes, Receipt], None],
        acknowledge: Callable[[int], None],
        own: Mapping[str, Callable[[Mapping[str, object]], Result]],
        now_ms: Callable[[], int | None],
    ):
        self._base, self._bridge_id, self._timeout_s = base, bridge_id, timeout_s
        self._find, self._respond, self._acknowledge, self._own = find, respond, acknowledge, own
        self._now_ms = now_ms
        self._pending: dict[
            tuple[str, str], PendingCommand
        ] = {}  # by device and id, until the response is with the broker
        self._queues: dict[str, deque[PendingCommand]] = {}  # by device; the first is the one that runs
        self.done = 0

    @property
    def topic(self) -> str:
        """The filter of the commands' topics."""
        return f"{self._base}/+/cmd"

    @property
    def waiting(self) -> int:
        """Commands that have no response yet."""
        return len(self._pending)

    def on_message(self, topic: str, payload: bytes, handle: int) -> None:
        """Take a message on a command topic.

        Args:
            topic: of the message.
            payload: of the message.
            handle: acknowledged when the response is with the broker.
        """
        device = topic[len(self._base) + 1 : -len("/cmd")]
        is_ours = device == self._bridge_id
        receipt = _Response(device, lambda: self._acknowledge(handle))
        try:
            command = command_codec.parse(payload, frozenset(self._own) if is_ours else command_codec.OPERATIONS)
            twin = self._pending.get((device, command.id))
            if twin is not None:
                twin.handles.append(handle)  # the broker sent it again
                return
            if is_ours:
                self._publish(receipt, command.id, command.op, "ok", result=self._own[command.op](command.arguments))
                return
            if len(self._pending) >= PENDING_LIMIT:
                self._publish(receipt, command.id, command.op, "busy", f"{PENDING_LIMIT} commands wait already")
                return
            start = command_codec.start_of(device, command, self._now_ms)
        except command_codec.CommandError as error:
            if error.op == _UPDATE and not is_ours and self._find(device) is None:
                self._acknowledge(handle)
                return
            self._publish(receipt, error.id, error.op, "invalid", str(error))
            return
        self._add(PendingCommand(device, command, start, [handle]))

    def on_opened(self, link: DeviceLink) -> None:
        """A device has a new session: what it was asked in the one before is asked again."""
        queue = self._queues.get(link.device or "")
        if queue:
            self._begin(queue[0])

    def on_reply(self, link: DeviceLink, request: int, status: int, body: bytes) -> None:
        """A device has replied.

        Args:
            link: of the device.
            request: number of the request.
            status: of the link's messages.
            body: of the reply.
        """
        queue = self._queues.get(link.device or "")
        running = queue[0].running if queue else None
        if queue and running is not None and (running.link, running.request) == (link, request):
            self._advance(queue[0], running, (status, bytes(body)))

    def on_disconnected(self) -> None:
        """The broker will send again what was not acknowledged, under new handles."""
        for pending in self._pending.values():
            pending.handles.clear()

    def _add(self, pending: PendingCommand) -> None:
        self._pending[pending.device, pending.command.id] = pending
        queue = self._queues.setdefault(pending.device, deque())
        queue.append(pending)
        pending.timer = asyncio.get_running_loop().call_later(self._timeout_s, self._time_out, pending)
        if len(queue) == 1:
            self._begin(pending)

    def _begin(self, pending: PendingCommand) -> None:
        link = self._find(pending.device)
        if link is None or not link.is_online:
            return  # `on_opened` comes back to it
        pending.running = _Running(link, pending.start())
        self._advance(pending, pending.running, None)

    def _advance(self, pending: PendingCommand, running: _Running, reply: tuple[int, bytes] | None) -> None:
        try:
            op, body = next(running.exchange) if reply is None else running.exchange.send(reply)
        except StopIteration as end:
            self._finish(pending, "ok", result=end.value)
        except command_codec.ReplyError as error:
            self._finish(pending, error.status, str(error))
        else:
            running.request = running.link.request(op, body)

    def _time_out(self, pending: PendingCommand) -> None:
        if self._find(pending.device) is None:
            why = f"bridge {self._bridge_id} has not seen this device"
        else:
            why = f"the device did not answer within {self._timeout_s:g} s"
        if pending.running is not None:
            pending.running.link.cancel(pending.running.request)
        self._finish(pending, "unreachable", why)

    def _finish(self, pending: PendingCommand, status: str, error: str = "", result: Result | None = None) -> None:
        if pending.timer is not None:
            pending.timer.cancel()
        queue = self._queues[pending.device]
        queue.remove(pending)
        receipt = _Response(pending.device, lambda: self._forget(pending))
        self._publish(receipt, pending.command.id, pending.command.op, status, error, result)
        if queue:
            self._begin(queue[0])
        else:
            del self._queues[pending.device]

    def _forget(self, pending: PendingCommand) -> None:
        for handle in pending.handles:
            self._acknowledge(handle)
        self._pending.pop((pending.device, pending.command.id), None)

    def _publish(
        self,
        receipt: _Response,
        identity: str | None,
        op: str | None,
        status: str,
        error: str = "",
        result: Result | None = None,
    ) -> None:
        device = receipt.device
        body: dict[str, object] = {
            "id": identity,
            "op": op,
            "device": device,
            "bridge": self._bridge_id,
            "status": status,
        }
        if error:
            body["error"] = error
        if result is not None:
            body["result"] = result
        self.done += 1
        # A window that somebody looks at asks every second.
        level = logging.DEBUG if op == "status" else logging.INFO
        log.log(
            level,
            "command %s of %s: %s%s",
            op,
            device,
            status,
            f": {error}" if error else "",
            extra=event("command.answered"),
        )
        self._respond(f"{self._base}/{device}/resp", json.dumps(body, separators=(",", ":")).encode(), receipt)


@dataclass(eq=False)
class PendingCommand:
    """One command of a device: `handles` are those of its messages, `running` is set once it has been begun."""

    device: str
    command: Command
    start: Start
    handles: list[int]
    timer: asyncio.TimerHandle | None = None
    running: _Running | None = None


@dataclass(eq=False)
class _Running:
    """A command in a session of its device; `request` is the number of the newest request."""

    link: DeviceLink
    exchange: Exchange
    request: int = 0


class _Response:
    """The receipt of a response: whatever became of it, the broker may forget the command."""

    def __init__(self, device: str, on_settled: Callable[[], None]):
        self.device = device
        self._on_settled = on_settled

    def confirmed(self) -> None:
        """The broker has the response."""
        self._on_settled()

    def refused(self, reason: str) -> None:
        """The broker does not take the response: its ACL should let the bridge write there."""
        log.error("the response to a command of %s was refused: %s", self.device, reason)
        self._on_settled()
