"""A very small web server: GET of a few fixed paths, one answer a connection, few at a time. It knows no bridge."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from kittiwake.errors import UsageError
from kittiwake.observe import address

log = logging.getLogger(__name__)

_REQUEST_LIMIT_BYTES = 8192
_TIMEOUT_S = 5.0
_RETRY_S = 5.0
_CONNECTIONS = 16
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

# Gives (status, content type, body).
Page = Callable[[], tuple[int, str, bytes]]


def check_address(listen: str) -> tuple[str, int]:
    """Read HOST:PORT.

    Args:
        listen: the text; an IPv6 address in brackets.

    Raises:
        UsageError: it is none.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{listen!r} is no address to listen on", "use HOST:PORT, such as 127.0.0.1:8800")
    return address.split(listen)


async def serve(listen: str, pages: Mapping[str, Page], on_ready: Callable[[int], None] = lambda port: None) -> None:
    """Serve until cancelled; an address that is taken is tried again, since the bridge is worth more than its figures.

    Args:
        listen: HOST:PORT.
        pages: path -> what makes the page.
        on_ready: called with the port when it listens.
    """
    host, port = address.split(listen)
    open_since: dict[asyncio.Task[None], None] = {}  # connections, the oldest first

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(open_since) >= _CONNECTIONS:
            # Who asks is answered at once; who has been here longest has asked nothing, or does not read.
            oldest = next(iter(open_since))
            del open_since[oldest]  # it leaves in a turn of its own; the next to come has to find another one
            oldest.cancel()
        task = asyncio.current_task()
        if task is not None:
            open_since[task] = None
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(_respond(request, pages))
                writer.close()
                await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # it left, was slow (TimeoutError is an OSError), sent no request, or had to make room
        finally:
            if task is not None:
                open_since.pop(task, None)
            writer.transport.abort()

    while True:
        try:
            server = await asyncio.start_server(answer, host, port, limit=_REQUEST_LIMIT_BYTES)
        except (OSError, OverflowError) as error:
            log.error("http.listen: %s: %s; trying again", listen, getattr(error, "strerror", None) or error)
            await asyncio.sleep(_RETRY_S)
            continue
        async with server:
            on_ready(server.sockets[0].getsockname()[1])
            await server.serve_forever()


def _respond(request: bytes, pages: Mapping[str, Page]) -> bytes:
    words = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3:
        status, kind, body = 400, "text/plain", b"no request\n"
    elif words[0] not in ("GET", "HEAD"):
        status, kind, body = 405, "text/plain", b"GET only\n"
    elif (page := pages.get(words[1].partition("?")[0])) is None:
        status, kind, body = 404, "text/plain", " ".join(pages).encode() + b"\n"
    else:
        status, kind, body = page()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if words[0] == "HEAD" else body)
