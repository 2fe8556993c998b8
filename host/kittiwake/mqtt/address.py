"""A broker's address, from its URL. Knows no socket."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from kittiwake.errors import UsageError

_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
_FORM = "give it as mqtt://host:1883, mqtts://host:8883 or wss://host/path"


@dataclass(frozen=True)
class Address:
    """Where a broker is: host, port, encrypted or not, and the path of a websocket (None for plain TCP)."""

    host: str
    port: int
    is_tls: bool = False
    path: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_url(url: str) -> Address:
    """Read `mqtt://host[:port]`, `mqtts://…`, `ws://host[:port]/path`, `wss://…`; without a scheme it is mqtt.

    Args:
        url: as a person writes it.

    Returns:
        The address, with the scheme's own port where none is named.

    Raises:
        UsageError: it is not of that form, or holds a password, which belongs in a file.
    """
    parts = urlsplit(url if "//" in url else f"mqtt://{url}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.username is not None or parts.password is not None:
        # Not repeated in the message: it may be logged.
        raise UsageError("the broker's address holds a user name", "use broker.username and broker.password_file")
    is_websocket = parts.scheme in ("ws", "wss")
    if parts.scheme not in _PORTS or not host or port == 0 or (parts.path not in ("", "/") and not is_websocket):
        raise UsageError(f"broker {url!r} is not an MQTT address", _FORM)
    return Address(
        host,
        port or _PORTS[parts.scheme],
        parts.scheme in ("mqtts", "wss"),
        (parts.path or "/") if is_websocket else None,
    )
