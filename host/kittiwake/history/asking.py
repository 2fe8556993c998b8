"""Asking a history: devices, series, alerts, the audit. It knows what is asked, not which database answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

from kittiwake.errors import ConfigError
from kittiwake.history import questions, readers, rollups
from kittiwake.history.answers import Device, Message
from kittiwake.history.audit import JournalAudit
from kittiwake.history.described import ChannelSpan, Said, spans

_EVICTED = ("evicted_raw", "evicted_telemetry", "evicted_alert")
_GAPS = 5
_EVER = 1 << 62


def open_history(database: str | Path) -> History:
    """Open a history to ask.

    Args:
        database: path of the file that `kittiwake history run` writes, or a PostgreSQL server's address.

    Returns:
        It; a context manager.

    Raises:
        ConfigError: there is no such file.
        KittiwakeError: it is no history of this version, or does not answer.
    """
    return History(readers.connect(str(database)))


class History:
    """A history to ask; see `open_history`."""

    def __init__(self, reader: readers.Reader):
        self._reader = reader

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._reader.close()

    def channels(self) -> dict[str, tuple[str, ...]]:
        """Name the channels of each device, without a look at their records."""
        channels: dict[str, list[str]] = {}
        for device, channel in self._reader.rows(
            "SELECT DISTINCT device, channel FROM streams JOIN journals ON journals.id = journal_id"
            " ORDER BY device, channel"
        ):
            channels.setdefault(device, []).extend([channel] if channel else [])
        return {device: tuple(names) for device, names in channels.items()}

    def described(self, device: str | None = None) -> list[ChannelSpan]:
        """Say what channels are, and were: sensor, unit, scale and offset, from which record on.

        Args:
            device: its id; None for all.

        Returns:
            Spans by device and channel, the earliest first.
        """
        where: LiteralString = "" if device is None else " WHERE device = ?"
        rows = self._reader.rows(
            'SELECT device, channel, journal, descriptions.boot, sensor_id, unit, scale, "offset", descriptions.seq,'
            " coalesce(ts_ms, uptime_ms + epoch_ms) FROM descriptions JOIN streams ON streams.id = stream_id"
            " JOIN journals ON journals.id = streams.journal_id LEFT JOIN boots"
            " ON boots.journal_id = streams.journal_id AND boots.boot = descriptions.boot"
            f"{where} ORDER BY device, channel, journals.id, descriptions.boot, descriptions.seq",
            () if device is None else (device,),
        )
        return spans(Said(*row) for row in rows)

    def newest(self) -> dict[tuple[str, str], tuple[int, datetime]]:
        """Give each journal's greatest sequence number, and when that came: without a look at other records.

        Returns:
            (device, journal) -> (sequence number, arrival).
        """
        return {
            (device, journal): (seq, _moment(arrived))
            for device, journal, seq, arrived in self._reader.rows(
                # CROSS: SQLite keeps that order; else it goes through all records for the few journals.
                "SELECT device, journal, seq, arrived_ms FROM journals CROSS JOIN records"
                " WHERE journal_id = journals.id"
                " AND seq = (SELECT max(seq) FROM records WHERE journal_id = journals.id)"
            )
        }

    def devices(self) -> list[Device]:
        """List the devices, by name."""
        channels = self.channels()
        return [
            Device(device, journals, rows, _time(first), _time(last), _moment(arrived), channels[device])
            for device, journals, rows, first, last, arrived in self._reader.rows(
                "SELECT device, count(DISTINCT journal), sum(n), min(first), max(last), max(arrived) FROM"
                " (SELECT journal_id, count(*) AS n, min(ts_ms) AS first, max(ts_ms) AS last,"
                " max(arrived_ms) AS arrived FROM records GROUP BY journal_id) AS counted"
                " JOIN journals ON journals.id = journal_id GROUP BY device ORDER BY device"
            )
        ]

    def summaries(
        self,
        device: str,
        channel: str,
        since: datetime | None = None,
        until: datetime | None = None,
        every_s: int = 60,
    ) -> list[rollups.Bucket]:
        """Give the exact sums of a channel's samples, a span of time each.

        Args:
            device: its id.
            channel: its name.
            since: no bucket that ends before; None for all.
            until: no bucket that begins at or after; None for all.
            every_s: width of a bucket, seconds: a multiple of 60.

        Returns:
            Buckets that have samples, by time; where the calibration changed within one, one of each.

        Raises:
            ConfigError: a width that is no multiple of a minute.
        """
        if every_s < rollups.WIDTHS_S[0] or every_s % rollups.WIDTHS_S[0]:
            raise ConfigError(f"a width of {every_s} s is no multiple of a minute", "use 1m, 15m, 1h, 1d")
        width_s = max(width for width in rollups.WIDTHS_S if every_s % width == 0)
        rows = self._reader.rows(
            'SELECT start_s, n, s, q, least, most, anomalies, unit, scale, "offset" FROM rollups'
            " JOIN streams ON streams.id = stream_id JOIN journals ON journals.id = journal_id"
            " JOIN calibrations ON calibrations.id = calibration_id"
            " WHERE device = ? AND channel = ? AND width_s = ? AND start_s >= ? AND start_s < ?",
            (
                *(device, channel, width_s),
                -_EVER if since is None else int(since.timestamp()) - width_s + 1,
                _EVER if until is None else int(until.timestamp()),
            ),
        )
        buckets = [
            rollups.Bucket(
                datetime.fromtimestamp(start_s, UTC),
                width_s,
                rollups.Sums(*(int(value) for value in sums)),
                rollups.Calibration(unit, scale, offset),
            )
            for start_s, *sums, unit, scale, offset in rows
        ]
        return rollups.joined(buckets, every_s)

    def messages(
        self,
        kind: str,
        device: str | None = None,
        channel: str | None = None,
        since: datetime | None = None,
        limit: int = 1000,
    ) -> Iterator[Message]:
        """Give records of a kind, the newest first, those without a time by their arrival.

        Args:
            kind: "alert", "reading", "event", ….
            device: its id; None for all.
            channel: its name; None for all.
            since: none before; None for all.
            limit: how many at most.

        Yields:
            A record each.
        """
        question: LiteralString = questions.MESSAGES + " WHERE kind = ? AND coalesce(ts_ms, arrived_ms) >= ?"
        values: list[object] = [kind, 0 if since is None else int(since.timestamp() * 1000)]
        if device is not None:
            question += " AND device = ?"
            values.append(device)
        if channel is not None:
            question += " AND channel = ?"
            values.append(channel)
        question += " ORDER BY coalesce(ts_ms, arrived_ms) DESC, seq DESC LIMIT ?"
        yield from map(_message, self._reader.rows(question, (*values, limit)))

    def journal(self, device: str, journal: str, before: int | None = None, limit: int = 100) -> list[Message]:
        """Give a journal's records of every kind, the newest first.

        Args:
            device: its id.
            journal: of it.
            before: only lower sequence numbers; None for all.
            limit: how many at most.
        """
        values = device, journal, _EVER if before is None else before, limit
        return [_message(row) for row in self._reader.rows(questions.JOURNAL, values)]

    def between(self, start: datetime, end: datetime) -> Iterator[Message]:
        """Give every record of a span, those without a time by their arrival; by device, kind and time.

        Args:
            start: of the span.
            end: of it; a record of that moment is not in it.

        Yields:
            A record each; they are read as they are taken.
        """
        span = int(start.timestamp() * 1000), int(end.timestamp() * 1000)
        yield from map(_message, self._reader.each(questions.MESSAGES + questions.SPAN, span))

    def days(self) -> list[tuple[date, int]]:
        """List the days (UTC) that have records, and how many; those without a time count by their arrival."""
        return [
            (date(1970, 1, 1) + timedelta(days=day), records)
            for day, records in self._reader.rows(
                "SELECT coalesce(ts_ms, arrived_ms) / 86400000 AS day, count(*) FROM records"
                " WHERE coalesce(ts_ms, arrived_ms) >= 0 GROUP BY day ORDER BY day"
            )
        ]

    def audit(self, settled: datetime | None = None) -> list[JournalAudit]:
        """Hold every journal's sequence numbers against what the board and the history's retention say of them.

        Args:
            settled: numbers are only awaited, and not missing, where the next one that is there came after this
                moment; None where nothing is on its way any more.
        """
        settled_ms = _EVER if settled is None else int(settled.timestamp() * 1000)
        dropped = {
            journal: (int(records), first, last)
            for journal, records, first, last in self._reader.rows(
                "SELECT journal_id, sum(records), min(first_seq), max(last_seq) FROM dropped GROUP BY journal_id"
            )
        }
        audits = []
        for number, device, journal, rows, first, last, arrived_ms in self._reader.rows(
            "SELECT journals.id, device, journal, count(seq), min(seq), max(seq), max(arrived_ms)"
            " FROM journals LEFT JOIN records ON journals.id = journal_id"
            " GROUP BY journals.id, device, journal ORDER BY device, journal"
        ):
            taken, first_taken, last_taken = dropped.get(number, (0, first, last))
            if first_taken is None:
                continue  # a journal whose first transaction has put in nothing
            first = first_taken if first is None else min(first, first_taken)
            last = last_taken if last is None else max(last, last_taken)
            gaps: list[tuple[int, int, int]] = []
            if last - first + 1 != rows + taken:
                gaps = [(a, b, c) for a, b, c in self._reader.rows(questions.GAPS_OF_A_JOURNAL, (number,))]
            awaited = sum(b - a + 1 for a, b, c in gaps if c > settled_ms)
            shown = tuple((a, b) for a, b, c in gaps if c <= settled_ms)[-_GAPS:]
            newest = None if arrived_ms is None else _moment(arrived_ms)
            explained = self._evicted(number), taken, awaited
            audits.append(JournalAudit(device, journal, rows, first, last, newest, *explained, shown))
        return audits

    def _evicted(self, number: int) -> int:
        # Counts only grow, within a journal; the newest health record has them.
        newest = self._reader.rows(
            "SELECT payload FROM records JOIN streams ON streams.id = stream_id"
            " WHERE records.journal_id = ? AND kind = 'health' ORDER BY seq DESC LIMIT 1",
            (number,),
        )
        if not newest:
            return 0
        body = json.loads(newest[0][0])
        counts = [body.get(name, 0) for name in _EVICTED]
        return sum(count for count in counts if isinstance(count, int))


def _message(row: tuple[Any, ...]) -> Message:
    device, journal, seq, kind, channel, ts_ms, repaired, arrived_ms, payload = row
    return Message(device, journal, seq, kind, channel, _time(ts_ms), bool(repaired), _moment(arrived_ms), payload)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else _moment(ms)
