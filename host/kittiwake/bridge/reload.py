"""Takes up a changed configuration while the bridge runs: devices, certificates, the log's level.

What else changed needs a restart, and is told. A configuration that cannot be changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kittiwake.bridge import systemd
from kittiwake.bridge.service import Bridge
from kittiwake.bridge.settings import Settings
from kittiwake.errors import KittiwakeError
from kittiwake.mqtt.credentials import FILES
from kittiwake.observe.events import event

log = logging.getLogger(__name__)

_TAKEN = frozenset(["devices", "bridge.log_level", *(f"broker.{name}" for name in FILES)])


class Reloader:
    """Reloads one bridge.

    Args:
        bridge: that runs.
        read: reads the configuration anew; None where there is no file of it.
    """

    def __init__(self, bridge: Bridge, read: Callable[[], Settings] | None):
        self._bridge, self._read = bridge, read
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[dict[str, Any]]] = set()
        self._report: dict[str, Any] = {"problem": "", "needs_restart": []}

    def report(self) -> dict[str, Any]:
        """How the last reload went, JSON-ready: problem, needs_restart, and at (ISO 8601) once there was one."""
        return dict(self._report)

    def start(self) -> None:
        """Begin a `reload` that nobody waits for; the log tells of it."""
        task = asyncio.create_task(self.reload(), name="reload")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reload(self) -> dict[str, Any]:
        """Read the configuration and take it up.

        Returns:
            As `report`, and taken: what changed, in words.
        """
        async with self._lock:
            systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            try:
                taken, needs_restart, problem = await self._take()
            except Exception as error:  # whatever it is, what runs goes on
                log.error("reloading failed; this is a bug, please report it", exc_info=error)
                taken, needs_restart, problem = [], [], f"internal error: {error!r}"
            finally:
                systemd.notify("READY=1")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self._report = {"problem": problem, "needs_restart": needs_restart, "at": at}
        if problem:
            log.error("not reloaded, all stays as it was: %s", problem, extra=event("configuration.refused"))
        else:
            words = "; ".join([*taken, *(f"{name} needs a restart" for name in needs_restart)])
            log.warning("reloaded: %s", words, extra=event("configuration.changed"))
        return {**self._report, "taken": taken}

    async def _take(self) -> tuple[list[str], list[str], str]:
        bridge = self._bridge
        try:
            settings = bridge.settings if self._read is None else self._read()
            # On a thread: a file system that hangs is to hold up nobody.
            await asyncio.to_thread(bridge.credentials.read, bridge.credentials.of_files(settings.broker))
        except KittiwakeError as error:
            return [], self._report["needs_restart"], str(error)
        taken = ["certificates read"] if bridge.credentials.context is not None else []
        needs_restart = _differences(bridge.settings, settings)
        if settings.bridge.log_level != bridge.settings.bridge.log_level:
            bridge.settings.bridge.log_level = settings.bridge.log_level
            taken.append(f"log level {settings.bridge.log_level}")
        logging.getLogger().setLevel(settings.bridge.log_level.upper())
        taken += await bridge.apply(settings.devices)
        return taken or ["nothing changed"], needs_restart, ""


def _differences(running: Settings, wanted: Settings) -> list[str]:
    """Name the settings that differ and are not taken up while running."""
    names = []
    for section in type(running).model_fields:
        if section in _TAKEN:
            continue
        ours, theirs = getattr(running, section), getattr(wanted, section)
        names += [
            f"{section}.{field}"
            for field in type(ours).model_fields
            if f"{section}.{field}" not in _TAKEN and getattr(ours, field) != getattr(theirs, field)
        ]
    return names
