"""The window's process: a subscriber and a web server on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import uvicorn

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.window import web
from kittiwake.window.feed import Feed, utc_ms
from kittiwake.window.guard import Guard
from kittiwake.window.patience import PatientProtocol
from kittiwake.window.stream import Stream, running

_CONNECTIONS = 256
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Settings:
    """What a window is given.

    Attributes:
        broker: the broker, and who we are there.
        base: first levels of the topics.
        own_topics: more filters.
        listen: HOST:PORT; port 0 for a free one.
    """

    broker: BrokerSection
    base: str = "kittiwake"
    own_topics: tuple[str, ...] = ()
    listen: str = "127.0.0.1:8800"


async def serve(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve until cancelled.

    Args:
        settings: of the window.
        on_ready: called with the address when it listens.

    Raises:
        UsageError: the address is none, or not this machine's own.
        KittiwakeError: the port is taken.
    """
    host, port = address(settings.listen)
    if not is_loopback(host):
        raise UsageError(f"{host} can be reached from elsewhere", "listen on 127.0.0.1")
    with listening(host, port) as opened:
        stream = Stream(lambda: about(feed), utc_ms)
        feed = Feed(
            settings.broker, settings.base, settings.own_topics, lambda: stream.is_watched, on_record=stream.on_record
        )
        stream.fleet = feed.fleet
        app = Guard(web.application(stream), _LOOPBACK_NAMES, is_tls=False)
        server = _Server(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=1,
            )
        )
        on_ready(f"http://{host if ':' not in host else f'[{host}]'}:{opened.getsockname()[1]}/")
        async with running(stream):
            listener = asyncio.create_task(feed.run())
            try:
                await server.serve(sockets=[opened])
            finally:
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)


def about(feed: Feed) -> dict[str, object]:
    """What pages are told of the broker.

    Args:
        feed: the window's.
    """
    connection = feed.fleet.connection
    return {
        "broker": {
            "is_up": connection.is_up,
            "was_up": feed.mqtt.was_connected,
            "since": connection.since_ms,
            "problem": feed.mqtt.problem,
            "refused": feed.mqtt.subscriptions.refused,
        }
    }


def address(listen: str) -> tuple[str, int]:
    """Read HOST:PORT.

    Args:
        listen: the text; an IPv6 address in brackets.

    Raises:
        UsageError: it is none.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{listen!r} is no address to listen on", "use HOST:PORT, such as 127.0.0.1:8800")
    return host.strip("[]"), int(port)


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


class _Server(uvicorn.Server):
    """A server that leaves signals to the command."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
