"""The window's process: a subscriber and a web server on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.observe import web as small_web
from kittiwake.observe.exposition import Figures
from kittiwake.observe.uvicorn_server import Server
from kittiwake.window import web
from kittiwake.window.access import Access
from kittiwake.window.archive import Archive
from kittiwake.window.desk import Desk
from kittiwake.window.feed import Feed, utc_ms
from kittiwake.window.groups import Groups
from kittiwake.window.guard import Guard
from kittiwake.window.lag import Lag
from kittiwake.window.metrics import Exposition
from kittiwake.window.notes import Notes
from kittiwake.window.patience import PatientProtocol
from kittiwake.window.rollouts import Rollouts
from kittiwake.window.settings import WindowSection
from kittiwake.window.stream import Stream, running
from kittiwake.window.users import Users

if TYPE_CHECKING:
    from kittiwake.observe.otlp import Telemetry

log = logging.getLogger(__name__)

_CONNECTIONS = 256
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Settings:
    """What a window is given.

    Attributes:
        broker: the broker, and who we are there.
        base: first levels of the topics.
        own_topics: more filters.
        window: where it listens, its files, who may; port 0 for a free one.
    """

    broker: BrokerSection
    base: str = "kittiwake"
    own_topics: tuple[str, ...] = ()
    window: WindowSection = field(default_factory=WindowSection)


async def serve(settings: Settings, on_ready: Callable[[str], None], telemetry: Telemetry | None = None) -> None:
    """Serve until cancelled.

    Args:
        settings: of the window.
        on_ready: called with the address when it listens.
        telemetry: exports its figures; None for nobody.

    Raises:
        UsageError: the address is none, or others could come in by it.
        KittiwakeError: the port is taken.
    """
    own = settings.window
    host, port = small_web.check_address(own.listen)
    check(own, host)
    notes = Notes(Path(own.notes))
    with listening(host, port) as opened, contextlib.closing(notes):
        stream = Stream(lambda: about(feed, notes, groups, lag), utc_ms)
        desk = Desk(lambda name, command: feed.send(name, command), lambda *late: _late(notes, *late))
        feed = Feed(
            settings.broker,
            settings.base,
            settings.own_topics,
            lambda: stream.is_watched,
            on_record=stream.on_record,
            on_response=desk.on_response,
        )
        stream.fleet = feed.fleet
        groups = Groups(Path(own.inventory), lambda: stream.is_watched)
        await asyncio.to_thread(groups.look)
        archive = Archive(own.database)
        lag = Lag(archive, lambda: list(feed.fleet.devices.values()), lambda: stream.is_watched, utc_ms)
        await remember(archive, feed)
        access = Access(Users(Path(own.users)) if own.users else None, notes, own.is_tls, own.user_header)
        rollouts = Rollouts(Path(own.rollouts), own.releases)
        app = web.application(web.Parts(stream, archive, access, notes, groups, desk, rollouts))
        names = (*_LOOPBACK_NAMES, *own.hosts) if is_loopback(host) else (_bracketed(host), *own.hosts)
        server = Server(_config(Guard(app, names, own.is_tls), own))
        scheme = "https" if own.is_tls else "http"
        on_ready(f"{scheme}://{_bracketed(host)}:{opened.getsockname()[1]}/")
        async with running(stream):
            tasks = [asyncio.create_task(each.run()) for each in (feed, lag, groups)]
            exposition = Exposition(feed, stream, desk, access)
            if own.metrics:
                tasks.append(asyncio.create_task(small_web.serve(own.metrics, exposition.pages())))
            if telemetry:
                tasks.append(asyncio.create_task(telemetry.run(Figures(exposition).families), name="otlp"))
            try:
                await server.serve(sockets=[opened])
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


def check(settings: WindowSection, host: str) -> None:
    """Refuse what would let others in.

    Args:
        settings: of the window.
        host: that it listens on.

    Raises:
        UsageError: others could reach it and be anybody, or listen in; or a part of TLS is missing.
        ConfigError: the users' file cannot be read.
    """
    if bool(settings.certificate_file) != bool(settings.key_file):
        raise UsageError("--certificate and --key go together", "name both")
    for path in (settings.certificate_file, settings.key_file):
        if path and not Path(path).is_file():
            raise UsageError(f"{path} is not there", "name a PEM file")
    if settings.metrics:
        small_web.check_address(settings.metrics)
    names = Users(Path(settings.users)).names() if settings.users else {}
    if settings.user_header and not (names and is_loopback(host)):
        raise UsageError(
            "whoever reaches the window could write that header, or nobody has a role",
            "with --user-header, name --users, and let the proxy come to 127.0.0.1",
        )
    if is_loopback(host):
        return
    if not names or not settings.is_tls:
        lacks = [what for what, is_there in (("users", names), ("TLS", settings.is_tls)) if not is_there]
        raise UsageError(
            f"{host} can be reached from elsewhere, and there is no {' and no '.join(lacks)}",
            "`kittiwake window user add NAME`, then --users FILE --certificate FILE --key FILE; or listen on 127.0.0.1",
        )


def _late(notes: Notes, who: str, device: str, op: str, answer: Mapping[str, object]) -> None:
    notes.audit(who, f"late answer {op}", device, f"{answer.get('status')} {answer.get('error', '')}".strip())


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _config(app: ASGIApp, settings: WindowSection) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=1,
        proxy_headers=False,
        ssl_certfile=settings.certificate_file or None,
        ssl_keyfile=settings.key_file or None,
    )


async def remember(archive: Archive, feed: Feed) -> None:
    """Let the window know what the history knows; one that is not there yet is no reason not to start.

    Args:
        archive: the history.
        feed: whose fleet it is told.
    """
    if not archive.database:
        return
    try:
        past = await asyncio.to_thread(archive.past, datetime.now(UTC))
    except KittiwakeError as error:
        log.warning("history: %s", error)
        return
    for name, known in past.items():
        feed.fleet.remember(name, known.arrived_ms, known.firmware, known.alerts)


def about(feed: Feed, notes: Notes, groups: Groups, lag: Lag) -> dict[str, object]:
    """What pages are told of broker and history, and of what people have arranged.

    Args:
        feed: the window's.
        notes: what people leave.
        groups: of devices.
        lag: of the history.
    """
    connection = feed.fleet.connection
    return {
        "broker": {
            "is_up": connection.is_up,
            "was_up": feed.mqtt.was_connected,
            "since": connection.since_ms,
            "problem": feed.mqtt.problem,
            "refused": feed.mqtt.subscriptions.refused,
        },
        "history": lag.told,
        "tags": groups.tags,
        "away": sorted(notes.put_away),
    }


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's own, that nobody else reaches.

    Args:
        host: a name or an address.
    """
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen while the context lasts.

    Args:
        host: a name or an address.
        port: 0 for a free one.

    Raises:
        KittiwakeError: it cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        why = error.strerror or str(error)
        raise KittiwakeError(f"{host}:{port}: {why}", "name another with --listen") from error
    with opened:
        yield opened
