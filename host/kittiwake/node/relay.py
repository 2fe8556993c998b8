"""A port of this process as a port for others: to programs that look who has a port open, it is free.

Knows bytes and descriptors.
"""

from __future__ import annotations

import os
import select
import socket
import threading

from kittiwake.target.line import Line

_PIECE = 4096
_LOOK_S = 0.5


class Relay:
    """Moves bytes between a port and a new one, both ways, until `close`.

    Args:
        port: path of a terminal that this process holds.

    Attributes:
        port: path of the new one.
    """

    def __init__(self, port: str):
        self._line = Line()
        self._socket = self._line.attach()
        self._descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        self._must_end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kittiwake-relay", daemon=True)
        self._thread.start()
        self.port = self._line.port

    def close(self) -> None:
        """End it. Idempotent."""
        if self._descriptor < 0:
            return
        self._must_end.set()
        self._thread.join()
        self._line.close()
        self._socket.close()
        os.close(self._descriptor)
        self._descriptor = -1

    def _run(self) -> None:
        ends: list[int | socket.socket] = [self._descriptor, self._socket]
        while not self._must_end.is_set():
            ready, _, _ = select.select(ends, [], [], _LOOK_S)
            if self._socket in ready:
                piece = self._socket.recv(_PIECE)
                if not piece:
                    return
                os.write(self._descriptor, piece)
            if self._descriptor in ready:
                self._socket.sendall(os.read(self._descriptor, _PIECE))
