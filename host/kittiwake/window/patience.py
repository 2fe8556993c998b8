"""The server's patience: a connection that sends no whole request in time is closed. uvicorn itself waits for ever."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S = 10.0


class PatientProtocol(H11Protocol):
    """HTTP on one connection, with a limit to how long a request's head may take."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection has come."""
        if isinstance(transport, asyncio.Transport):  # as TCP's and TLS's are
            super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Some of a request has come, or all of it."""
        cycle = self.cycle
        super().data_received(data)
        if self.cycle is not cycle:
            self._wait_no_more()
        elif cycle is not None and cycle.response_complete and self._patience is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has gone."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._patience = self.loop.call_later(PATIENCE_S, self._give_up)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        self.transport.abort()
