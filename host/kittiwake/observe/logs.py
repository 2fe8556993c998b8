"""The log on stderr, as text or as one JSON object a line. Secrets never reach a logger, so none is filtered here.

Peers cause most lines, and write parts of them: how many there are, how long they are and what a terminal makes of them
is bounded here, for whatever logs.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TextIO

BURST_LINES = 100
LINE_EVERY_S = 10.0  # after a burst: 360 lines of a kind an hour
LINE_LIMIT = 600  # characters
_KINDS_LIMIT = 4096
KEPT_LINES = 200

_kept: deque[dict[str, object]] = deque(maxlen=KEPT_LINES)


class LineLimit(logging.Filter):
    """Lets a burst of lines of one kind through, then one in a while, which says how many were dropped.

    Lines are of a kind when they have the same form; those that begin with a port are counted by port, so that one
    device's do not use up another's. Tracebacks, and lines that are marked with `is_limited`, have limits elsewhere.

    Args:
        clock_s: seconds that never go back, for tests.

    Attributes:
        dropped: lines that were dropped.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic):
        super().__init__()
        self._clock_s = clock_s
        self._kinds: OrderedDict[tuple[str, str], tuple[float, float, int]] = (
            OrderedDict()
        )  # lines left, since, dropped
        self.dropped = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide on a line, and make it fit."""
        text = record.getMessage()
        if not getattr(record, "is_limited", False) and not record.exc_info:
            dropped = self._take(record)
            if dropped is None:
                self.dropped += 1
                return False
            text += f" ({dropped} more of the kind before)" if dropped else ""
        if len(text) > LINE_LIMIT:
            text = f"{text[:LINE_LIMIT]}…"
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        record.msg, record.args = shown, ()
        return True

    def _take(self, record: logging.LogRecord) -> int | None:
        """Give how many of the kind were dropped before this one, None to drop it as well."""
        form, now_s = str(record.msg), self._clock_s()
        subject = str(record.args[0]) if form.startswith("%s: ") and isinstance(record.args, tuple) else ""
        left, since_s, dropped = self._kinds.pop((form, subject), (float(BURST_LINES), now_s, 0))
        left = min(left + (now_s - since_s) / LINE_EVERY_S, BURST_LINES)
        is_taken = left >= 1
        self._kinds[form, subject] = (left - is_taken, now_s, 0 if is_taken else dropped + 1)
        if len(self._kinds) > _KINDS_LIMIT:
            self._kinds.popitem(last=False)
        return dropped if is_taken else None


class JsonFormatter(logging.Formatter):
    """One object a line: ts, level, logger, message; event and security where it has them; error with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        line: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if hasattr(record, "event"):
            line["event"] = record.event
            if getattr(record, "is_security", False):
                line["security"] = True
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _Lines(logging.StreamHandler[TextIO]):
    """Writes a line to stderr, keeps it, and gives it to others; all behind one limit, which counts it once."""

    def __init__(self, also: Sequence[logging.Handler]):
        super().__init__(sys.stderr)
        self._also = also

    def emit(self, record: logging.LogRecord) -> None:
        """Write it."""
        super().emit(record)
        for handler in self._also:
            handler.handle(record)
        line = {"at": round(record.created * 1000), "level": record.levelname.lower(), "text": record.getMessage()}
        _kept.append(line)


def kept(limit: int = KEPT_LINES) -> list[dict[str, object]]:
    """Give the newest lines of the process's log, the oldest first.

    Args:
        limit: how many at most.

    Returns:
        Of each `at`, UTC in milliseconds, `level` and `text`.
    """
    return list(_kept)[-limit:] if limit > 0 else []


def set_up(form: str, level: str, also: Sequence[logging.Handler] = ()) -> LineLimit:
    """Send the process's log to stderr.

    Args:
        form: "text" or "json".
        level: "debug", "info", "warning" or "error".
        also: who else gets the lines that are let through.

    Returns:
        What bounds it, for its counter.
    """
    handler = _Lines(also)
    if form == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    limit = LineLimit()
    handler.addFilter(limit)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    return limit
