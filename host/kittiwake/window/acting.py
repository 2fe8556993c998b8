"""Routes by which people log in and change something: each change is theirs to make, is meant, and is written down."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.fleet.tags import several
from kittiwake.window import recordings
from kittiwake.window.access import Access
from kittiwake.window.desk import ChangedError, Desk
from kittiwake.window.groups import Groups
from kittiwake.window.notes import Key, Notes
from kittiwake.window.rollouts import Rollouts
from kittiwake.window.sessions import Session

BODY_LIMIT_BYTES = 32 * 1024
_BODY_S = 10.0
_KEYS_LIMIT = 1000
_WORD_LIMIT = 500
_NAME_LIMIT = 128
_PATH_LIMIT = 255
_UPLOAD_LIMIT_BYTES = recordings.FILE_LIMIT_BYTES * 4 // 3 + BODY_LIMIT_BYTES  # a file goes as base64

Action = Callable[[Session, Mapping[str, Any]], Awaitable[object]]
Endpoint = Callable[[Request], Awaitable[Response]]


def acting_routes(access: Access, notes: Notes, groups: Groups, desk: Desk, rollouts: Rollouts) -> list[Route]:
    """Make the routes.

    Args:
        access: who may.
        notes: what people leave.
        groups: of devices.
        desk: sends commands.
        rollouts: of releases.
    """

    async def acknowledge(session: Session, fields: Mapping[str, Any]) -> object:
        keys = [_key(each) for each in _list(fields, "alerts")]
        word = _text(fields, "word", _WORD_LIMIT)
        return {"acknowledged": await asyncio.to_thread(notes.acknowledge, keys, word, session.who)}

    async def arrange(session: Session, fields: Mapping[str, Any]) -> object:
        device, is_away = _text(fields, "device", _NAME_LIMIT), fields.get("archived") is True
        tags = several(_text(fields, "tags", _WORD_LIMIT))
        if tags != groups.tags.get(device, {}):
            await asyncio.to_thread(groups.put, device, tags)
            words = " ".join(f"{group}={value}" for group, value in tags.items())
            await asyncio.to_thread(notes.audit, session.who, "tag", device, words)
        if is_away != (device in notes.put_away):
            await asyncio.to_thread(notes.put, device, is_away, session.who)
        return {}

    async def command(session: Session, fields: Mapping[str, Any]) -> object:
        device, op = _text(fields, "device", _NAME_LIMIT), _text(fields, "op", _NAME_LIMIT)
        if not device or any(c in "+#/" for c in device):
            raise ValueError("device: no device has that name")
        outcome = "refused here"
        try:
            answer = await desk.command(session.who, device, op, fields)
            outcome = f"{answer.get('status')} {answer.get('error', '')}".strip()
            return answer
        except KittiwakeError as error:
            outcome = error.message
            raise
        finally:
            await asyncio.to_thread(notes.audit, session.who, f"command {op}", device, outcome)

    async def order(session: Session, fields: Mapping[str, Any]) -> object:
        id, name = fields.get("id"), _text(fields, "order", _NAME_LIMIT)
        if not isinstance(id, int) or isinstance(id, bool) or not 0 <= id < 1 << 32:
            raise ValueError("id: a roll-out's number")
        release = _text(fields, "release", _PATH_LIMIT)
        wanted = await asyncio.to_thread(rollouts.order, id, name, release)
        await asyncio.to_thread(notes.audit, session.who, f"{name} roll-out", str(id), release)
        return {"wanted": wanted}

    async def recording(session: Session, fields: Mapping[str, Any]) -> object:
        name, column = _text(fields, "name", _PATH_LIMIT), _text(fields, "column", _NAME_LIMIT)
        rate_hz = fields.get("rate_hz", 0)
        if not isinstance(rate_hz, int | float) or isinstance(rate_hz, bool) or not 0 <= rate_hz <= 1e6:
            raise ValueError("rate_hz: samples a second, up to a million")
        content = _bytes(fields, "content", recordings.FILE_LIMIT_BYTES)
        return await asyncio.to_thread(recordings.run, name, content, column, float(rate_hz))

    async def log_in(request: Request) -> Response:
        fields = await body_of(request)
        return await access.log_in(request, _text(fields, "name", _NAME_LIMIT), _text(fields, "password", 1024))

    async def log_out(request: Request) -> Response:
        return access.log_out(request)

    async def me(request: Request) -> Response:
        return JSONResponse(access.told(request))

    actions: dict[str, Action] = {"acknowledge": acknowledge, "arrange": arrange, "command": command, "order": order}
    routes = [Route(f"/api/{name}", _acting(access, action), methods=["POST"]) for name, action in actions.items()]
    return [
        *routes,
        Route("/api/recording", _acting(access, recording, _UPLOAD_LIMIT_BYTES), methods=["POST"]),
        Route("/api/log-in", _checked(log_in), methods=["POST"]),
        Route("/api/log-out", _checked(log_out), methods=["POST"]),
        Route("/api/me", me),
    ]


def _acting(
    access: Access, action: Action, limit_bytes: int = BODY_LIMIT_BYTES
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        session = access.session_of(request)
        refusal = access.refusal(request, session, is_change=True)
        if refusal is not None or session is None:
            return refusal or JSONResponse({"problem": "log-in"}, 401)
        return JSONResponse(await action(session, await body_of(request, limit_bytes)))

    return _checked(endpoint)


def _checked(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ValueError as error:
            return JSONResponse({"problem": str(error)}, 400)
        except ChangedError as error:
            return JSONResponse({"problem": error.message, "mend": error.mend}, 409)
        except UsageError as error:
            return JSONResponse({"problem": error.message, "mend": error.mend}, 400)
        except KittiwakeError as error:
            return JSONResponse({"problem": error.message, "mend": error.mend}, 503)

    return answer


async def body_of(request: Request, limit_bytes: int = BODY_LIMIT_BYTES) -> Mapping[str, Any]:
    """Read a request's JSON object, within bounds of size and time.

    Args:
        request: whose.
        limit_bytes: more is refused before it is read.

    Raises:
        ValueError: it is none, or too large, or too slow.
    """
    raw = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for piece in request.stream():
                raw += piece
                if len(raw) > limit_bytes:
                    raise ValueError(f"more than {limit_bytes} bytes")
    except (TimeoutError, ClientDisconnect):
        raise ValueError("the request did not come to its end") from None
    try:
        fields = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("no JSON object")
    return fields


def _text(fields: Mapping[str, Any], name: str, limit: int) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str) or len(value) > limit or "\0" in value:
        raise ValueError(f"{name}: a text of up to {limit} characters")
    return value


def _bytes(fields: Mapping[str, Any], name: str, limit: int) -> bytes:
    try:
        content = base64.b64decode(fields.get(name, ""), validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ValueError(f"{name}: bytes as base64") from None
    if not 0 < len(content) <= limit:
        raise ValueError(f"{name}: 1 to {limit} bytes")
    return content


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    if not isinstance(value, list) or not 0 < len(value) <= _KEYS_LIMIT:
        raise ValueError(f"{name}: a list of 1 to {_KEYS_LIMIT}")
    return value


def _key(value: Any) -> Key:
    if not isinstance(value, dict):
        raise ValueError("alerts: device, journal and seq of each")
    device, journal, seq = value.get("device"), value.get("journal"), value.get("seq")
    if not isinstance(device, str) or not isinstance(journal, str) or not isinstance(seq, int) or isinstance(seq, bool):
        raise ValueError("alerts: device, journal and seq of each")
    if len(device) > _NAME_LIMIT or len(journal) > 16 or not 0 <= seq < 1 << 32:
        raise ValueError("alerts: no alert has that key")
    return device, journal, seq
