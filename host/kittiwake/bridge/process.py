"""The bridge as a process: logs, signals, what systemd and Prometheus are told, and the end of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kittiwake.bridge import control, systemd
from kittiwake.bridge.reload import Reloader
from kittiwake.bridge.service import Bridge
from kittiwake.bridge.settings import Settings
from kittiwake.bridge.window_child import WindowChild
from kittiwake.errors import KittiwakeError
from kittiwake.observe import exporting, logs, web
from kittiwake.observe.exporting import Exports
from kittiwake.observe.exposition import Figures
from kittiwake.peers.complaints import Complaints

_POLL_S = 0.1


@dataclass(frozen=True)
class Source:
    """Where a configuration came from: its file, and what reads it anew."""

    path: Path
    read: Callable[[], Settings]


def run(settings: Settings, is_service: bool, source: Source | None = None) -> None:
    """Run a bridge until SIGINT or SIGTERM.

    SIGUSR1 gives every port to other programs (to flash a board, say), SIGUSR2 takes them back. SIGHUP takes up a
    changed configuration, as far as a Reloader can.

    Args:
        settings: the configuration.
        is_service: nothing that may mend itself ends it; else the first attempt at every port and at the broker has to
            succeed, so that whoever typed the command is told at once.
        source: of the settings; None where there is no file of them.

    Raises:
        ConfigError: a file that the settings name cannot be used.
        KittiwakeError: not as a service: a port or the broker cannot be reached.
    """
    own = settings.bridge
    begun = exporting.begun(settings.otlp, settings.syslog, "bridge", own.id, own.log, own.log_level)
    with begun as exports, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(settings, is_service, source, exports))


async def _serve(settings: Settings, is_service: bool, source: Source | None, exports: Exports) -> None:
    bridge = Bridge(settings, steps=exports.telemetry)
    reloader = Reloader(bridge, None if source is None else source.read)
    tasks = [asyncio.create_task(bridge.run(), name="bridge")]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tasks[0].cancel)
    loop.add_signal_handler(signal.SIGHUP, reloader.start)
    loop.add_signal_handler(signal.SIGUSR1, bridge.fleet.release)
    loop.add_signal_handler(signal.SIGUSR2, bridge.fleet.resume)
    try:
        if not is_service:
            await _begin_well(bridge, tasks[0])
            ports = ", ".join(link.url for link in bridge.links)
            print(f"bridging {ports}: open, and the broker answers; Ctrl-C ends it", file=sys.stderr, flush=True)
        tasks.append(asyncio.create_task(systemd.beat(lambda: _status(bridge)), name="watchdog"))
        window = None
        if source is not None and settings.window.enabled:
            window = WindowChild(source.path)
            tasks.append(asyncio.create_task(window.run(), name="window"))
        figures = _figures(bridge, exports.limit)
        if settings.http.listen:
            pages = figures.pages(lambda: _report(bridge, reloader, exports, window))
            tasks.append(asyncio.create_task(web.serve(settings.http.listen, pages), name="http"))
        if exports.telemetry:
            tasks.append(asyncio.create_task(exports.telemetry.run(figures.families), name="otlp"))
        if source is not None:
            tasks.append(asyncio.create_task(_listen(source.path, reloader), name="control"))
        systemd.notify("READY=1")
        # What is there now stays: the collector need not look at it again, and a pause for it would be latency.
        gc.collect()
        gc.freeze()
        with contextlib.suppress(asyncio.CancelledError):
            await tasks[0]
    finally:
        systemd.notify("STOPPING=1")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(config: Path, reloader: Reloader) -> None:
    async with control.listening(config, {"reload": reloader.reload}):
        await asyncio.Event().wait()


async def _begin_well(bridge: Bridge, work: asyncio.Task[None]) -> None:
    links, problem = list(bridge.links), ""
    while not work.done():
        for link in links:
            if link.port_keeper.error is not None and not link.port_keeper.was_open:
                raise link.port_keeper.error
        was_connected = bridge.mqtt.was_connected
        # Twice the same: one MQTT version that is refused is no problem while the other is tried.
        if bridge.mqtt.problem and bridge.mqtt.problem == problem and not was_connected:
            raise KittiwakeError(f"broker {problem}")
        problem = bridge.mqtt.problem
        if was_connected and all(link.port_keeper.was_open for link in links):
            return
        await asyncio.sleep(_POLL_S)


def _lines_dropped(limit: logs.LineLimit) -> int:
    return limit.dropped + Complaints.all_dropped


def _figures(bridge: Bridge, limit: logs.LineLimit) -> Figures:
    from kittiwake.bridge.metrics import Exposition

    return Exposition(bridge, lambda: _lines_dropped(limit)).figures


def _report(bridge: Bridge, reloader: Reloader, exports: Exports, window: WindowChild | None) -> dict[str, object]:
    more: dict[str, object] = {} if window is None else {"window": window.report()}
    if exports.forwarder:
        more["syslog"] = exports.forwarder.report()
    log = {"lines_dropped": _lines_dropped(exports.limit)}
    return {**bridge.report(), "configuration": reloader.report(), "log": log, **more}


def _status(bridge: Bridge) -> str:
    online = sum(link.is_online for link in bridge.links)
    broker = "connected" if bridge.mqtt.is_connected else f"away ({bridge.mqtt.problem})"
    return f"{online} of {len(bridge.links)} devices on line, broker {broker}"
