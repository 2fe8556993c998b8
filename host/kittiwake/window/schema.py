"""What a node's settings are and mean, for who edits them in a page: asked of the firmware once, on the unix target."""

from __future__ import annotations

import threading

from kittiwake.node import schema, tables
from kittiwake.target import open_target


class NodeSchema:
    """The JSON Schema of a node's configuration."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._schema: schema.Schema | None = None

    def read(self) -> schema.Schema:
        """Give it; the first time takes as long as a virtual board takes to start.

        Raises:
            KittiwakeError: the unix target is not installed, or does not start.
        """
        with self._lock:
            if self._schema is None:
                with open_target("unix") as board:
                    self._schema = schema.schema(tables.ask(board))
            return self._schema
