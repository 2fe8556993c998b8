"""Commands to the bridge itself: ports are lent to other programs and taken back, its state and its log are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeGuard

from kittiwake.bridge.command_codec import CommandError, Result
from kittiwake.bridge.links import Fleet
from kittiwake.observe import logs


class OwnCommands:
    """The operations.

    Args:
        fleet: gives the links.
        report: gives the bridge's state.
    """

    def __init__(self, fleet: Callable[[], Fleet], report: Callable[[], Result]):
        self._fleet, self._report = fleet, report

    def operations(self) -> dict[str, Callable[[Mapping[str, object]], Result]]:
        """Give them by name: each is called with a command's fields, and raises CommandError where they are wrong."""
        return {
            "release": self._release,
            "resume": self._resume,
            "status": lambda fields: self._report(),
            "log": self._log,
        }

    def _release(self, fields: Mapping[str, object]) -> Result:
        port, seconds = fields.get("port"), fields.get("seconds")
        if not _may_be_port(port):
            raise CommandError("port: a device's port, as it is configured", str(fields["id"]), "release")
        if not (seconds is None or isinstance(seconds, int | float) and 0 < seconds <= 86400):
            raise CommandError("seconds: up to 86400, or none", str(fields["id"]), "release")
        return {"released": self._fleet().release(port, seconds)}

    def _resume(self, fields: Mapping[str, object]) -> Result:
        port = fields.get("port")
        if not _may_be_port(port):
            raise CommandError("port: a device's port, as it is configured", str(fields["id"]), "resume")
        return {"resumed": self._fleet().resume(port)}

    def _log(self, fields: Mapping[str, object]) -> Result:
        lines = fields.get("lines", logs.KEPT_LINES)
        if not isinstance(lines, int) or isinstance(lines, bool) or not 0 < lines <= logs.KEPT_LINES:
            raise CommandError(f"lines: 1 to {logs.KEPT_LINES}", str(fields["id"]), "log")
        return {"lines": logs.kept(lines)}


def _may_be_port(port: object) -> TypeGuard[str | None]:
    # No path holds U+0000, and the system would raise.
    return port is None or (isinstance(port, str) and "\0" not in port)
