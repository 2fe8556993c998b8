"""Complaints about what peers cause: each is counted, and one in a while is logged. It knows no peer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import ClassVar

EVERY_S = 60.0
LIMITED = {"is_limited": True}  # of a line whose number is bounded where it is written


class Complaints:
    """Complaints of one kind.

    Args:
        log: where they go.
        every_s: seconds between two lines at least.
        clock_s: seconds that never go back, for tests.

    Attributes:
        count: complaints so far, logged or not.
        all_dropped: complaints of every kind in this process that were not logged.
        told_s: when the newest was, of the clock.
    """

    all_dropped: ClassVar[int] = 0

    def __init__(self, log: logging.Logger, every_s: float = EVERY_S, clock_s: Callable[[], float] = time.monotonic):
        self._log, self._every_s, self._clock_s = log, every_s, clock_s
        self._next_s = float("-inf")
        self._logged = 0
        self.count = 0
        self.told_s = float("-inf")

    def tell(self, text: str, error: BaseException | None = None, extra: Mapping[str, object] | None = None) -> None:
        """Count a complaint, and log it unless one was logged a short time ago.

        Args:
            text: one line.
            error: whose traceback goes with it; None for none.
            extra: fields of the log's record.
        """
        self.count += 1
        now_s = self.told_s = self._clock_s()
        if now_s < self._next_s:
            Complaints.all_dropped += 1
            return
        more = self.count - self._logged - 1
        self._next_s, self._logged = now_s + self._every_s, self.count
        level = logging.WARNING if error is None else logging.ERROR
        tail = f" ({more} more of the kind before)" if more else ""
        self._log.log(level, "%s%s", text, tail, exc_info=error, extra={**LIMITED, **(extra or {})})
