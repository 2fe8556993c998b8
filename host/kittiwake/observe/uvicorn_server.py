"""A web server that leaves signals to its process; for those that have uvicorn."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import uvicorn


class Server(uvicorn.Server):
    """Ends when `should_exit` is set: uvicorn's own would raise a signal again, and nothing after it be done."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield
