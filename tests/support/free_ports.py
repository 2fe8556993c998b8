"""TCP ports for servers that a test stops and starts again: nobody else takes them meanwhile.

A port that the system picks (0) may be given to any connection of another process as soon as the server is down. These
lie below the range from which systems pick, each process of pytest has its own share of them, and none is given twice.
"""

import os
import socket
import zlib
from collections.abc import Iterator

_FIRST, _COUNT = 20000, 12000  # Linux picks from 32768 on, IANA's range begins at 49152
_SHARES = 40


def _share() -> int:
    # Workers of one run have different shares; other runs on this machine begin elsewhere, and where they meet all the
    # same, binding tells.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return (zlib.crc32(run.encode()) + worker) % _SHARES


def _numbers() -> Iterator[int]:
    width = _COUNT // _SHARES
    first = _FIRST + _share() * width
    while True:
        yield from range(first, first + width)


_next = _numbers()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody serves."""
    for port in _next:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("ports never run out: they begin anew")
