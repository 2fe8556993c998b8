"""The demo's window: pages in a browser while it runs. It knows the window's process, and nothing of what it shows."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

from kittiwake.errors import KittiwakeError
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.window.settings import WindowSection

# Where `kittiwake window` would be; a free port where that is taken.
_LISTEN = ("127.0.0.1:8800", "127.0.0.1:0")
_PARTS = ("starlette", "uvicorn", "argon2")


@contextlib.asynccontextmanager
async def serving(
    broker_url: str, base: str, topics: tuple[str, ...], history: Path, notes: Path
) -> AsyncIterator[str]:
    """Serve the pages while the context lasts.

    Args:
        broker_url: where records come from.
        base: first levels of their topics.
        topics: filters of those that are published elsewhere.
        history: file of the history.
        notes: file of what people leave.

    Yields:
        The address; "" where the window is not installed.
    """
    if any(importlib.util.find_spec(part) is None for part in _PARTS):
        yield ""
        return
    from kittiwake.window import server

    broker = BrokerSection(url=broker_url, session_expiry_s=0)
    addresses: asyncio.Queue[str] = asyncio.Queue()
    task = None
    address = ""
    for listen in _LISTEN:
        window = WindowSection(
            listen=listen,
            database=str(history),
            notes=str(notes),
            inventory=str(notes.with_name("fleet.sqlite")),
        )
        settings = server.Settings(broker, base, topics, window)
        task = asyncio.create_task(server.serve(settings, addresses.put_nowait))
        told = asyncio.create_task(addresses.get())
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        if told.done():
            address = told.result()
            break
        told.cancel()
        with contextlib.suppress(KittiwakeError):  # that port is taken
            task.result()
    try:
        yield address
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
