"""What every request passes: who asks, how much arrives and for how long; and where its reply is counted.

It knows no model and no route: behind it, a request's body is whole.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kittiwake.observe.events import event
from kittiwake.serve.exchange import BODY, ROUTE, Reply, reply_json, send_reply

log = logging.getLogger(__name__)

# A probe has no token, and learns no more than that the service answers.
OPEN_PATHS = frozenset({"/health", "/healthz", "/v2/health/live", "/v2/health/ready"})
_UNKNOWN = "none"


class Watcher(Protocol):
    """Takes note of requests."""

    def answered(self, route: str, code: int, seconds: float) -> None:
        """A request was answered."""


class Gate:
    """The gate, as ASGI has it.

    Args:
        inner: what answers.
        token: gives the bearer token that requests must carry; "" for none.
        body_limit: bytes.
        timeout_s: for a body to arrive.
        watcher: takes note.
    """

    def __init__(self, inner: ASGIApp, token: Callable[[], str], body_limit: int, timeout_s: float, watcher: Watcher):
        self._inner, self._token, self._watcher = inner, token, watcher
        self._body_limit, self._timeout_s = body_limit, timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            return
        begin = time.perf_counter()
        code = 0

        async def sending(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            try:
                async with asyncio.timeout(self._timeout_s):
                    body = await self._read(receive)
            except TimeoutError:
                refusal = _refused(408, "the body did not arrive in time")
            else:
                if body is None:
                    return  # it left
                begin = time.perf_counter()
                if len(body) > self._body_limit:
                    refusal = _refused(413, f"the body has more than {self._body_limit} bytes")
                else:
                    scope[BODY] = body
        if refusal is not None:
            await send_reply(sending, refusal)
        else:
            try:
                await self._inner(scope, receive, sending)
            except Exception:  # whatever it is, one request's fault is no other's
                log.exception("serve: a request could not be answered; this is a bug, please report it")
                if not code:
                    await send_reply(sending, reply_json({"detail": "internal error"}, 500))
        self._watcher.answered(scope.get(ROUTE, _UNKNOWN), code, time.perf_counter() - begin)

    def _refusal(self, scope: Scope) -> Reply | None:
        """The reply to who may not ask, or says that too much comes."""
        token = self._token()
        sent = length = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                sent = value
            elif name == b"content-length":
                length = value
        if token and scope["path"] not in OPEN_PATHS:
            scheme, _, credentials = sent.partition(b" ")
            # Compared in any case, so that the time says nothing of the scheme either.
            is_right = hmac.compare_digest(credentials.strip(), token.encode())
            if not is_right or scheme.lower() != b"bearer":
                client = (scope.get("client") or ("?",))[0]
                log.warning(
                    "serve: a request of %s is refused: %s token",
                    client,
                    "a wrong" if sent else "no",
                    extra=event("request.refused"),
                )
                return Reply(401, b'{"detail":"a bearer token is wanted"}', headers=((b"www-authenticate", b"Bearer"),))
        if length.isdigit() and int(length[:20]) > self._body_limit:
            return _refused(413, f"the body has more than {self._body_limit} bytes")
        return None

    async def _read(self, receive: Receive) -> bytes | None:
        """The body, or what of it is beyond the limit; None when the client left."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if not message.get("more_body", False) or size > self._body_limit:
                return parts[0] if len(parts) == 1 else b"".join(parts)


def _refused(status: int, detail: str) -> Reply:
    # What of the body is still to come would be taken for the next request.
    return Reply(status, reply_json({"detail": detail}).body, headers=((b"connection", b"close"),))
