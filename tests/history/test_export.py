"""Parquet: what another program reads is what the history has, to the last digit; a day is written when it is over."""

from datetime import UTC, datetime

import pyarrow.parquet as parquet
import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.history import export
from kittiwake.history.retention import DAY_MS
from tests.history import records
from tests.history.records import DEVICE, EPOCH_MS, put

MIDNIGHT_MS = EPOCH_MS // DAY_MS * DAY_MS
BIG = [(1 << 31) - 1] * 3


@pytest.fixture
def filled(store):
    made = [records.summary(hour, [hour, -3], hour * 3_600_000, epoch_ms=MIDNIGHT_MS) for hour in range(50)]
    made.append(records.summary(50, BIG, 1000, epoch_ms=MIDNIGHT_MS))
    made.append(records.event(51, 'no time, "quoted"\n\\', 1000, boot=9))
    put(store, *made, arrived_ms=MIDNIGHT_MS + DAY_MS)
    return store


def moment(ms):
    return datetime.fromtimestamp(ms / 1000, UTC)


def days(ask, folder, now_ms):
    return [(day.path.name, day.records, day.is_new) for day in export.write_days(ask, folder, moment(now_ms))]


def test_days_that_are_over_are_files_with_every_record(filled, ask, tmp_path):
    folder = tmp_path / "days"
    first, second = (moment(MIDNIGHT_MS + n * DAY_MS).date().isoformat() + ".parquet" for n in range(2))
    # The third day, of two records, is not over.
    written = days(ask, folder, MIDNIGHT_MS + 3 * DAY_MS - 1)
    assert written == [(first, 25, True), (second, 25, True)]
    rows = [row for name in (first, second) for row in parquet.read_table(folder / name).to_pylist()]
    assert {path.name for path in folder.iterdir()} == {first, second}
    kept = {m.seq: m for kind in ("summary", "event") for m in ask.messages(kind)}
    assert {row["seq"] for row in rows} == set(range(48)) | {50, 51}
    for row in rows:
        m = kept[row["seq"]]
        assert (row["device"], row["kind"], row["ts"], row["payload"]) == (DEVICE, m.kind, m.ts, m.payload)
        if m.kind == "summary":
            assert (row["n"], row["s"], row["q"]) == (m.body["n"], m.body["s"], m.body["q"])
    (big,) = [row for row in rows if row["seq"] == 50]
    assert int(big["q"]) == sum(x * x for x in BIG) > 1 << 63


def test_day_is_written_anew_when_it_came_to_have_more(filled, ask, store, tmp_path):
    now_ms = MIDNIGHT_MS + 2 * DAY_MS
    assert [is_new for *_, is_new in days(ask, tmp_path, now_ms)] == [True, True]
    assert [is_new for *_, is_new in days(ask, tmp_path, now_ms)] == [False, False]
    put(store, records.event(52, "late", 5000, epoch_ms=MIDNIGHT_MS), arrived_ms=now_ms)
    assert [(count, is_new) for _, count, is_new in days(ask, tmp_path, now_ms)] == [(26, True), (25, False)]


def test_figures_are_those_that_are_asked(filled, ask, tmp_path):
    lines = [("vibration", bucket) for bucket in ask.summaries(DEVICE, "vibration", every_s=86400)]
    export.write_figures(tmp_path / "f.parquet", lines)
    rows = parquet.read_table(tmp_path / "f.parquet").to_pylist()
    assert [(row["n"], int(row["s"]), int(row["q"]), row["mean"]) for row in rows] == [
        (b.sums.n, b.sums.s, b.sums.q, b.mean) for _, b in lines
    ]
    assert int(rows[0]["q"]) > 1 << 63


def test_file_that_cannot_be_written_is_one_error_and_leaves_nothing(filled, ask, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(KittiwakeError, match="cannot be written"):
        list(export.write_days(ask, tmp_path / "taken", moment(MIDNIGHT_MS + 9 * DAY_MS)))
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
