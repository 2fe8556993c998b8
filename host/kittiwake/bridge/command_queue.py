"""The desk: commands that arrive at `…/cmd` go to their device one by one, and are answered on `…/resp`.

A command is acknowledged to the broker only when its answer is with the broker, so a bridge that is killed gets it
again; the device, asked again, answers from what it has kept. That is how it is carried out once although no client can
take an MQTT message exactly once across its own death: the broker's side is QoS 1 here, whatever it was published at.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping

from kittiwake.bridge import command_codec
from kittiwake.bridge.device_link import DeviceLink

log = logging.getLogger(__name__)

JOBS_LIMIT = 256


class Desk:
    """All commands under way.

    Args:
        base: first levels of every topic.
        bridge_id: of this bridge, whose own commands come to `<base>/<bridge_id>/cmd`.
        timeout_s: how long a command waits for its device.
        find: gives the link of a device id, or None.
        respond: called as respond(topic, payload, token): publish an answer.
        acknowledge: called with a message's handle when the broker may forget it.
        own: operations of the bridge itself: called with the request's fields, give the result.

    Attributes:
        done: commands answered.
    """

    def __init__(
        self,
        base: str,
        bridge_id: str,
        timeout_s: float,
        find: Callable[[str], DeviceLink | None],
        respond: Callable[[str, bytes, object], None],
        acknowledge: Callable[[int], None],
        own: Mapping[str, Callable[[dict], dict]],
    ):
        self._base, self._bridge_id, self._timeout_s = base, bridge_id, timeout_s
        self._find, self._respond, self._acknowledge, self._own = find, respond, acknowledge, own
        self._jobs: dict[tuple[str, str], _Job] = {}
        self._queues: dict[str, deque[_Job]] = {}  # by device; the first is the one that runs
        self.done = 0

    @property
    def topic(self) -> str:
        """The filter of the commands' topics."""
        return f"{self._base}/+/cmd"

    @property
    def waiting(self) -> int:
        """Commands that are not answered yet."""
        return len(self._jobs)

    def on_message(self, topic: str, payload: bytes, handle: int) -> None:
        """A message on a command topic."""
        device = topic[len(self._base) + 1 : -len("/cmd")]
        known = frozenset(self._own) if device == self._bridge_id else command_codec.OPERATIONS
        job = _Job(self, device, None, handle)
        try:
            request = command_codec.parse(payload, known)
            twin = self._jobs.get((device, request.id))
            if twin is not None:
                twin.handles.append(handle)  # the broker sent it again
                return
            job.request = request
            if device == self._bridge_id:
                self._finish(job, "ok", result=self._own[request.op](request.arguments))
                return
            if len(self._jobs) >= JOBS_LIMIT:
                self._finish(job, "busy", f"{JOBS_LIMIT} commands wait already")
                return
            command_codec.program(request, b"", lambda: 0)  # its arguments are in order, or this says why not
        except command_codec.RequestError as error:
            self._finish(job, "invalid", str(error), op=error.op, identity=error.id)
            return
        self._jobs[device, request.id] = job
        queue = self._queues.setdefault(device, deque())
        queue.append(job)
        job.timer = asyncio.get_running_loop().call_later(self._timeout_s, self._time_out, job)
        if len(queue) == 1:
            self._begin(job)

    def on_opened(self, link: DeviceLink) -> None:
        """A device has a new session: what it was asked in the one before is asked again."""
        queue = self._queues.get(link.device or "")
        if queue:
            self._begin(queue[0])

    def on_answer(self, link: DeviceLink, request: int, status: int, body: bytes) -> None:
        """A device has answered."""
        queue = self._queues.get(link.device or "")
        if queue and (queue[0].link, queue[0].number) == (link, request):
            self._advance(queue[0], (status, bytes(body)))

    def on_disconnected(self) -> None:
        """The broker will send again what was not acknowledged, under new handles."""
        for job in self._jobs.values():
            job.handles.clear()

    def settled(self, job: _Job) -> None:
        """The broker has a job's answer (or never will)."""
        for handle in job.handles:
            self._acknowledge(handle)
        if job.request is not None:
            self._jobs.pop((job.device, job.request.id), None)

    def _begin(self, job: _Job) -> None:
        link = self._find(job.device)
        if link is None or not link.is_online:
            return  # `on_opened` comes back to it
        job.link = link
        key = command_codec.key_of(job.device, job.request.id)
        job.program = command_codec.program(job.request, key, lambda: time.time_ns() // 1_000_000)
        self._advance(job, None)

    def _advance(self, job: _Job, answer: tuple[int, bytes] | None) -> None:
        try:
            op, body = job.program.send(answer)
        except StopIteration as end:
            self._answer(job, "ok", result=end.value)
        except command_codec.AnswerError as error:
            self._answer(job, error.status, str(error))
        else:
            job.number = job.link.command(op, body)

    def _time_out(self, job: _Job) -> None:
        link = self._find(job.device)
        if link is None:
            why = f"bridge {self._bridge_id} has not seen this device"
        else:
            why = f"the device did not answer within {self._timeout_s:g} s"
        if job.link is not None:
            job.link.session.cancel(job.number)
        self._answer(job, "unreachable", why)

    def _answer(self, job: _Job, status: str, error: str = "", result: dict | None = None) -> None:
        job.timer.cancel()
        queue = self._queues[job.device]
        queue.remove(job)
        self._finish(job, status, error, result)
        if queue:
            self._begin(queue[0])
        else:
            del self._queues[job.device]

    def _finish(
        self,
        job: _Job,
        status: str,
        error: str = "",
        result: dict | None = None,
        op: object = None,
        identity: object = None,
    ) -> None:
        request = job.request
        body = {
            "id": request.id if request else identity,
            "op": request.op if request else op,
            "device": job.device,
            "bridge": self._bridge_id,
            "status": status,
        }
        if error:
            body["error"] = error
        if result is not None:
            body["result"] = result
        self.done += 1
        log.info("command %s of %s: %s%s", body["op"], job.device, status, f": {error}" if error else "")
        self._respond(f"{self._base}/{job.device}/resp", json.dumps(body, separators=(",", ":")).encode(), job)


class _Job:
    """One command; the token of its answer."""

    def __init__(self, desk: Desk, device: str, request: command_codec.Request | None, handle: int):
        self._desk = desk
        self.device, self.request = device, request
        self.handles = [handle]
        self.link: DeviceLink | None = None
        self.number = 0
        self.program: command_codec.Program | None = None
        self.timer: asyncio.TimerHandle | None = None

    def confirmed(self) -> None:
        """The broker has the answer."""
        self._desk.settled(self)

    def refused(self, reason: str) -> None:
        """The broker does not take the answer: its ACL should let the bridge write there."""
        log.error("the answer to a command of %s was refused: %s", self.device, reason)
        self._desk.settled(self)
