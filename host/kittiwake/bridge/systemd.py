"""What systemd is told of a service of type notify: ready, how it is, that it lives, that it stops.

Source: sd_notify(3). Without systemd every call does nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

_BEATS = 3  # within the time after which systemd takes us for dead


def notify(message: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell systemd something.

    Args:
        message: such as "READY=1".
        environment: where systemd has put its socket.

    Returns:
        Whether systemd was there.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address[0] == "@":
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect(address)
            sock.sendall(message.encode())
    except OSError:
        return False  # it went away
    return True


async def beat(status: Callable[[], str], environment: Mapping[str, str] = os.environ) -> None:
    """Tell systemd that the event loop turns, and how things are, until cancelled.

    Args:
        status: gives a line for `systemctl status`.
        environment: where systemd has put its socket and its patience.
    """
    if not environment.get("NOTIFY_SOCKET"):
        return
    try:
        patience_s = int(environment.get("WATCHDOG_USEC", "0")) / 1e6
    except ValueError:
        patience_s = 0.0
    pause_s = patience_s / _BEATS if patience_s else 10.0
    previous = ""
    while True:
        line = status()
        message = "WATCHDOG=1" + (f"\nSTATUS={line}" if line != previous else "")
        notify(message, environment)
        previous = line
        await asyncio.sleep(pause_s)
