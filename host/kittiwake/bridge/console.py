"""One device's console text in the log: so many bytes an hour and no more, and nothing that a terminal acts on.

It knows no link. A board in a loop of resets, or a line that is not ours, can fill a disk in a day.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from kittiwake.peers.complaints import LIMITED, Complaints

log = logging.getLogger(__name__)

RATE_BYTES_S = 200  # with the rest of each line, under 1 MB an hour
BURST_BYTES = 16 * 1024  # a traceback or two at once
_LINE_CHARACTERS = 400
_LINE_BYTES = 100  # time, level, port: what a line costs beside its text


class Console:
    """One device's.

    Args:
        url: of its port, which every line names.
        clock_s: seconds that never go back, for tests.
    """

    def __init__(self, url: str, clock_s: Callable[[], float] = time.monotonic):
        self._url, self._clock_s = url, clock_s
        self._left_bytes = float(BURST_BYTES)
        self._filled_s = clock_s()
        self._complaints = Complaints(log)

    @property
    def dropped(self) -> int:
        """Lines that were not logged."""
        return self._complaints.count

    def take(self, text: bytes) -> list[str]:
        """Log what a device wrote, as far as it may.

        Args:
            text: as received; what is no UTF-8, and control characters, are shown as escapes.

        Returns:
            Its lines, the empty ones left out, logged or not.
        """
        lines = [line for line in text.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
        for line in lines:
            self._log(line)
        return lines

    def _log(self, line: str) -> None:
        now_s = self._clock_s()
        self._left_bytes = min(self._left_bytes + (now_s - self._filled_s) * RATE_BYTES_S, BURST_BYTES)
        self._filled_s = now_s
        safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line[:_LINE_CHARACTERS])
        cost = len(safe.encode()) + _LINE_BYTES
        if cost > self._left_bytes:
            self._complaints.tell(f"{self._url}: console: too much text, lines are dropped")
            return
        self._left_bytes -= cost
        log.info("%s: console: %s", self._url, safe, extra=LIMITED)
