"""The window as a process beside the bridge's: started, started again when it ends, ended with the bridge.

A process of its own, so that no page takes time from a device. It knows the command alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sys
from pathlib import Path

from kittiwake.mqtt.backoff import Backoff
from kittiwake.observe.events import event

log = logging.getLogger(__name__)

_FIRST_S, _LAST_S = 1.0, 60.0
_STEADY_S = 60.0  # one that lived so long is started again at once
_END_S = 5.0


class WindowChild:
    """Keeps one window running.

    Args:
        config: the gateway's configuration, with [window].

    Attributes:
        problem: how the last one ended; "" while one runs.
    """

    def __init__(self, config: Path):
        self._command = [sys.executable, "-m", "kittiwake", "window", "--config", str(config)]
        guard = shutil.which("setpriv")
        if guard:  # however the bridge dies, the window does not stay and keep its port
            self._command = [guard, "--pdeathsig", "TERM", *self._command]
        self._backoff = Backoff(_FIRST_S, _LAST_S)
        self.problem = ""

    async def run(self) -> None:
        """Keep it running until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                code = await self._once()
            except OSError as error:
                self.problem = f"it cannot be started: {error.strerror or error}"
            else:
                self.problem = f"it ended with {code}; its own line says why"
            if loop.time() - began_s >= _STEADY_S:
                self._backoff.reset()
            wait_s = self._backoff.next_s()
            log.error("window: %s; again in %.0f s", self.problem, wait_s, extra=event("window.ended"))
            await asyncio.sleep(wait_s)

    def report(self) -> dict[str, object]:
        """How it is, JSON-ready."""
        return {"running": not self.problem, "problem": self.problem}

    async def _once(self) -> int:
        process = await asyncio.create_subprocess_exec(*self._command, stdin=asyncio.subprocess.DEVNULL)
        self.problem = ""
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                try:
                    await asyncio.wait_for(process.wait(), _END_S)
                except TimeoutError:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
