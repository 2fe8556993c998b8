"""The pages and what they ask for: routes of the web server."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from kittiwake.window.access import Access
from kittiwake.window.acting import acting_routes
from kittiwake.window.archive import Archive
from kittiwake.window.asking import asking_routes
from kittiwake.window.desk import Desk
from kittiwake.window.groups import Groups
from kittiwake.window.notes import Notes
from kittiwake.window.rollouts import Rollouts
from kittiwake.window.stream import Stream

PAGE = Path(__file__).with_name("page")
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Files:
    """The files of the page, read once, so that no path of a request reaches the disk.

    Args:
        folder: that holds them.
    """

    def __init__(self, folder: Path):
        self._files = {
            path.relative_to(folder).as_posix(): (content := path.read_bytes(), _KINDS[path.suffix], _tag(content))
            for path in sorted(folder.rglob("*"))
            if path.suffix in _KINDS
        }

    def answer(self, name: str, request: Request) -> Response:
        """Give a file.

        Args:
            name: its path in the folder.
            request: says which version the browser has.
        """
        if name not in self._files:
            return PlainTextResponse("there is no such page\n", 404)
        content, kind, tag = self._files[name]
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


@dataclass(frozen=True)
class Parts:
    """What the routes reach.

    Attributes:
        stream: of what pages get live.
        archive: the history.
        access: who may.
        notes: what people leave.
        groups: of devices.
        desk: sends commands.
        rollouts: of releases.
    """

    stream: Stream
    archive: Archive
    access: Access
    notes: Notes
    groups: Groups
    desk: Desk
    rollouts: Rollouts


def application(parts: Parts) -> Starlette:
    """Make the application, without its guard.

    Args:
        parts: what it reaches.
    """
    files, stream, access = Files(PAGE), parts.stream, parts.access

    async def index(request: Request) -> Response:
        return files.answer("index.html", request)

    async def file(request: Request) -> Response:
        return files.answer(request.path_params["name"], request)

    async def live(request: Request) -> Response:
        refusal = access.refusal(request, access.session_of(request), is_change=False)
        if refusal is not None:
            return refusal
        if stream.is_full:
            return JSONResponse({"problem": "too-many-pages"}, 503)
        return StreamingResponse(
            _encoded(stream.events(request.query_params.get("device", ""))), media_type="text/event-stream"
        )

    return Starlette(
        routes=[
            Route("/", index),
            Route("/page/{name:path}", file),
            Route("/api/live", live),
            *asking_routes(parts.archive, access, parts.notes, parts.rollouts),
            *acting_routes(access, parts.notes, parts.groups, parts.desk, parts.rollouts),
        ]
    )


async def _encoded(texts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for text in texts:
        yield text.encode()
