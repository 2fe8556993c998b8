"""What channels are: sensor, unit, scale and offset, as their messages say it, and from which record on. Pure.

A board's settings are in force from its start, so within a boot a channel is described once. For each boot the record
that says it first is kept: whatever order records come in, and however often, the result is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple, TypeGuard

from kittiwake.history.row import NUL, TEXT_LIMIT, TS_MOST_MS, Row

_CACHED = 100_000
_SAID = itemgetter("sensor_id", "unit", "scale", "offset")


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


class Descriptions:
    """What a store knows of descriptions, so that it writes few of those that rows say.

    It remembers of each stream and boot what was said last, and the least number that said it.
    """

    def __init__(self) -> None:
        self._said: dict[tuple[int, int], tuple[tuple[object, ...], int]] = {}

    def forget(self) -> None:
        """Know nothing: a transaction was rolled back, or it has become too much."""
        self._said.clear()

    def unknown(self, new: Iterable[tuple[int, int, Row]]) -> dict[DescriptionKey, FirstSaid]:
        """Give the descriptions in rows of which it is not known that the store has them from an earlier record.

        Args:
            new: (journal, stream, row) each; from now on they count as written.
        """
        if len(self._said) > _CACHED:
            self.forget()
        first: dict[DescriptionKey, FirstSaid] = {}
        for _, stream, row in new:
            body = row.body
            try:
                said = _SAID(body)
            except KeyError:  # most rows are summaries, which say all four
                if "unit" not in body:
                    continue
                said = body.get("sensor_id"), body["unit"], body.get("scale", ""), body.get("offset", "")
            key = stream, row.boot
            known = self._said.get(key)
            if known is not None and known[1] <= row.seq and known[0] == said:
                continue
            self._said[key] = said, row.seq
            if _is_description(said):
                described = DescriptionKey(*key, *said)
                least = first.get(described)
                if least is None or row.seq < least.seq:
                    first[described] = FirstSaid(row.seq, row.uptime_ms, row.ts_ms)
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


def _is_description(said: tuple[object, ...]) -> TypeGuard[tuple[str, str, str, str]]:
    """Whether it is what a channel can have: short texts, and a scale with its offset or neither."""
    texts = [text for text in said if type(text) is str and len(text) <= TEXT_LIMIT and NUL not in text]
    return len(texts) == len(said) and bool(texts[2]) == bool(texts[3])
