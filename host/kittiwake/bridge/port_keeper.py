"""Keeps one port open: opens it again whenever it is lost or not there yet, and lends it to other programs.

It knows nothing of what goes over the port.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kittiwake.errors import KittiwakeError
from kittiwake.ports import serial

log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.2
RETRY_LAST_S = 5.0


@dataclass(frozen=True)
class Callbacks:
    """What a keeper tells.

    Args:
        on_problem: on_problem(text): why the port is not open; "" when it is.
        on_closed: the port is closed, and its lock free.
    """

    on_problem: Callable[[str], None]
    on_closed: Callable[[], None]


class PortKeeper:
    """One port.

    Args:
        url: see kittiwake.ports.
        baudrate: of a serial line.
        serve: called with the open port; returns when it is lost.
        callbacks: what is told.

    Attributes:
        error: why the last attempt to open the port failed, None when it did not.
        was_open: it was open at least once.
        is_released: it is lent to another program.
    """

    def __init__(
        self,
        url: str,
        baudrate: int,
        serve: Callable[[serial.Port], Awaitable[None]],
        callbacks: Callbacks,
    ):
        self._url, self._baudrate = url, baudrate
        self._serve, self._callbacks = serve, callbacks
        self._serving: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._reported = ""
        self.error: KittiwakeError | None = None
        self.was_open = False
        self.is_released = False

    async def run(self) -> None:
        """Open the port and serve it; open it again whenever it is lost or not there yet; until cancelled."""
        delay_s = RETRY_FIRST_S
        while True:
            await self._wanted.wait()
            try:
                port = await serial.open_port(self._url, self._baudrate)
            except KittiwakeError as error:
                if str(error) != self._reported:
                    log.warning("%s: %s", self._url, error)
                self.error, self._reported = error, str(error)
                self._callbacks.on_problem(str(error))
            else:
                self.error, self.was_open, self._reported = None, True, ""
                self._callbacks.on_problem("")
                delay_s = RETRY_FIRST_S
                self._serving = asyncio.create_task(self._serve_and_close(port), name=f"link {self._url}")
                try:
                    await self._serving
                except asyncio.CancelledError:
                    if not self.is_released:
                        raise
            # Drawn at random, or fifty ports behind one dead server would all try in step.
            await asyncio.sleep(random.uniform(delay_s / 2, delay_s))
            delay_s = min(delay_s * 2, RETRY_LAST_S)

    def release(self) -> None:
        """Give the port to another program until `resume`. Idempotent."""
        self.is_released = True
        self._reported = "released"
        self._callbacks.on_problem("released")
        self._wanted.clear()
        if self._serving is not None:
            self._serving.cancel()

    def resume(self) -> None:
        """Take the port again. Idempotent."""
        self.is_released = False
        self._wanted.set()

    async def _serve_and_close(self, port: serial.Port) -> None:
        try:
            await self._serve(port)
        finally:
            self._serving = None  # closing is not cut short by a release
            await port.close()
            self._callbacks.on_closed()
