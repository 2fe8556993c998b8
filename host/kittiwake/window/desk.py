"""Commands that people send from the pages: to the broker, and what came back, whoever still looks."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from kittiwake.errors import KittiwakeError

# To a device, and what each takes besides.
OPERATIONS = {
    "ping": ("text",),
    "identify": (),
    "time": (),
    "event": ("code", "text"),
    "relearn": ("channel",),
    "config_get": (),
    "config_set": ("config",),
    "log": ("lines",),  # of a gateway
}
ANSWER_S = 12.0
_WAITING_LIMIT = 256


class ChangedError(KittiwakeError):
    """Somebody else has changed the configuration meanwhile."""


class Desk:
    """All commands of one window.

    Args:
        send: send(name, command): hands a command to the broker; False while it is away.
        on_late: on_late(who, device, op, answer): an answer came when nobody waited for it any more.

    Attributes:
        sent, unanswered: commands, and those of them that had no answer in time.
    """

    def __init__(
        self,
        send: Callable[[str, Mapping[str, object]], bool],
        on_late: Callable[[str, str, str, Mapping[str, object]], None],
    ):
        self._send, self._on_late = send, on_late
        self._waiting: OrderedDict[str, tuple[str, str, str, asyncio.Future[Mapping[str, object]]]] = OrderedDict()
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}  # and how many have it or wait for it
        self.sent = self.unanswered = 0

    def on_response(self, body: Mapping[str, object]) -> None:
        """An answer has come.

        Args:
            body: of it.
        """
        identity = body.get("id")
        entry = self._waiting.pop(identity, None) if isinstance(identity, str) else None
        if entry is None:
            return
        who, device, op, future = entry
        if not future.done():
            future.set_result(body)
        else:
            self._on_late(who, device, op, body)

    async def command(self, who: str, device: str, op: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """Send a command, and wait for its answer.

        Args:
            who: sends it.
            device: to which.
            op: of OPERATIONS.
            fields: what it takes; of `config_set` also `base`, the configuration that was edited.

        Returns:
            The answer, as the device or its gateway gave it.

        Raises:
            ValueError: there is no such operation.
            ChangedError: the configuration is no longer the one that was edited.
            KittiwakeError: the broker is away, or no answer came in time.
        """
        if op not in OPERATIONS:
            raise ValueError(f"op: there are {', '.join(OPERATIONS)}")
        arguments = {name: fields[name] for name in OPERATIONS[op] if name in fields}
        if op != "config_set":
            return await self._exchange(who, device, op, arguments)
        async with self._alone(device):
            there = await self._exchange(who, device, "config_get", {})
            if "base" not in fields or _config(there) != fields["base"]:
                raise ChangedError(
                    "the configuration is not the one that you edited", "read it again, and make your change in that"
                )
            return await self._exchange(who, device, op, arguments)

    @contextlib.asynccontextmanager
    async def _alone(self, device: str) -> AsyncIterator[None]:
        lock, waiting = self._locks.get(device, (asyncio.Lock(), 0))
        self._locks[device] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(device)
            if waiting > 1:
                self._locks[device] = lock, waiting - 1

    async def _exchange(self, who: str, device: str, op: str, arguments: Mapping[str, object]) -> Mapping[str, object]:
        identity = f"window-{secrets.token_hex(8)}"
        future: asyncio.Future[Mapping[str, object]] = asyncio.get_running_loop().create_future()
        self._waiting[identity] = (who, device, op, future)
        if len(self._waiting) > _WAITING_LIMIT:
            self._waiting.popitem(last=False)
        if not self._send(device, {"id": identity, "op": op, **arguments}):
            del self._waiting[identity]
            raise KittiwakeError("the broker is away: nothing was sent", "try again when it is back")
        self.sent += 1
        try:
            # The entry stays when nobody waits any more: a late answer is written down.
            return await asyncio.wait_for(asyncio.shield(future), ANSWER_S)
        except TimeoutError:
            future.cancel()
            self.unanswered += 1
            raise KittiwakeError(
                f"no answer within {ANSWER_S:.0f} s: it may still be carried out", "the audit says when one comes"
            ) from None


def _config(answer: Mapping[str, object]) -> Any:
    result = answer.get("result")
    return result.get("config") if isinstance(result, dict) else None
