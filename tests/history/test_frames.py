"""pandas frames: the figures and records of a history, exact, with types that do not depend on what is in them."""

from dataclasses import replace

import pandas
import pytest

from kittiwake.errors import ConfigError
from kittiwake.history import figures_frame, messages_frame, open_history
from kittiwake.history.sqlite_store import SqliteStore
from kittiwake_node.link import anomaly
from kittiwake_node.link import record as rec
from tests.history import records
from tests.history.records import DEVICE, EPOCH_MS, put

BIG = [(1 << 31) - 1] * 3
FIGURES = {"ts": "datetime64[ms, UTC]", "n": "int64", "mean": "float64", "q": "object", "min": "int64"}


@pytest.fixture
def history(tmp_path):
    store = SqliteStore(tmp_path / "h.sqlite")
    made = [records.summary(hour, [hour, -3], hour * 3_600_000, epoch_ms=EPOCH_MS) for hour in range(5)]
    made.append(records.summary(5, BIG, 1000, epoch_ms=EPOCH_MS))
    alert = anomaly.pack_anomaly(anomaly.ZSCORE, 0, 3, 900, -2, 900, 903, 810_029, 7, 5, 2)  # of -2, 5, 900
    made.append(records.message(rec.ANOMALY, 6, alert, 7))
    made.append(records.event(7, "no time", 1000, boot=9))
    put(store, *made)
    store.close()
    with open_history(tmp_path / "h.sqlite") as opened:
        yield opened


def test_figures_are_those_of_the_buckets_to_the_last_digit(history):
    buckets = history.summaries(DEVICE, "vibration", every_s=3600)
    frame = figures_frame(buckets)
    assert len(frame) == len(buckets) == 5
    assert list(frame["ts"]) == [pandas.Timestamp(b.start) for b in buckets]
    for column in ("n", "s", "q"):
        assert [int(x) for x in frame[column]] == [getattr(b.sums, column) for b in buckets]
    assert frame["q"][0] == 9 + sum(x * x for x in BIG) > 1 << 63
    assert list(frame["mean"]) == [b.mean for b in buckets] and set(frame["unit"]) == {"mm/s"}
    assert list(frame.set_index("ts")["n"].resample("1D").sum()) == [13]


def test_types_are_those_of_an_empty_frame_too(history):
    for frame in (figures_frame(history.summaries(DEVICE, "vibration")), figures_frame([])):
        assert {name: str(frame[name].dtype) for name in FIGURES} == FIGURES
    assert list(messages_frame([]).columns)[:6] == ["device", "journal", "seq", "kind", "channel", "ts"]


def test_single_sample_has_no_deviation(history):
    (bucket,) = [b for b in history.summaries(DEVICE, "vibration", every_s=3600) if b.sums.n == 5]
    assert figures_frame([bucket])["stdev"].notna().all()
    lonely = replace(bucket, sums=bucket.sums._replace(n=1, s=4, q=16, least=4, most=4))
    assert figures_frame([lonely])["stdev"].isna().all()


def test_records_of_several_kinds_are_rows_with_gaps_and_keep_their_integers(history):
    rows = [m for kind in ("alert", "event", "summary") for m in history.messages(kind)]
    frame = messages_frame(rows)
    assert list(zip(frame["kind"], frame["seq"], strict=True)) == [(m.kind, m.seq) for m in rows]
    by_seq = {m.seq: m.body for m in rows}
    for _, row in frame.iterrows():
        body = by_seq[row["seq"]]
        for name in ("q", "index", "n", "code", "text", "z_score", "value"):
            kept = row[name]
            assert (body.get(name) is None and pandas.isna(kept)) or kept == body[name], name
    assert str(frame["index"].dtype) == "Int64" and str(frame["uptime_ms"].dtype) == "int64"
    assert frame.loc[frame["seq"] == 7, "ts"].isna().all() and not frame.loc[frame["seq"] == 5, "ts"].isna().any()
    assert max(frame["q"].dropna()) == sum(x * x for x in BIG)


def test_frame_without_pandas_is_one_line_with_the_mend(history, monkeypatch):
    monkeypatch.setattr("kittiwake.history.frames.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs pandas") as failed:
        figures_frame([])
    assert "kittiwake[pandas]" in failed.value.mend
