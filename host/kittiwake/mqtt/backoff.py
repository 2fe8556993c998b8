"""How long to wait before the next attempt: longer each time, and never for all clients the same."""

from __future__ import annotations

import random


class Backoff:
    """Waits that double up to a bound; half of each is drawn at random.

    Args:
        first_s: the wait after a connection that served, seconds.
        last_s: the longest one, seconds.
    """

    def __init__(self, first_s: float, last_s: float):
        self._first_s, self._last_s = first_s, last_s
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._wait_s = self._first_s

    def next_s(self) -> float:
        """Give the next wait, in seconds."""
        wait_s = random.uniform(self._wait_s / 2, self._wait_s)
        self._wait_s = min(self._wait_s * 2, self._last_s)
        return wait_s
