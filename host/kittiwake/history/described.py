"""What channels are: sensor, unit, scale and offset, as their messages say it, and from which record on. Pure.

A board's settings are in force from its start, so within a boot a channel is described once. For each boot the record
that says it first is kept: whatever order records come in, and however often, the result is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from kittiwake.history.row import NUL, TEXT_LIMIT, TS_MOST_MS, Row


class DescriptionKey(NamedTuple):
    """A description that the messages of a stream and a boot give. What they do not say is ""."""

    stream: int
    boot: int
    sensor_id: str
    unit: str
    scale: str
    offset: str


class FirstSaid(NamedTuple):
    """The record that says it first; ts_ms is that record's own time, None where it had none."""

    seq: int
    uptime_ms: int
    ts_ms: int | None


class Said(NamedTuple):
    """A description as the database has it, with the names that its numbers stand for."""

    device: str
    channel: str
    journal: str
    boot: int
    sensor_id: str
    unit: str
    scale: str
    offset: str
    seq: int
    ts_ms: int | None


@dataclass(frozen=True)
class ChannelSpan:
    """What a channel was from a record on, until the next span of the same device and channel.

    Attributes:
        device, channel: which.
        journal, seq, boot: key and start of the record that said it first.
        since: time of that record; None where it is not known.
        sensor_id, unit: as the board's settings have them.
        scale, offset: units an LSB and at zero, as exact texts ("1/100"); "" where no message said them: summaries do.
    """

    device: str
    channel: str
    journal: str
    seq: int
    boot: int
    since: datetime | None
    sensor_id: str
    unit: str
    scale: str
    offset: str


def first_said(new: Iterable[tuple[int, int, Row]]) -> dict[DescriptionKey, FirstSaid]:
    """Give the descriptions that rows say, and which of them says each first.

    Args:
        new: (journal, stream, row) each.
    """
    first: dict[DescriptionKey, FirstSaid] = {}
    for _, stream, row in new:
        said = _of(row.body)
        if said is not None:
            key = DescriptionKey(stream, row.boot, *said)
            known = first.get(key)
            if known is None or row.seq < known.seq:
                first[key] = FirstSaid(row.seq, row.uptime_ms, row.ts_ms)
    return first


def spans(said: Iterable[Said]) -> list[ChannelSpan]:
    """Join what boots say alike, and what kinds of messages say of one channel: some say no scale.

    Args:
        said: by device, channel, journal, boot and number.

    Returns:
        Spans, in the same order; two in a row of one journal's channel differ.
    """
    joined: list[ChannelSpan] = []
    for at in said:
        since = None
        if at.ts_ms is not None and 0 <= at.ts_ms <= TS_MOST_MS:
            since = datetime.fromtimestamp(at.ts_ms / 1000, UTC)
        span = ChannelSpan(at.device, at.channel, at.journal, at.seq, at.boot, since, *at[4:8])
        before = joined[-1] if joined else None
        if before is None or not _goes_on(before, span):
            joined.append(span)
        elif not before.scale:
            joined[-1] = replace(before, scale=span.scale, offset=span.offset)
    return joined


def _goes_on(before: ChannelSpan, span: ChannelSpan) -> bool:
    names = ("device", "channel", "journal", "sensor_id", "unit")
    if any(getattr(before, name) != getattr(span, name) for name in names):
        return False
    return "" in (before.scale, span.scale) or (before.scale, before.offset) == (span.scale, span.offset)


def _of(body: Mapping[str, object]) -> tuple[str, str, str, str] | None:
    """What a message says of its channel; None where it says no sensor and unit, or what no channel can have."""
    if "unit" not in body:
        return None
    sensor_id, unit, scale, offset = body.get("sensor_id"), body["unit"], body.get("scale", ""), body.get("offset", "")
    if not (type(sensor_id) is type(unit) is type(scale) is type(offset) is str):
        return None
    if max(len(sensor_id), len(unit), len(scale), len(offset)) > TEXT_LIMIT or NUL in sensor_id + unit + scale + offset:
        return None
    return (sensor_id, unit, scale, offset) if bool(scale) == bool(offset) else None
