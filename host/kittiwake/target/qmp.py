"""QEMU's machine protocol (QMP) over one end of a socket pair: a command goes in, its answer comes back.

Knows JSON lines, not what the commands do. A socket pair has no name: nothing stale can be left behind. Source: QEMU
Machine Protocol specification.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from kittiwake.errors import TargetError


class Qmp:
    """A session with one emulator.

    Args:
        sock: our end; closed by `close`.
        name: the emulator's name, for messages.
        timeout_s: seconds that any answer may take.

    Raises:
        TargetError: no greeting came.
    """

    def __init__(self, sock: socket.socket, name: str, timeout_s: float = 10.0):
        self._socket = sock
        self._name = name
        self._timeout_s = timeout_s
        self._input = bytearray()
        self._receive("QMP", time.monotonic() + timeout_s)
        self.call("qmp_capabilities")

    def call(self, command: str, **arguments: object) -> Any:
        """Run one command.

        Args:
            command: its name, e.g. "system_reset".
            arguments: its arguments; `_` in a name stands for `-`.

        Returns:
            What the emulator returned: a dict, list or value.

        Raises:
            TargetError: the command failed, or the emulator is gone or hangs.
        """
        request: dict[str, object] = {"execute": command}
        if arguments:
            request["arguments"] = {name.replace("_", "-"): value for name, value in arguments.items()}
        deadline = time.monotonic() + self._timeout_s
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise self._gone() from error
        reply = self._receive("return", deadline)
        if "error" in reply:
            raise TargetError(f"{self._name} refused {command}: {reply['error'].get('desc', 'no reason given')}")
        return reply["return"]

    def close(self) -> None:
        """Close our end. Idempotent; the emulator goes on."""
        self._socket.close()

    def _receive(self, key: str, deadline: float) -> dict[str, Any]:
        """Skip events up to the answer that has `key`, or an error."""
        while True:
            line, newline, rest = bytes(self._input).partition(b"\n")
            if newline:
                self._input = bytearray(rest)
                reply: dict[str, Any] = json.loads(line)
                if key in reply or "error" in reply:
                    return reply
                continue
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TargetError(f"{self._name} does not answer", "start it again")
            self._socket.settimeout(left_s)
            try:
                piece = self._socket.recv(65536)
            except TimeoutError:
                continue
            except OSError as error:
                raise self._gone() from error
            if not piece:
                raise self._gone()
            self._input += piece

    def _gone(self) -> TargetError:
        return TargetError(f"{self._name} has ended", "start it again")
