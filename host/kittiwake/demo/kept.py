"""The demo's history: what the broker sent, in a file that outlives the run.

Knows the history's process and its store; what is in the records is not looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from kittiwake.errors import ConfigError
from kittiwake.history.asking import open_history
from kittiwake.history.service import HistoryService
from kittiwake.history.settings import HistorySection, Settings
from kittiwake.history.sqlite_store import SqliteStore
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.target import images

_KEPT_S = 86400


@dataclass(frozen=True)
class Kept:
    """What the file holds at the end.

    Attributes:
        rows: records of the demo's device.
        missing: sequence numbers that are neither there nor evicted.
    """

    rows: int
    missing: int


def new_path() -> Path:
    """Where the file is when nothing is said: a name of its own, with what else may be thrown away.

    Files of demos that are more than a day old are removed.
    """
    folder = images.cache_dir("demo")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.sqlite*"):
        with contextlib.suppress(OSError):
            if time.time() - old.stat().st_mtime > _KEPT_S:
                old.unlink()
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.sqlite"


@contextlib.asynccontextmanager
async def keeping(path: Path, broker_url: str, base: str, topics: list[str]) -> AsyncIterator[HistoryService]:
    """Keep a history while the context lasts.

    Args:
        path: of the file.
        broker_url: where records come from.
        base: first levels of their topics.
        topics: filters of those that are published elsewhere.

    Yields:
        The process, connected.

    Raises:
        ConfigError: there is such a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        raise ConfigError(f"{path} is there already, and a demo's records do not belong in it", "name another file")
    store = SqliteStore(path)
    # A name of its own, and a session that ends with it: a broker of the user's keeps nothing for a demo that is over.
    broker = BrokerSection(url=broker_url, client_id=f"kittiwake-demo-{secrets.token_hex(4)}", session_expiry_s=60)
    service = HistoryService(Settings(broker=broker, history=HistorySection(base=base, topics=topics)), store)
    task = asyncio.create_task(service.run())
    try:
        while not service.mqtt.is_connected and not task.done():
            await asyncio.sleep(0.01)
        yield service
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        store.close()


def look(path: Path, device: str) -> Kept:
    """Audit the file.

    Args:
        path: of it.
        device: the demo's.
    """
    with open_history(path) as history:
        audits = [audit for audit in history.audit() if audit.device == device]
    return Kept(sum(audit.rows for audit in audits), sum(audit.missing for audit in audits))
