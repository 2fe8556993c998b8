"""The newest messages of a device, for pages that open: bounded in number, and in the memory that they take. Pure."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator


class Tail:
    """The newest texts.

    Args:
        limit: how many at most.

    Attributes:
        bytes: of memory that they take.
    """

    def __init__(self, limit: int):
        self._texts: deque[str] = deque()
        self._limit = limit
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def put(self, text: str, limit_bytes: int) -> None:
        """Add a text; the oldest make room.

        Args:
            text: to keep.
            limit_bytes: of memory that all may take.
        """
        self._texts.append(text)
        self.bytes += sys.getsizeof(text)
        if len(self._texts) > self._limit:
            self._drop()
        self.trim(limit_bytes)

    def trim(self, limit_bytes: int) -> None:
        """Drop the oldest, until the others take no more than so much.

        Args:
            limit_bytes: of memory.
        """
        while self.bytes > limit_bytes:
            self._drop()

    def _drop(self) -> None:
        self.bytes -= sys.getsizeof(self._texts.popleft())
