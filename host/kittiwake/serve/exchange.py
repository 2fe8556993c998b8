"""A request that has arrived whole and its reply, and what joins a function on these to Starlette's routes."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

BODY, ROUTE = "kittiwake.body", "kittiwake.route"
JSON = b"application/json"


@dataclass(frozen=True)
class Call:
    """A request.

    Args:
        body: all of it.
        path: the parts of its path that its route names.
        headers: in lower case.
    """

    body: bytes
    path: Mapping[str, str]
    headers: Mapping[bytes, bytes]


@dataclass(frozen=True)
class Reply:
    """A reply.

    Args:
        status: of HTTP.
        body: all of it.
        kind: its content type.
        headers: more of them.
    """

    status: int
    body: bytes
    kind: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())


class BadJson(Exception):
    """A body is no JSON object: says why."""


def _refuse(constant: str) -> None:
    raise BadJson(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def read_object(body: bytes) -> dict[str, Any]:
    """Read a body that must be a JSON object.

    Args:
        body: UTF-8.

    Returns:
        The object.

    Raises:
        BadJson: it is none.
    """
    try:
        value = _DECODER.decode(body.decode())
    except RecursionError:
        raise BadJson("the body nests too deep") from None
    except ValueError as error:  # of JSON, of UTF-8, and of numbers with too many digits
        raise BadJson(f"the body is no JSON: {str(error).partition(chr(10))[0]}") from None
    if not isinstance(value, dict):
        raise BadJson("the body is no JSON object")
    return value


def reply_json(value: object, status: int = 200) -> Reply:
    """Make a reply of JSON.

    Args:
        value: what json can write; finite numbers only.
        status: of HTTP.

    Raises:
        ValueError: a number is not finite.
    """
    return Reply(status, _ENCODER.encode(value).encode())


async def send_reply(send: Send, reply: Reply) -> None:
    """Send a reply.

    Args:
        send: ASGI's.
        reply: what to send.
    """
    headers = [
        (b"content-type", reply.kind),
        (b"content-length", b"%d" % len(reply.body)),
        *reply.headers,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


class Endpoint:
    """A route's end, as ASGI has it.

    Args:
        route: the path as it is written in the table of routes, for metrics.
        handle: makes the reply.
    """

    def __init__(self, route: str, handle: Callable[[Call], Awaitable[Reply]]):
        self._route, self._handle = route, handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request whose body the gate has read."""
        scope[ROUTE] = self._route
        call = Call(scope[BODY], scope["path_params"], dict(scope["headers"]))
        await send_reply(send, await self._handle(call))
