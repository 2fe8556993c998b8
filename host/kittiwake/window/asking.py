"""Routes by which pages ask: the history, what people have left, and alerts as a file to take away."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kittiwake.errors import KittiwakeError
from kittiwake.window.access import Access
from kittiwake.window.archive import ALERTS_LIMIT, Archive, moment
from kittiwake.window.notes import Notes
from kittiwake.window.rollouts import Rollouts
from kittiwake.window.schema import NodeSchema

_MOST_MS = 1 << 48
_ENTRIES_LIMIT = 500
_CSV = (
    "ts", "device", "channel", "detector", "value", "unit", "z_score", "mean", "stdev", "journal", "seq",
    "acknowledged_by", "acknowledged_at", "word",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def asking_routes(archive: Archive, access: Access, notes: Notes, rollouts: Rollouts) -> list[Route]:
    """Make the routes.

    Args:
        archive: the history.
        access: who may.
        notes: what people leave.
        rollouts: what releases are on their way.
    """
    of_nodes = NodeSchema()

    async def series(request: Request) -> Response:
        device, channel = request.query_params.get("device", ""), request.query_params.get("channel", "")
        since, until = (moment(whole(request, name, 0)) for name in ("since", "until"))
        if until <= since:
            raise ValueError("until is not after since")
        return await answered(lambda: archive.series(device, channel, since, until))

    async def alerts(request: Request) -> Response:
        device = request.query_params.get("device") or None
        since, limit = moment(whole(request, "since", 0)), whole(request, "limit", 500, ALERTS_LIMIT)
        return await answered(lambda: {"alerts": with_words(archive.alerts(device, since, limit), notes)})

    async def alerts_csv(request: Request) -> Response:
        device, since = request.query_params.get("device") or None, moment(whole(request, "since", 0))
        try:
            rows = await asyncio.to_thread(lambda: with_words(archive.alerts(device, since, ALERTS_LIMIT), notes))
        except KittiwakeError as error:
            return JSONResponse({"problem": error.message, "mend": error.mend}, 503)
        headers = {"content-disposition": 'attachment; filename="alerts.csv"'}
        return Response(as_csv(rows), media_type="text/csv; charset=utf-8", headers=headers)

    async def audit(request: Request) -> Response:
        return await answered(lambda: {"lines": notes.audited()})

    async def snapshots(request: Request) -> Response:
        device, channel = request.query_params.get("device", ""), request.query_params.get("channel", "")
        around = moment(whole(request, "at", 0))
        return await answered(lambda: archive.snapshots(device, channel, around))

    async def readings(request: Request) -> Response:
        device, channel = request.query_params.get("device", ""), request.query_params.get("channel", "")
        since = moment(whole(request, "since", 0))
        return await answered(lambda: archive.readings(device, channel, since))

    async def journal(request: Request) -> Response:
        device, name = request.query_params.get("device", ""), request.query_params.get("journal", "")
        before = whole(request, "before", 0) if "before" in request.query_params else None
        limit = whole(request, "limit", 100, _ENTRIES_LIMIT)
        return await answered(lambda: archive.journal(device, name, before, limit))

    async def schema(request: Request) -> Response:
        return await answered(of_nodes.read)

    async def rollout(request: Request) -> Response:
        return await answered(rollouts.newest)

    routes = {
        "series": series, "alerts": alerts, "alerts.csv": alerts_csv, "snapshots": snapshots, "readings": readings,
        "journal": journal, "audit": audit, "rollout": rollout, "schema": schema,
    }  # fmt: skip
    return [Route(f"/api/{name}", checked(endpoint, access)) for name, endpoint in routes.items()]


def whole(request: Request, name: str, default: int, most: int = _MOST_MS) -> int:
    """Read a number of the query.

    Args:
        request: with the query.
        name: of the number.
        default: where it is not there.
        most: more is refused.

    Raises:
        ValueError: it is no whole number from 0 to `most`.
    """
    text = request.query_params.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 16 or int(text) > most:
        raise ValueError(f"{name} is no whole number up to {most}")
    return int(text)


def checked(endpoint: Callable[[Request], Any], access: Access) -> Callable[[Request], Any]:
    """The endpoint, for those who may look, with an answer to what a request gets wrong.

    Args:
        endpoint: raises ValueError about that.
        access: who may.
    """

    async def answer(request: Request) -> Response:
        refusal = access.refusal(request, access.session_of(request), is_change=False)
        if refusal is not None:
            return refusal
        try:
            response: Response = await endpoint(request)
        except ValueError as error:
            return JSONResponse({"problem": str(error)}, 400)
        return response

    return answer


def with_words(alerts: list[dict[str, Any]], notes: Notes) -> list[dict[str, Any]]:
    """The same alerts, each with its acknowledgement.

    Args:
        alerts: with device, journal and seq.
        notes: what people have left.
    """
    words = notes.acknowledged()
    return [{**one, "acknowledged": words.get((one["device"], one["journal"], one["seq"]))} for one in alerts]


def as_csv(alerts: list[dict[str, Any]]) -> str:
    """Write alerts as CSV; no cell becomes a formula in the program that opens it.

    Args:
        alerts: with their acknowledgements.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_CSV)
    for one in alerts:
        words = one["acknowledged"] or {}
        at = words.get("at")
        own = {
            "acknowledged_by": words.get("who"),
            "acknowledged_at": None if at is None else moment(at).isoformat(timespec="milliseconds"),
            "word": words.get("word"),
        }
        cells = [{**one, **own}.get(name) for name in _CSV]
        writer.writerow(f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in cells)
    return text.getvalue()


async def answered(question: Callable[[], Any]) -> Response:
    """Ask on a thread, and answer with what came of it.

    Args:
        question: gives what JSON can carry.
    """
    try:
        return JSONResponse(await asyncio.to_thread(question))
    except KittiwakeError as error:
        return JSONResponse({"problem": error.message, "mend": error.mend}, 503)
