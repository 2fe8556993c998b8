"""A row of history: a published record as the database keeps it. Pure; what a peer says is not believed.

The key is (device, journal, seq), for ever; the message's own bytes are kept, so that nothing it says is lost, and
what is asked for often stands beside them in columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from kittiwake.peers import json_text

LIMIT_BYTES = 65536
_JOURNAL = re.compile(r"[0-9a-f]{16}")
# As docs/spec/mqtt.md bounds them: what is beyond is no record of a board's, and no integer of a database's.
_SEQ_MOST = _BOOT_MOST = (1 << 32) - 1
_UPTIME_MOST = (1 << 48) - 1
TEXT_LIMIT = 128
NUL = "\0"  # PostgreSQL's texts cannot hold it
TS_MOST_MS = 253402300799999  # the end of year 9999, beyond which no time can be written
# Classes, as a board's journal has them: what has to make room goes first of RAW, last of ALERT.
RAW, TELEMETRY, ALERT = range(3)
_CLASSES = {"snapshot": RAW, "reading": TELEMETRY, "summary": TELEMETRY, "health": TELEMETRY}


class NotARecord(Exception):
    """A message that is no record: a status, a command, or somebody else's. The text says why."""


@dataclass(frozen=True)
class Row:
    """One record.

    Attributes:
        device, journal, seq: its key.
        kind: "reading", "summary", "alert", …, as in docs/spec/mqtt.md; kinds that are not known are kept as they came.
        channel: its name, "" where the kind has none.
        ts_ms: UTC in milliseconds since 1970; None where the board did not know it.
        boot, uptime_ms: of the board when the record was made.
        body: the message, JSON.
        payload: the message's bytes, as text.
    """

    device: str
    journal: str
    seq: int
    kind: str
    channel: str
    ts_ms: int | None
    boot: int
    uptime_ms: int
    body: dict[str, object]
    payload: str


def class_of(kind: str) -> int:
    """Give the class of a kind; what is not known is kept as long as alerts are."""
    return _CLASSES.get(kind, ALERT)


def read(topic: str, payload: bytes) -> Row:
    """Read a message.

    Args:
        topic: as published: BASE/DEVICE/KIND[/CHANNEL], or one of the configuration's choosing.
        payload: JSON.

    Returns:
        The record.

    Raises:
        NotARecord: it is none.
    """
    try:
        body = json_text.read(payload, LIMIT_BYTES)
    except json_text.Refusal as refusal:
        raise NotARecord(str(refusal)) from refusal
    if not isinstance(body, dict):
        raise NotARecord("no JSON object")
    journal = body.get("journal")
    if not isinstance(journal, str) or not _JOURNAL.fullmatch(journal):
        raise NotARecord("no journal id")
    device = _text(body, "device")
    levels = topic.split("/")
    # A configured topic says neither kind nor channel; then the message does.
    at = levels.index(device) if device in levels else len(levels)
    kind = body.get("kind", levels[at + 1] if at + 1 < len(levels) else "")
    channel = body.get("channel", levels[at + 2] if at + 2 < len(levels) else "")
    if not isinstance(kind, str) or not kind or len(kind) > TEXT_LIMIT or NUL in kind:
        raise NotARecord("no kind")
    if not isinstance(channel, str) or len(channel) > TEXT_LIMIT:
        channel = str(channel)[:TEXT_LIMIT]
    channel = channel.replace(NUL, "\N{REPLACEMENT CHARACTER}")
    return Row(
        device,
        journal,
        _number(body, "seq", _SEQ_MOST),
        kind,
        channel,
        _milliseconds(body.get("ts")),
        _number(body, "boot", _BOOT_MOST),
        _number(body, "uptime_ms", _UPTIME_MOST),
        body,
        payload.decode(),
    )


def _text(body: dict[str, object], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= TEXT_LIMIT or NUL in value:
        raise NotARecord(f"no {name}")
    return value


def _number(body: dict[str, object], name: str, most: int) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise NotARecord(f"no {name}")
    return value


def _milliseconds(text: object) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise NotARecord("a ts that is no time")
    since = moment - datetime.fromtimestamp(0, UTC)
    return (since.days * 86400 + since.seconds) * 1000 + since.microseconds // 1000
