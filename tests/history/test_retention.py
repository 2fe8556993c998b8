"""Retention: raw before telemetry before alerts, never silently, and roll-ups stay."""

from collections import Counter

import pytest

from kittiwake.history.retention import DAY_MS, Policy
from kittiwake_node.link import record as rec
from tests.history import records
from tests.history.records import DEVICE, EPOCH_MS, put

WEEK_MS = 7 * DAY_MS
NOW_MS = EPOCH_MS + 8 * WEEK_MS


def snapshot(seq, uptime_ms):
    """A snapshot's message: of any content, since nobody looks into it."""
    return records.message(rec.SNAPSHOT, seq, bytes(60), uptime_ms, epoch_ms=EPOCH_MS)


@pytest.fixture
def filled(store):
    """Eight weeks, each day a snapshot, a summary and an event; and one event without a time that came in week 1."""
    put(store, records.event(0, "no time", 5, boot=2), arrived_ms=EPOCH_MS)
    made = []
    for day in range(56):
        seq, at = 1 + 3 * day, day * DAY_MS + 1000
        made.append(snapshot(seq, at))
        made.append(records.summary(seq + 1, [day, -day], at, epoch_ms=EPOCH_MS))
        made.append(records.event(seq + 2, "x", at, epoch_ms=EPOCH_MS))
    put(store, *made, arrived_ms=NOW_MS)
    return store


def retain(store, now_ms=NOW_MS, **policy):
    """Until it is done; what went."""
    total, steps = [0, 0], 0
    while not (dropped := store.retain(Policy(**policy), now_ms)).is_done:
        total = [total[0] + dropped.records, total[1] + dropped.bytes]
        steps += 1
        assert steps < 1000
    return total


def kinds(ask):
    return Counter(m.kind for kind in ("snapshot", "summary", "event") for m in ask.messages(kind))


def test_nothing_goes_where_nothing_is_said(filled, ask):
    assert retain(filled) == [0, 0]
    assert kinds(ask) == {"snapshot": 56, "summary": 56, "event": 57}


def test_each_class_goes_by_its_age_and_is_counted(filled, ask):
    before = ask.summaries(DEVICE, "vibration", every_s=86400)
    gone, size = retain(filled, days=(7, 28, 0))
    left = kinds(ask)
    # PostgreSQL drops whole weeks: of the days at the edge it keeps up to six.
    assert 7 <= left["snapshot"] <= 14 and 28 <= left["summary"] <= 35 and left["event"] == 57
    assert gone == 2 * 56 - left["snapshot"] - left["summary"] and size > 100 * gone
    (audit,) = ask.audit()
    assert (audit.dropped, audit.missing, audit.first, audit.last) == (gone, 0, 0, 168)
    assert ask.summaries(DEVICE, "vibration", every_s=86400) == before
    assert retain(filled, days=(7, 28, 0)) == [0, 0]


def test_what_has_no_time_goes_by_its_arrival(filled, ask):
    retain(filled, days=(0, 0, 28))
    assert None not in {m.ts for m in ask.messages("event")}
    (audit,) = ask.audit()
    assert audit.missing == 0 and audit.rows + audit.dropped == 169 and audit.first == 0


def test_gap_is_missing_all_the_same(filled, ask):
    put(filled, records.event(170, "after a gap", 56 * DAY_MS, epoch_ms=EPOCH_MS))
    retain(filled, days=(7, 28, 0))
    (audit,) = ask.audit()
    assert audit.missing == 1 and audit.gaps[-1] == (169, 169)


def test_limit_below_everything_takes_everything(filled, ask):
    """In PostgreSQL what lies in weeks that have ended: the others' bytes would not come back."""
    retain(filled, now_ms=NOW_MS + WEEK_MS, limit_bytes=1)
    (audit,) = ask.audit()
    assert audit.rows == sum(kinds(ask).values()) <= 1
    assert audit.missing == 0 and audit.rows + audit.dropped == 169
    assert sum(bucket.sums.n for bucket in ask.summaries(DEVICE, "vibration", every_s=86400)) == 112


def test_bytes_take_raw_first_then_telemetry(filled, ask):
    order = []
    for _ in range(200):
        if filled.retain(Policy(limit_bytes=1), NOW_MS + WEEK_MS).is_done:
            break
        left = kinds(ask)
        order.append(next((kind for kind in ("snapshot", "summary", "event") if left[kind]), ""))
    assert order == sorted(order, key=("snapshot", "summary", "event", "").index)
    assert len(set(order)) >= 3


def test_a_copy_of_what_is_left_is_known_after_retention(filled, ask):
    retain(filled, days=(7, 28, 0))
    written = put(filled, records.event(168, "x", 55 * DAY_MS + 1000, epoch_ms=EPOCH_MS))
    assert (written.new, written.known) == (0, 1)
