"""What open pages get, as server-sent events: the fleet's rows where they changed, and each record of a device in view.

Pages that do not read are left: what waits for one is bounded. It knows the fleet, and no web server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kittiwake.window.fleet import Fleet

PAGES_LIMIT = 64
_WAITING_LIMIT = 4000
_TICK_S = 0.5
_TOGETHER_S = 0.03  # records that come so near one another go in one write
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(eq=False)
class Page:
    """An open page.

    Attributes:
        device: whose records it gets; "" for none.
        waiting: events that it has not been sent.
    """

    device: str
    waiting: list[str] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    beats: dict[str, list[int | None]] = field(default_factory=dict)
    has_more: asyncio.Event = field(default_factory=asyncio.Event)
    is_left: bool = False

    def put(self, event: str, data: str) -> None:
        """Let it have an event.

        Args:
            event: its name.
            data: JSON on one line.
        """
        if len(self.waiting) >= _WAITING_LIMIT:
            self.is_left = True
        else:
            self.waiting.append(f"event: {event}\ndata: {data}\n\n")
        self.has_more.set()


class Stream:
    """All open pages.

    Args:
        fleet: whose rows they get; set when it is made.
        about: gives what is said of broker and history.
        now_ms: the clock, UTC.

    Attributes:
        slow_pages: that were left, since they did not read.
    """

    def __init__(self, about: Callable[[], Mapping[str, Any]], now_ms: Callable[[], int]):
        self.fleet: Fleet | None = None
        self._about, self._now_ms = about, now_ms
        self._pages: set[Page] = set()
        self.slow_pages = 0

    @property
    def page_count(self) -> int:
        """How many pages are open."""
        return len(self._pages)

    @property
    def is_watched(self) -> bool:
        """Whether a page is open."""
        return bool(self._pages)

    @property
    def is_full(self) -> bool:
        """Whether no further page is served."""
        return len(self._pages) >= PAGES_LIMIT

    def on_record(self, device: str, body: Mapping[str, object], text: str) -> None:
        """A record has come.

        Args:
            device: of which.
            body: of the message.
            text: the same as JSON on one line.
        """
        for page in self._pages:
            if page.device == device:
                page.put("record", text)
            elif body.get("kind") == "alert":
                page.put("alert", text)

    async def run(self) -> None:
        """Look for changes twice a second, until cancelled."""
        while True:
            await asyncio.sleep(_TICK_S)
            if self._pages:
                self._tick(self._pages)

    async def events(self, device: str) -> AsyncIterator[str]:
        """Give a page its events until it leaves.

        Args:
            device: whose records it gets; "" for none.

        Yields:
            Text of one event or several.
        """
        page = Page(device)
        known = self.fleet.devices.get(device) if self.fleet else None
        if known is not None:
            recent = f"[{','.join([*known.snapshots, *known.recent])}]"
            page.put("recent", recent)
        self._pages.add(page)
        try:
            self._tick({page})
            while not page.is_left:
                page.has_more.clear()
                if page.waiting:
                    text = "".join(page.waiting)
                    page.waiting.clear()
                    yield text
                    await asyncio.sleep(_TOGETHER_S)
                else:
                    await page.has_more.wait()
        finally:
            self._pages.discard(page)
            self.slow_pages += page.is_left

    def _tick(self, pages: set[Page]) -> None:
        if self.fleet is None:
            return
        now_ms, fleet = self._now_ms(), self.fleet
        texts = {f"g/{name}": _encode(fleet.gateway_row(name, now_ms)) for name in fleet.gateways}
        texts |= {f"d/{name}": _encode(fleet.row(name, now_ms)) for name in fleet.devices}
        beats = {name: fleet.beat(name, now_ms) for name in fleet.devices}
        about = _encode(self._about())
        for page in pages:
            changed = [text for key, text in texts.items() if page.shown.get(key) != text]
            gone = [key[2:] for key in page.shown if key not in texts]
            beating = {name: beat for name, beat in beats.items() if page.beats.get(name) != beat}
            page.shown, page.beats = texts, beats
            head = f'"now":{now_ms},"about":{about},"gone":{_encode(gone)},"beats":{_encode(beating)}'
            page.put("fleet", f'{{{head},"rows":[{",".join(changed)}]}}')


@contextlib.asynccontextmanager
async def running(stream: Stream) -> AsyncIterator[None]:
    """Run a stream while the context lasts.

    Args:
        stream: to run.
    """
    task = asyncio.create_task(stream.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
