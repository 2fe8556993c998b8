"""The history as a process: its log, its signals, what Prometheus is told, and the end of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from typing import TYPE_CHECKING

from kittiwake.history import metrics
from kittiwake.history.service import HistoryService
from kittiwake.history.settings import Settings
from kittiwake.history.stores import Store, open_store
from kittiwake.observe import exporting
from kittiwake.observe.exposition import Figures

if TYPE_CHECKING:
    from kittiwake.observe.otlp import Telemetry

log = logging.getLogger(__name__)

_COUNTS_S = 60.0


def run(settings: Settings) -> None:
    """Keep a history until SIGINT or SIGTERM.

    Args:
        settings: the configuration.

    Raises:
        ConfigError: the settings cannot be.
        KittiwakeError: the file cannot be opened, or is no history of this version.
    """
    name = settings.broker.client_id or "history"
    with exporting.begun(settings.otlp, settings.syslog, "history", name) as exports:
        store = open_store(settings.history.database)
        try:
            asyncio.run(_serve(settings, store, exports.telemetry))
        finally:
            store.close()


async def _serve(settings: Settings, store: Store, telemetry: Telemetry | None) -> None:
    service = HistoryService(settings, store, steps=telemetry)
    task = asyncio.create_task(service.run(), name="history")
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.ExitStack() as stack:
        if settings.http.listen:
            server, _ = metrics.serve(service, settings.http.listen)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
        if telemetry:
            exports = asyncio.create_task(telemetry.run(Figures(metrics.Exposition(service)).families), name="otlp")
            stack.callback(exports.cancel)
        said = ""
        try:
            while not task.done():
                counts = service.counts
                line = f"{counts.new} rows, {counts.known} copies, {counts.altered} altered, {counts.others} others"
                if line != said:
                    log.info("history: %s: %s", settings.history.database, line)
                said = line
                await asyncio.wait([task], timeout=_COUNTS_S)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
