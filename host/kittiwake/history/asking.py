"""Asking a history in a SQLite file: devices, series, alerts, the audit. Read-only; what is asked blocks no writer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.history import rollups, schema
from kittiwake.history.audit import JournalAudit

_EVICTED = ("evicted_raw", "evicted_telemetry", "evicted_alert")
_GAPS = 5


@dataclass(frozen=True)
class Device:
    """What is known of a device.

    Attributes:
        device: its id.
        journals: how many it had: a flash that is formatted begins another.
        rows: records.
        first, last: times of the earliest and the latest record; None without one that has a time.
        arrived: when the newest of its records came.
        channels: their names.
    """

    device: str
    journals: int
    rows: int
    first: datetime | None
    last: datetime | None
    arrived: datetime
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    """A record as it was published.

    Attributes:
        device, journal, seq: its key.
        kind, channel: of its topic.
        ts: its time; None where the board did not know it and nothing has repaired it.
        is_repaired: the time was told later, by a TIME record of the same boot.
        arrived: when it came.
        body: the message.
    """

    device: str
    journal: str
    seq: int
    kind: str
    channel: str
    ts: datetime | None
    is_repaired: bool
    arrived: datetime
    body: dict[str, object]


def open_history(path: str | Path) -> History:
    """Open a history to ask.

    Args:
        path: of the file that `kittiwake history run` writes.

    Returns:
        It; a context manager.

    Raises:
        ConfigError: there is no such file.
        KittiwakeError: it is no history of this version.
    """
    return History(Path(path))


class History:
    """A history to ask; see `open_history`."""

    def __init__(self, path: Path):
        if not path.exists():
            raise ConfigError(f"{path} is not there", "`kittiwake history run` writes it; name another with --database")
        self._path = path
        try:
            self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            version = schema.check(self._db, str(path))
        except sqlite3.Error as error:
            raise KittiwakeError(f"{path} cannot be opened: {error}", "see docs/howto/history.md") from error
        if version != schema.VERSION:
            raise KittiwakeError(f"{path} has schema {version}, not {schema.VERSION}", "start `kittiwake history run`")

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._db.close()

    def devices(self) -> list[Device]:
        """List the devices, by name."""
        channels: dict[str, list[str]] = {}
        for device, channel in self._rows(
            "SELECT DISTINCT device, channel FROM records JOIN journals ON journals.id = journal_id"
            " WHERE channel != '' ORDER BY channel"
        ):
            channels.setdefault(device, []).append(channel)
        return [
            Device(device, journals, rows, _time(first), _time(last), _moment(arrived), tuple(channels.get(device, ())))
            for device, journals, rows, first, last, arrived in self._rows(
                "SELECT device, count(DISTINCT journal), count(*), min(ts_ms), max(ts_ms), max(arrived_ms)"
                " FROM records JOIN journals ON journals.id = journal_id GROUP BY device ORDER BY device"
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
        bounds = (
            -(1 << 62) if since is None else int(since.timestamp()) - width_s + 1,
            1 << 62 if until is None else int(until.timestamp()),
        )
        rows = [
            rollups.Bucket(
                datetime.fromtimestamp(start_s, UTC),
                width_s,
                rollups.Sums(*(int(value) for value in sums)),
                rollups.Calibration(*calibration),
            )
            for start_s, *sums, unit, scale, offset in self._rows(
                'SELECT start_s, n, s, q, least, most, anomalies, unit, scale, "offset" FROM rollups'
                " JOIN journals ON journals.id = journal_id JOIN calibrations ON calibrations.id = calibration_id"
                " WHERE device = ? AND channel = ? AND width_s = ? AND start_s >= ? AND start_s < ?",
                (device, channel, width_s, *bounds),
            )
            for calibration in [(unit, scale, offset)]
        ]
        return rollups.joined(rows, every_s)

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
        for row in self._rows(
            "SELECT device, journal, seq, kind, channel, ts_ms, is_repaired, arrived_ms, payload"
            " FROM records JOIN journals ON journals.id = journal_id"
            " WHERE kind = ? AND (? IS NULL OR device = ?) AND (? IS NULL OR channel = ?)"
            " AND coalesce(ts_ms, arrived_ms) >= ? ORDER BY coalesce(ts_ms, arrived_ms) DESC, seq DESC LIMIT ?",
            (kind, device, device, channel, channel, 0 if since is None else int(since.timestamp() * 1000), limit),
        ):
            name, journal, seq, row_kind, row_channel, ts_ms, repaired, arrived_ms, text = row
            key = name, journal, seq, row_kind, row_channel
            yield Message(*key, _time(ts_ms), bool(repaired), _moment(arrived_ms), json.loads(text))

    def audit(self) -> list[JournalAudit]:
        """Hold every journal's sequence numbers against what the board says of them."""
        audits = []
        for number, device, journal, rows, first, last in self._rows(
            "SELECT journals.id, device, journal, count(*), min(seq), max(seq)"
            " FROM records JOIN journals ON journals.id = journal_id GROUP BY journals.id ORDER BY device, journal"
        ):
            gaps: tuple[tuple[int, int], ...] = ()
            if last - first + 1 != rows:
                gaps = tuple(
                    self._rows(
                        "SELECT seq + 1, next - 1 FROM (SELECT seq, lead(seq) OVER (ORDER BY seq) AS next FROM records"
                        " WHERE journal_id = ?) WHERE next > seq + 1 LIMIT ?",
                        (number, _GAPS),
                    )
                )
            audits.append(JournalAudit(device, journal, rows, first, last, self._evicted(number), gaps))
        return audits

    def _evicted(self, number: int) -> int:
        # Counts only grow, within a journal; the newest health record has them.
        newest = self._rows(
            "SELECT payload FROM records WHERE journal_id = ? AND kind = 'health' ORDER BY seq DESC LIMIT 1", (number,)
        )
        if not newest:
            return 0
        body = json.loads(newest[0][0])
        counts = [body.get(name, 0) for name in _EVICTED]
        return sum(count for count in counts if isinstance(count, int))

    def _rows(self, question: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise KittiwakeError(f"{self._path} cannot be read: {error}", "see docs/howto/history.md") from error


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else _moment(ms)
