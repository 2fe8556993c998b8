"""Times of records that came without one: repaired as the specification says, in whatever order records come."""

import random
from datetime import UTC, datetime

import pytest

from kittiwake.history.row import read
from tests.history import records
from tests.history.records import DEVICE, EPOCH_MS, put


def defined_times(messages):
    """Times as they should be, {(boot, seq): ms or None}, by docs/spec/mqtt.md's rule and apart from the store."""
    told = {}
    rows = [read(*message) for message in messages]
    for row in rows:
        if row.ts_ms is not None:
            told.setdefault(row.boot, []).append((row.seq, row.ts_ms - row.uptime_ms))
    times = {}
    for row in rows:
        epochs = sorted(told.get(row.boot, []))
        repaired = row.uptime_ms + epochs[0][1] if epochs else None
        times[row.boot, row.seq] = repaired if row.ts_ms is None else row.ts_ms
    return times


@pytest.mark.parametrize("seed", range(8))
def test_times_are_repaired_as_defined_in_whatever_order_records_come(store, ask, tmp_path, seed):
    """Boots that never know the time, learn it late, learn it twice, or know it from the start."""
    rng = random.Random(seed)
    messages, seq, samples = [], 0, {}
    for boot in range(1, 8):
        epoch_ms = EPOCH_MS + boot * 3_600_000 * rng.randint(1, 40)
        known_from = rng.choice((0, 30, 60, 1000))
        told_again = rng.choice((None, 80))
        known_ms = 0
        for minute in range(100):
            uptime_ms = minute * 60_000 + 7
            if minute in (known_from, told_again) and (known_ms or minute == known_from):
                known_ms = epoch_ms + rng.choice((0, -9_000_000, 1234)) if minute == told_again else epoch_ms
                messages.append(records.time_told(seq, known_ms + uptime_ms, uptime_ms, boot=boot))
                seq += 1
            taken = [rng.randint(-9, 9) for _ in range(3)]
            samples[seq] = taken
            messages.append(records.summary(seq, taken, uptime_ms, boot=boot, epoch_ms=known_ms))
            seq += 1
    order = messages[:]
    if seed:
        rng.shuffle(order)
    while order:
        count = rng.randint(1, 60)
        put(store, *order[:count])
        order = order[count:]
    expected = defined_times(messages)
    assert sum(read(*made).ts_ms is None for made in messages) > 50
    found = {}
    for kind in ("summary", "time"):
        for m in ask.messages(kind, limit=10_000):
            found[m.body["boot"], m.seq] = None if m.ts is None else round(m.ts.timestamp() * 1000)
            assert m.is_repaired == (m.body["ts"] is None and m.ts is not None)
    assert found == expected
    for every_s in (60, 3600, 86400):
        wanted = {}
        for (_, number), ts_ms in expected.items():
            if number in samples and ts_ms is not None:
                wanted.setdefault(ts_ms // 1000 // every_s * every_s, []).extend(samples[number])
        buckets = {round(b.start.timestamp()): b.sums for b in ask.summaries(DEVICE, "vibration", every_s=every_s)}
        assert buckets.keys() == wanted.keys()
        for start, xs in wanted.items():
            s = buckets[start]
            assert (s.n, s.s, s.q, s.least, s.most) == (len(xs), sum(xs), sum(x * x for x in xs), min(xs), max(xs))


def test_time_that_would_be_past_what_can_be_written_is_left_as_it_is(store, ask):
    late_ms = 253_402_300_790_000
    put(store, records.time_told(1, late_ms, 0), records.summary(2, [4], (1 << 48) - 1), records.event(3, "x", 5))
    assert [m.ts for m in ask.messages("summary")] == [None]
    assert [m.is_repaired for m in ask.messages("event")] == [True]
    assert ask.devices()[0].rows == 3


def test_first_record_with_a_time_repairs_where_the_time_record_was_evicted(store, ask):
    put(store, records.event(1, "early", 1000), records.event(7, "later", 9000, epoch_ms=EPOCH_MS))
    found = {m.seq: (m.ts, m.is_repaired) for m in ask.messages("event")}
    assert found[1] == (datetime.fromtimestamp(EPOCH_MS / 1000 + 1, UTC), True)
    assert not found[7][1]
