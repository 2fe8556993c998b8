"""What pages ask of the history: series of a channel at the width that a plot needs, alerts, snapshots.

Each question opens the history anew, on a thread of its own: a history that comes later, or is made again, is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.history import open_history
from kittiwake.history.answers import Message
from kittiwake.history.rollups import Bucket

# Widths of a bucket, seconds: of each the history has the sums, or joins them exactly.
WIDTHS_S = (60, 300, 900, 3600, 4 * 3600, 86400, 7 * 86400)
POINTS = 1500
ALERTS_LIMIT = 5000
_SNAPSHOTS_LIMIT = 2000
_BOOTS_LIMIT = 10_000
_READINGS_LIMIT = 180_000  # an hour of the fastest channel that publishes every sample
_SNAPSHOT_SPAN = timedelta(minutes=5)


def width_of(since: datetime, until: datetime, points: int = POINTS) -> int:
    """Choose how wide a bucket is, so that a span has no more than so many.

    Args:
        since: begin of the span.
        until: its end.
        points: buckets at most.

    Returns:
        Seconds; the widest there is where even those are too many.
    """
    span_s = (until - since).total_seconds()
    return next((width for width in WIDTHS_S if span_s <= width * points), WIDTHS_S[-1])


@dataclass
class Past:
    """What a history knows of a device before the window has heard of it.

    Attributes:
        arrived_ms: when its newest record came, UTC.
        firmware: that its newest boot record names.
        alerts: of the last day: (journal, sequence number) and when each came.
    """

    arrived_ms: int
    firmware: str = ""
    alerts: list[tuple[tuple[str, int], int]] = field(default_factory=list)


class Archive:
    """A history to ask.

    Args:
        database: of `kittiwake history run`; "" for none.
    """

    def __init__(self, database: str):
        self.database = database

    def past(self, now: datetime) -> dict[str, Past]:
        """Give what is known of each device.

        Args:
            now: the time.

        Raises:
            KittiwakeError: there is no history, or it does not answer.
        """
        with open_history(self._path()) as history:
            known = {device.device: Past(_ms(device.arrived)) for device in history.devices()}
            boots = list(history.messages("boot", limit=_BOOTS_LIMIT))
            alerts = list(history.messages("alert", since=now - timedelta(days=1), limit=ALERTS_LIMIT))
        for boot in reversed(boots):
            if boot.device in known and isinstance(firmware := boot.body.get("firmware"), str):
                known[boot.device].firmware = firmware
        for alert in alerts:
            if alert.device in known:
                known[alert.device].alerts.append(((alert.journal, alert.seq), _ms(alert.arrived)))
        return known

    def newest(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Give of each device's journal the greatest sequence number, and when that came, UTC in milliseconds.

        Raises:
            KittiwakeError: there is no history, or it does not answer.
        """
        with open_history(self._path()) as history:
            return {key: (seq, _ms(arrived)) for key, (seq, arrived) in history.newest().items()}

    def series(self, device: str, channel: str, since: datetime, until: datetime) -> dict[str, Any]:
        """Give a channel's samples over a span, as columns.

        Args:
            device: its id.
            channel: its name.
            since: begin of the span.
            until: its end.

        Raises:
            KittiwakeError: there is no history, or it does not answer.
        """
        width_s = width_of(since, until)
        with open_history(self._path()) as history:
            buckets = history.summaries(device, channel, since, until, every_s=width_s)
        # Of several calibrations in one span the newest one's unit is the plot's.
        unit = buckets[-1].unit if buckets else ""
        columns = [_figures(bucket) for bucket in buckets if bucket.unit == unit and bucket.sums.n]
        names = ("t", "mean", "low", "high", "stdev", "n", "anomalies")
        return {
            "width_s": width_s,
            "unit": unit,
            **{name: [row[place] for row in columns] for place, name in enumerate(names)},
        }

    def alerts(self, device: str | None, since: datetime, limit: int) -> list[dict[str, Any]]:
        """List alerts, the newest first.

        Args:
            device: its id; None for all.
            since: none before.
            limit: how many at most.

        Raises:
            KittiwakeError: there is no history, or it does not answer.
        """
        with open_history(self._path()) as history:
            messages = list(history.messages("alert", device, since=since, limit=min(limit, ALERTS_LIMIT)))
        return [
            {
                **message.body,
                "device": message.device,
                "channel": message.channel,
                "at": _ms(message.ts or message.arrived),
                "time_known": message.ts is not None,
            }
            for message in messages
        ]

    def snapshots(self, device: str, channel: str, around: datetime) -> dict[str, list[dict[str, object]]]:
        """Give the parts of snapshots that were made about a time, and two summaries, which tell scale and rate.

        Args:
            device: its id.
            channel: its name.
            around: the time of what they show.

        Raises:
            KittiwakeError: there is no history, or it does not answer.
        """
        begin, end = around - _SNAPSHOT_SPAN, around + _SNAPSHOT_SPAN
        with open_history(self._path()) as history:
            messages = list(history.messages("snapshot", device, channel, since=begin, limit=_SNAPSHOTS_LIMIT))
            summaries = list(history.messages("summary", device, channel, limit=2))
        parts = [message.body for message in messages if (message.ts or message.arrived) <= end]
        return {"parts": parts, "summaries": [summary.body for summary in reversed(summaries)]}

    def journal(self, device: str, journal: str, before: int | None, limit: int) -> dict[str, Any]:
        """Give a device's journals, and of one of them records of every kind, the newest first.

        Args:
            device: its id.
            journal: of it; "" for the one that was heard of last.
            before: only lower sequence numbers; None for all.
            limit: how many at most.

        Returns:
            `journals`: their names, the one that was heard of last first; `journal`: the one that is shown; `records`:
            their bodies, with `arrived`, UTC in milliseconds, and of samples their number alone.

        Raises:
            KittiwakeError: there is no history, or it does not answer.
        """
        with open_history(self._path()) as history:
            heard = {name: arrived for (owner, name), (_, arrived) in history.newest().items() if owner == device}
            names = sorted(heard, key=lambda name: heard[name], reverse=True)
            shown = journal or next(iter(names), "")
            messages = history.journal(device, shown, before, limit)
        return {"journals": names, "journal": shown, "records": [_entry(message) for message in messages]}

    def readings(self, device: str, channel: str, since: datetime) -> dict[str, Any]:
        """Give the newest samples of a channel that publishes them, back to the first gap.

        Args:
            device: its id.
            channel: its name.
            since: none before.

        Returns:
            `samples`, LSB, in order, and `rate_hz`, of their times; 0 where there are not two.

        Raises:
            KittiwakeError: there is no history, or it does not answer.
        """
        with open_history(self._path()) as history:
            bodies: list[dict[str, Any]] = [
                m.body for m in history.messages("reading", device, channel, since=since, limit=_READINGS_LIMIT)
            ]
        bodies.sort(key=lambda body: (body["boot"], body["index"]), reverse=True)
        run = bodies[:1]
        for body in bodies[1:]:
            if (
                any(body[name] != run[-1][name] for name in ("journal", "boot"))
                or body["index"] != run[-1]["index"] - 1
            ):
                break
            run.append(body)
        took_ms = run[0]["uptime_ms"] - run[-1]["uptime_ms"] if run else 0
        rate_hz = (len(run) - 1) * 1000 / took_ms if took_ms else 0
        return {"samples": [body["x"] for body in reversed(run)], "rate_hz": rate_hz}

    def _path(self) -> str:
        if not self.database:
            raise KittiwakeError("this window was given no history", "start it with --database")
        return self.database


def moment(ms: int) -> datetime:
    """A time of a page's.

    Args:
        ms: UTC, milliseconds since 1970.

    Raises:
        ValueError: no calendar has it.
    """
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{ms} is no time") from error


def _entry(message: Message) -> dict[str, object]:
    body = {**message.body, "device": message.device, "seq": message.seq, "arrived": _ms(message.arrived)}
    samples = body.pop("samples_lsb", None)
    return body | ({"samples": len(samples)} if isinstance(samples, list) else {})


def _figures(bucket: Bucket) -> tuple[object, ...]:
    sums = bucket.sums
    return _ms(bucket.start) // 1000, bucket.mean, bucket.low, bucket.high, bucket.stdev, sums.n, sums.anomalies


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
