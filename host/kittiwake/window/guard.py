"""What every answer carries, and which requests are answered at all: headers against injected content, names of hosts.

An ASGI layer; it knows no page.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing from other hosts, no script and no style in the page's text, no frame around it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """The layer.

    Args:
        app: behind it.
        hosts: names under which it answers, without ports: another name that leads here is somebody's trick.
        is_tls: browsers are told to come by TLS alone.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], is_tls: bool):
        self._app, self._hosts = app, frozenset(hosts)
        self._headers = _HEADERS | ({"strict-transport-security": "max-age=31536000"} if is_tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
            await send(message)

        host = host_of(Headers(scope=scope).get("host", ""))
        if host not in self._hosts:
            answer = PlainTextResponse("this window does not go by that name; see --host\n", 421)
            await answer(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def host_of(header: str) -> str:
    """The name in a Host header, without the port.

    Args:
        header: as the browser sent it.
    """
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.rpartition(":")[0] if ":" in header else header
