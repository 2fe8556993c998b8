"""The tables of a history in PostgreSQL, within a transaction; see `merge.Tables`.

Several processes write at the same time. Buckets are added to by the server, so they add up. A repair reads what others
may be writing: so a transaction holds a lock for each journal that it touches (they share 128), shared where it only
adds rows with a time, exclusive where it repairs or may change what repairs are made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from kittiwake.history import rollups
from kittiwake.history.described import Descriptions
from kittiwake.history.merge import BootKey, BucketKey, FirstTime, Movable, NewRow
from kittiwake.history.postgres_schema import LOCK, UNTIMED, Partitions
from kittiwake.history.row import Row, class_of

_SLOTS = 128
_CACHED = 200_000  # numbers and boots; beyond it they are asked for again
_ADD = """
INSERT INTO rollups
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[],
        %s::numeric[], %s::bigint[], %s::bigint[], %s::bigint[])
ON CONFLICT (stream_id, width_s, start_s, calibration_id) DO UPDATE SET
    n = rollups.n + excluded.n, s = rollups.s + excluded.s, q = rollups.q + excluded.q,
    least = CASE WHEN excluded.n = 0 THEN rollups.least WHEN rollups.n = 0 THEN excluded.least
        ELSE least(rollups.least, excluded.least) END,
    most = CASE WHEN excluded.n = 0 THEN rollups.most WHEN rollups.n = 0 THEN excluded.most
        ELSE greatest(rollups.most, excluded.most) END,
    anomalies = rollups.anomalies + excluded.anomalies
"""
_DESCRIBE = """
INSERT INTO descriptions
    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[],
        %s::bigint[], %s::bigint[])
ON CONFLICT (stream_id, boot, sensor_id, unit, scale, "offset") DO UPDATE SET
    seq = excluded.seq, uptime_ms = excluded.uptime_ms, ts_ms = excluded.ts_ms WHERE excluded.seq < descriptions.seq
"""


class PostgresTables:
    """A server's tables. It remembers numbers, which never change.

    Args:
        db: in autocommit mode, with `kittiwake` as its search path.

    Attributes:
        partitions: those of the records.
    """

    def __init__(self, db: Connection[tuple[Any, ...]]):
        self._db = db
        self.partitions = Partitions(db)
        self._journals: dict[tuple[str, str], int] = {}
        self._streams: dict[tuple[int, str, str], int] = {}
        self._calibrations: dict[rollups.Calibration, int] = {}
        self._boots: dict[BootKey, int] = {}
        self._descriptions = Descriptions()

    def forget(self) -> None:
        """Forget what a transaction that is rolled back has taught."""
        self._calibrations.clear()
        self._boots.clear()
        self._descriptions.forget()

    def number(self, rows: Sequence[Row]) -> None:
        """Give numbers to the journals and streams of rows: before the transaction, so that nobody waits for them."""
        if len(self._streams) > _CACHED:
            self._journals.clear()
            self._streams.clear()
        journals = sorted({(row.device, row.journal) for row in rows} - self._journals.keys())
        if journals:
            asked = [list(column) for column in zip(*journals, strict=True)]
            wanted = "unnest(%s::text[], %s::text[]) AS wanted (device, journal)"
            self._db.execute(
                f"INSERT INTO journals (device, journal) SELECT * FROM {wanted} ON CONFLICT DO NOTHING", asked
            )
            found = self._db.execute(
                f"SELECT device, journal, id FROM journals JOIN {wanted} USING (device, journal)", asked
            )
            self._journals |= {(device, journal): number for device, journal, number in found}
        keys = {(self._journals[row.device, row.journal], row.kind, row.channel) for row in rows}
        streams = sorted(keys - self._streams.keys())
        if streams:
            asked = [list(column) for column in zip(*streams, strict=True)]
            classes = [class_of(kind) for _, kind, _ in streams]
            wanted = "unnest(%s::bigint[], %s::text[], %s::text[]"
            self._db.execute(
                f"INSERT INTO streams (journal_id, kind, channel, class) SELECT * FROM {wanted}, %s::smallint[])"
                " ON CONFLICT DO NOTHING",
                [*asked, classes],
            )
            names = "journal_id, kind, channel"
            found = self._db.execute(
                f"SELECT {names}, id FROM streams JOIN {wanted}) AS wanted ({names}) USING ({names})", asked
            )
            self._streams |= {(journal, kind, channel): number for journal, kind, channel, number in found}

    def stream(self, row: Row) -> tuple[int, int]:
        """Give the numbers of a row's journal and stream; `number` has been called for it."""
        journal = self._journals[row.device, row.journal]
        return journal, self._streams[journal, row.kind, row.channel]

    def recall(self, boots: Iterable[BootKey]) -> None:
        """Learn what is known of these boots."""
        if len(self._boots) > _CACHED:
            self._boots.clear()
        strange = [boot for boot in boots if boot not in self._boots]
        if strange:
            asked = [list(column) for column in zip(*strange, strict=True)]
            found = self._db.execute(
                "SELECT journal_id, boot, seq FROM boots JOIN unnest(%s::bigint[], %s::bigint[])"
                " AS wanted (journal_id, boot) USING (journal_id, boot)",
                asked,
            )
            self._boots |= {BootKey(journal, boot): seq for journal, boot, seq in found}

    def lock(self, rows: Iterable[NewRow], times: Mapping[BootKey, FirstTime]) -> None:
        """Take the locks of a transaction, before it writes anything.

        Args:
            rows: its rows.
            times: the first times in them.
        """
        slots: dict[int, bool] = {}
        for at in rows:
            slots.setdefault(at.journal % _SLOTS, False)
            if at.row.ts_ms is None:
                slots[at.journal % _SLOTS] = True
        for boot, (seq, _) in times.items():
            if self._boots.get(boot, seq + 1) > seq:
                slots[boot.journal % _SLOTS] = True
        for is_exclusive, function in ((False, "pg_advisory_xact_lock_shared"), (True, "pg_advisory_xact_lock")):
            wanted = sorted(slot for slot, exclusive in slots.items() if exclusive == is_exclusive)
            self._db.execute(f"SELECT {function}(%s, slot) FROM unnest(%s::int[]) AS slot", (LOCK, wanted))

    def calibration(self, calibration: rollups.Calibration) -> int:
        """Give the number of a calibration."""
        if calibration not in self._calibrations:
            values = (calibration.unit, calibration.scale, calibration.offset)
            self._db.execute(
                'INSERT INTO calibrations (unit, scale, "offset") VALUES (%s, %s, %s) ON CONFLICT DO NOTHING', values
            )
            question = 'SELECT id FROM calibrations WHERE unit = %s AND scale = %s AND "offset" = %s'
            ((number,),) = self._db.execute(question, values).fetchall()
            self._calibrations[calibration] = number
        return self._calibrations[calibration]

    def learn(self, times: Mapping[BootKey, FirstTime]) -> set[BootKey]:
        """Keep first times; returns the boots that this changed."""
        changed = set()
        for boot, (seq, epoch_ms) in sorted(times.items()):
            if self._boots.get(boot, seq + 1) <= seq:
                continue
            if self._db.execute(
                "INSERT INTO boots VALUES (%s, %s, %s, %s) ON CONFLICT (journal_id, boot) DO UPDATE"
                " SET seq = excluded.seq, epoch_ms = excluded.epoch_ms WHERE excluded.seq < boots.seq",
                (*boot, seq, epoch_ms),
            ).rowcount:
                changed.add(boot)
            self._boots[boot] = seq
        return changed

    def describe(self, new: Sequence[NewRow]) -> None:
        """Keep which record says each description first."""
        first = self._descriptions.unknown(new)
        if first:  # in the order of the key: see _insert of the store
            rows = [(*key, *first[key]) for key in sorted(first)]
            self._db.execute(_DESCRIBE, [list(column) for column in zip(*rows, strict=True)])

    def epoch_ms(self, boot: BootKey) -> int | None:
        """Give the kept epoch of a boot."""
        row = self._db.execute("SELECT epoch_ms FROM boots WHERE journal_id = %s AND boot = %s", boot).fetchone()
        return None if row is None else int(row[0])

    def movable(self, boot: BootKey, epoch_ms: int) -> list[Movable]:
        """Give the records of a boot that are to get another time."""
        rows = self._db.execute(
            "SELECT seq, stream_id, kind, ts_ms, uptime_ms, payload FROM records"
            " JOIN streams ON streams.id = stream_id WHERE records.journal_id = %s AND boot = %s AND made_ms = %s"
            " AND ts_ms IS DISTINCT FROM uptime_ms + %s::bigint",
            (*boot, UNTIMED, epoch_ms),
        )
        return [Movable(*row) for row in rows]

    def set_times(self, journal: int, times: Sequence[tuple[int, int]]) -> None:
        """Repair records, (seq, ts_ms) each."""
        self._db.execute(
            "UPDATE records SET ts_ms = repaired.ts_ms, is_repaired = true"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS repaired (seq, ts_ms)"
            " WHERE journal_id = %s AND made_ms = %s AND records.seq = repaired.seq",
            ([seq for seq, _ in times], [ts_ms for _, ts_ms in times], journal, UNTIMED),
        )

    def add(self, sums: Mapping[BucketKey, rollups.Sums]) -> None:
        """Add to buckets."""
        if sums:  # in the order of the key: see _insert of the store
            rows = [(*key, *sums[key]) for key in sorted(sums)]
            self._db.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])

    def drop_buckets(self, stream: int, width_s: int, start_s: int) -> None:
        """Remove the buckets of a span."""
        self._db.execute(
            "DELETE FROM rollups WHERE stream_id = %s AND width_s = %s AND start_s = %s", (stream, width_s, start_s)
        )

    def payloads(self, stream: int, start_ms: int, end_ms: int) -> Iterable[str]:
        """Give the payloads of a stream's records with a time in a span."""
        rows = self._db.execute(
            "SELECT payload FROM records WHERE stream_id = %s AND coalesce(ts_ms, arrived_ms) >= %s"
            " AND coalesce(ts_ms, arrived_ms) < %s AND ts_ms IS NOT NULL",
            (stream, start_ms, end_ms),
        ).fetchall()
        return [text for (text,) in rows]
