"""HOST:PORT as configurations have it."""

from __future__ import annotations


def split(text: str) -> tuple[str, int]:
    """Take an address apart.

    Args:
        text: HOST:PORT, an IPv6 address in brackets; that it is one was checked where it was read.

    Returns:
        Host, without brackets, and port.
    """
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
