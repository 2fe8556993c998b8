"""The bridge as a process: logs, signals, and the end of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from kittiwake.bridge.service import Bridge
from kittiwake.bridge.settings import Settings


def run(settings: Settings) -> None:
    """Run a bridge until SIGINT or SIGTERM.

    SIGUSR1 gives every port to other programs (to flash a board, say), SIGUSR2 takes them back.

    Raises:
        ConfigError: a file that the settings name cannot be used.
    """
    level = getattr(logging, settings.bridge.log_level.upper())
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(message)s")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    bridge = Bridge(settings)
    work = asyncio.create_task(bridge.run(), name="bridge")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    loop.add_signal_handler(signal.SIGUSR1, bridge.fleet.release)
    loop.add_signal_handler(signal.SIGUSR2, bridge.fleet.resume)
    with contextlib.suppress(asyncio.CancelledError):
        await work
