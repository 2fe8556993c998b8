"""What commands ask of a running node. Knows its channels, baselines and machine; not how commands travel."""

import json
import struct

from .link import messages

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

    from kittiwake_types import Reply


class NodeCommands:
    """Carries out the commands that link.commands.Commands hands on.

    Args:
        version: of the firmware.
        facts: module io.machine_facts, or the like.
        channels: the node's.
        baselines: store.baselines.Baselines.
        set_time: called as set_time(utc_ms, now_ms), gives (status, body).
        update: called as update(op, body, now_ms) with what is about releases, gives (status, body).
    """

    def __init__(
        self,
        version: str,
        facts: "Any",
        channels: "list[Any]",
        baselines: "Any",
        set_time: "Callable[[int, int], Reply]",
        update: "Callable[[int, bytes, int], Reply]",
    ) -> None:
        self._version = version
        self._facts = facts
        self._channels = channels
        self._baselines = baselines
        self._set_time = set_time
        self._update = update

    def handle(self, op: int, body: bytes, now_ms: int) -> "Reply":
        """Carry out a command.

        Args:
            op: operation, see link.messages.
            body: of the request.
            now_ms: milliseconds since boot.

        Returns:
            (status, body) of the reply; UNKNOWN for an operation that it does not know. Allocates.
        """
        if op == messages.OP_PING:
            return messages.OK, body
        if op == messages.OP_TIME and len(body) == 8:
            return self._set_time(struct.unpack("<Q", body)[0], now_ms)
        if op == messages.OP_IDENTIFY:
            return messages.OK, json.dumps(self._identity()).encode()
        if op == messages.OP_STIMULUS and len(body) >= 5:
            return self._inject(body)
        if op == messages.OP_RELEARN and len(body) == 1:
            return self._relearn(body[0])
        if messages.OP_UPDATE_OFFER <= op <= messages.OP_UPDATE_PROGRESS:
            return self._update(op, body, now_ms)
        return messages.UNKNOWN, b""

    def _relearn(self, number: int) -> "Reply":
        if number >= len(self._channels):
            return messages.REFUSED, b"no such channel"
        count = self._baselines.clear("%d-" % number)
        for watch in self._channels[number].watches:
            if watch.detector.forget:
                watch.detector.forget()
                count += 1
        return (messages.OK, bytes([count])) if count else (messages.REFUSED, b"nothing that learns")

    def _identity(self) -> dict[str, object]:
        facts = self._facts
        identity: "dict[str, object]" = {"firmware": self._version, "on": facts.firmware()}
        identity["unique_id"] = facts.unique_id()
        identity["reset_cause"] = facts.reset_cause_name()
        return identity

    def _inject(self, body: bytes) -> "Reply":
        number, start = struct.unpack_from("<BI", body, 0)
        source: "Any" = self._channels[number].source if number < len(self._channels) else None
        progress = source.take_stimulus(start, body[5:]) if source else None
        if progress is None:
            return messages.REFUSED, b""
        return messages.OK, struct.pack("<II", progress[0], progress[1])
