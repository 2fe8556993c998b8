"""A security event as a syslog message: RFC 5424's form in RFC 5425's frame. Pure; it opens nothing."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

import kittiwake

_FACILITY = 10  # security and authorization messages
_SEVERITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 5), (logging.DEBUG, 6))
_SEQUENCE_MOST = 2147483647
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # says that the text is UTF-8


@dataclass(frozen=True)
class SecurityEvent:
    """What happened.

    Args:
        ts_us: when, UTC in microseconds since 1970.
        level: of logging.
        name: of events.SECURITY.
        text: the log's line, printable.
    """

    ts_us: int
    level: int
    name: str
    text: str


def frame(event: SecurityEvent, number: int, host: str, app: str, process: int) -> bytes:
    """Write an event.

    Args:
        event: what happened.
        number: which it is of this process's, from 1; one that is sent twice has the same.
        host: this machine's name.
        app: the process's.
        process: its id.

    Returns:
        The message with its length in front.
    """
    severity = next((value for level, value in _SEVERITIES if event.level >= level), 7)
    moment = datetime.fromtimestamp(event.ts_us / 1e6, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    origin = f'[origin software="kittiwake" swVersion="{_escaped(kittiwake.__version__)}"]'
    meta = f'[meta sequenceId="{(number - 1) % _SEQUENCE_MOST + 1}"]'
    head = (
        f"<{8 * _FACILITY + severity}>1 {moment} {_word(host, 255)} {_word(app, 48)} {process} {_word(event.name, 32)}"
    )
    content = f"{head} {origin}{meta} {_BOM}{event.text}".encode(errors="replace")
    return b"%d %s" % (len(content), content)


def _word(text: str, limit: int) -> str:
    """A field of printable ASCII without spaces; "-" for none."""
    return "".join(c if "!" <= c <= "~" else "_" for c in text)[:limit] or "-"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in '"\\]' else c for c in text)
