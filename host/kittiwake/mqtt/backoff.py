"""How long to wait before the next attempt to connect, and whether another program takes our connection each time.

Two programs with one client id take each other's session for as long as both come back at once. MQTT 5 has a word for
it; brokers that say nothing close the connection, and accept the next at once, again and again. It opens nothing.
"""

from __future__ import annotations

import random

_STEADY_S = 5.0
_CLOSINGS = 3
_PEACE_WAITS = 4


class Backoff:
    """Jittered waits that grow from the first to the last, and begin anew after a connection that lasted.

    Args:
        first_s: before the second attempt.
        last_s: between attempts at most; half of it is drawn at random.

    Attributes:
        is_contested: it seems that another program connects with our client id.
    """

    def __init__(self, first_s: float, last_s: float):
        self._first_s, self._last_s = first_s, last_s
        self._wait_s = first_s
        self._connected_s = 0.0
        self._closings = 0  # without a word, each after a connection that was accepted at once
        self._is_accepted_at_once = False
        self.is_contested = False

    def reset(self) -> None:
        """Come back soon: it was ourselves who left."""
        self._wait_s = self._first_s

    def next_s(self) -> float:
        """Give the seconds to wait now; the next wait is longer."""
        wait_s = self._wait_s
        self._wait_s = min(wait_s * 2, self._last_s)
        return random.uniform(wait_s / 2, wait_s)

    def failed(self) -> None:
        """An attempt failed: it is the broker that is away."""
        self._is_accepted_at_once = False

    def connected(self, now_s: float) -> None:
        """The broker has accepted us.

        Args:
            now_s: seconds that never go back.
        """
        self._connected_s = now_s
        self._closings = self._closings + 1 if self._is_accepted_at_once else 0

    def lost(self, now_s: float, is_taken_over: bool, is_wordless: bool) -> None:
        """That connection is lost.

        Args:
            now_s: seconds that never go back.
            is_taken_over: the broker said that another program has connected with our client id.
            is_wordless: it closed the connection and said nothing.
        """
        lasted_s = now_s - self._connected_s
        self._is_accepted_at_once = is_wordless and lasted_s < _PEACE_WAITS * self._last_s
        self.is_contested = is_taken_over or (self._is_accepted_at_once and self._closings >= _CLOSINGS)
        # To come back at once would take it from the other.
        if lasted_s >= _STEADY_S and not self.is_contested:
            self._wait_s = self._first_s
