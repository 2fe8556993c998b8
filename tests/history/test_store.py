"""A store: each record once, exact roll-ups, repaired times; held against definitions over raw samples."""

import json
import random
import statistics
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from kittiwake.errors import ConfigError
from kittiwake.history.row import NotARecord, read
from tests.history import records
from tests.history.records import DEVICE, EPOCH_MS, JOURNAL, put


def test_record_is_one_row_however_often_it_comes(store, ask):
    told = records.event(3, "hello", 1000, epoch_ms=EPOCH_MS)
    written = put(store, told, told)
    assert (written.new, written.known, written.altered) == (1, 1, 0)
    written = put(store, told, records.event(3, "other", 1000, epoch_ms=EPOCH_MS))
    assert (written.new, written.known, written.altered) == (0, 1, 1)
    (kept,) = ask.messages("event")
    assert kept.body["text"] == "hello"
    assert (kept.device, kept.journal, kept.seq) == (DEVICE, f"{JOURNAL:016x}", 3)
    assert kept.ts == datetime.fromtimestamp(EPOCH_MS / 1000 + 1, UTC)


def test_same_number_of_another_journal_or_device_is_another_record(store, ask):
    written = put(
        store,
        records.event(3, "a", 1),
        records.event(3, "b", 1, journal=9),
        records.event(3, "c", 1, device="press-8"),
    )
    assert written.new == 3
    assert {device.device: device.journals for device in ask.devices()} == {DEVICE: 2, "press-8": 1}


def summaries_of(samples, rng, epoch_ms, first_seq=0):
    """Cut samples of 1 Hz into summaries of random length; each is stamped with the time of its last sample."""
    at, made = 0, []
    while at < len(samples):
        taken = samples[at : at + rng.randint(1, 40)]
        at += len(taken)
        made.append((records.summary(first_seq + len(made), taken, at * 1000, epoch_ms=epoch_ms), at, taken))
    return made


@pytest.mark.parametrize("seed", range(6))
def test_rollups_are_the_figures_of_the_raw_samples(store, ask, seed):
    rng = random.Random(seed)
    samples = [rng.choice((rng.randint(-(1 << 29), 1 << 29), rng.randint(-50, 50))) for _ in range(20_000)]
    made = summaries_of(samples, rng, EPOCH_MS)
    order = [message for message, _, _ in made] + [message for message, _, _ in made[::7]]
    rng.shuffle(order)
    while order:
        count = rng.randint(1, 300)
        put(store, *order[:count])
        order = order[count:]
    for every_s in (60, 900, 3600, 7200, 86400):
        expected = {}
        for _, at, taken in made:
            start = (EPOCH_MS // 1000 + at) // every_s * every_s
            expected.setdefault(start, []).extend(taken)
        found = {round(b.start.timestamp()): b for b in ask.summaries(DEVICE, "vibration", every_s=every_s)}
        assert found.keys() == expected.keys()
        for start, xs in expected.items():
            sums = found[start].sums
            assert (sums.n, sums.s, sums.q) == (len(xs), sum(xs), sum(x * x for x in xs))
            assert (sums.least, sums.most) == (min(xs), max(xs))


def test_figures_of_a_rollup_are_those_of_the_guide_s_detector_on_the_samples(store, ask):
    rng = random.Random(4)
    samples = [rng.randint(-3000, 3000) for _ in range(3000)]
    put(store, *(message for message, _, _ in summaries_of(samples, rng, EPOCH_MS)))
    (day,) = ask.summaries(DEVICE, "vibration", every_s=86400)
    in_units = [Fraction(x, 100) - Fraction(3, 10) for x in samples]
    assert day.unit == "mm/s"
    assert day.mean == round(float(statistics.mean(in_units)), 2)
    assert day.stdev == round(float(statistics.stdev(in_units)), 2)
    assert (day.low, day.high) == (float(min(in_units)), float(max(in_units)))


def test_width_that_is_no_multiple_of_a_minute_is_refused(ask):
    for every_s in (0, 59, 90):
        with pytest.raises(ConfigError, match="no multiple of a minute"):
            ask.summaries(DEVICE, "vibration", every_s=every_s)


def test_span_asked_for_bounds_the_buckets(store, ask):
    put(store, *(records.summary(h, [h], h * 3_600_000, epoch_ms=EPOCH_MS) for h in range(48)))
    start = datetime.fromtimestamp(EPOCH_MS / 1000, UTC)
    found = ask.summaries(DEVICE, "vibration", start + timedelta(hours=5), start + timedelta(hours=9), 3600)
    assert [round((b.start - start).total_seconds()) // 3600 for b in found] == [5, 6, 7, 8]


def health(seq, evicted):
    from kittiwake_node.link import payload
    from kittiwake_node.link import record as rec

    return records.message(rec.HEALTH, seq, payload.pack_health({"evicted_raw": evicted}), seq)


def test_audit_finds_what_is_missing_and_takes_what_is_explained(store, ask):
    put(store, *(records.event(seq, "x", seq) for seq in range(100) if seq not in (40, 41, 60)))
    (audit,) = ask.audit()
    assert (audit.rows, audit.first, audit.last, audit.absent, audit.missing) == (97, 0, 99, 3, 3)
    assert audit.gaps == ((40, 41), (60, 60))
    put(store, health(100, 2))
    assert ask.audit()[0].missing == 1
    put(store, health(101, 3))
    assert ask.audit()[0].missing == 0
    put(store, records.event(40, "late", 40))
    assert ask.audit()[0].absent == 2


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("kittiwake/press-7/status", b"online"),
        ("kittiwake/press-7/event", b'{"journal":"1122334455667788","seq":1}'),
        ("kittiwake/press-7/event", b'{"device":"p","journal":"1122334455667788","seq":-1,"boot":1,"uptime_ms":1}'),
        ("kittiwake/press-7/event", b'{"device":"p","journal":"1122334455667788","seq":true,"boot":1,"uptime_ms":1}'),
        ("kittiwake/press-7/event", b'{"device":"p","journal":7,"seq":1,"boot":1,"uptime_ms":1}'),
        ("t/p/event", b'{"device":"p","journal":"1122334455667788","seq":1,"boot":1,"uptime_ms":1,"ts":"noon"}'),
        ("t/p/event", b'{"device":"p","journal":"1122334455667788","seq":99999999999999999999,"boot":1,"uptime_ms":1}'),
        ("t/p/event", b'{"device":"p","journal":"1122334455667788","seq":4294967296,"boot":1,"uptime_ms":1}'),
        ("t/p/event", b'{"device":"p","journal":"1122334455667788","seq":1,"boot":4294967296,"uptime_ms":1}'),
        ("t/p/event", b'{"device":"p","journal":"1122334455667788","seq":1,"boot":1,"uptime_ms":281474976710656}'),
        ("t/p/event", b"[" * 2000),
        ("t/p/event", b'"\\ud800"'),
    ],
)
def test_message_that_is_no_record_is_said_to_be_none(topic, body):
    with pytest.raises(NotARecord):
        read(topic, body)


HUGE = 10**40


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 10**20, "q": HUGE},
        {"n": -1},
        {"n": True},
        {"min": -HUGE},
        {"max": 1 << 31},
        {"anomalies": HUGE},
        {"s": HUGE, "q": HUGE},
        {"q": HUGE},
        {"q": 1.5},
        {"scale": "1/0"},
    ],
)
def test_sums_that_no_samples_have_are_kept_as_a_message_and_rolled_up_nowhere(store, ask, wrong):
    # Regression: 10^20 samples ended the process, which met the same message again at each start.
    topic, payload = records.summary(1, [3, 5], 1000, epoch_ms=EPOCH_MS)
    body = json.loads(payload) | wrong
    written = put(store, (topic, json.dumps(body).encode()), records.summary(2, [4], 2000, epoch_ms=EPOCH_MS))
    assert written.new == 2
    assert len(list(ask.messages("summary"))) == 2
    (day,) = ask.summaries(DEVICE, "vibration", every_s=86400)
    assert (day.sums.n, day.sums.s) == (1, 4)


def test_kind_that_is_not_known_is_kept_as_it_came(store, ask):
    body = b'{"device":"p","journal":"1122334455667788","seq":1,"boot":1,"uptime_ms":1,"new":[1,{"a":2}]}'
    put(store, ("kittiwake/p/novelty2/ch", body))
    (kept,) = ask.messages("novelty2")
    assert kept.channel == "ch" and kept.body["new"] == [1, {"a": 2}]
