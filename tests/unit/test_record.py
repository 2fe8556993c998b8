"""Records and payloads against the bytes of docs/spec/record.md."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kittiwake_node.errors import FrameError
from kittiwake_node.link import anomaly, payload, record
from tests.support import spec

# docs/spec/record.md.
ANOMALY_PAYLOAD = bytes.fromhex(
    "01 00 1400 e8030000 a4010000 e8030000 1423000000000000 7066420000000000 d2040000 0000 05 02"
)
ANOMALY = bytes.fromhex(
    "05 01 00 02 2800 0000 9b01 0100 07000000 01000000 39300000 00a8da76"
    "01 00 1400 e8030000 a4010000 e8030000 1423000000000000 7066420000000000 d2040000 0000 05 02 dc0d8aed"
)


def _sealed(seq, *args, **kwargs):
    draft = record.draft(*args, **kwargs)
    record.seal(draft, 0, len(draft), seq)
    return bytes(draft)


def test_anomaly_of_the_specification_is_packed_to_its_bytes():
    body = anomaly.pack_anomaly(anomaly.ZSCORE, 0, 20, 1000, 420, 1000, 8980, 4351600, 1234, 5, 2)
    assert body == ANOMALY_PAYLOAD
    assert _sealed(7, record.ANOMALY, 0, record.ALERT, 1, 12345, 1767225600000, 1, body) == ANOMALY


def test_anomaly_of_the_specification_is_read():
    got, after = record.decode(ANOMALY)
    assert after == len(ANOMALY) == 72
    assert (got.type, got.version, got.channel, got.cls, got.description) == (5, 1, 0, 2, 1)
    assert (got.seq, got.boot, got.time_ms, got.epoch_ms) == (7, 1, 12345, 1767225600000)
    assert got.utc_ms == 1767225612345
    fields = anomaly.unpack_anomaly(got.payload)
    assert fields == {
        "detector": 1, "flags": 0, "n": 20, "x": 1000, "min": 420, "max": 1000,
        "sum": 8980, "sum_sq": 4351600, "index": 1234, "p": 5, "q": 2,
    }  # fmt: skip


def test_record_without_a_clock_has_no_utc():
    assert record.decode(spec.record(time_ms=5))[0].utc_ms is None


_u8, _u16, _u32, _u48 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 48))


@given(_u8, _u8, st.integers(0, 2), st.integers(0, 0xFFFFFFFE), _u32, _u48, _u48, _u16, st.binary(max_size=200), _u8)
def test_record_of_anything_agrees_with_the_specification(
    kind, channel, cls, seq, boot, time_ms, epoch_ms, layout, body, v
):
    raw = _sealed(seq, kind, channel, cls, boot, time_ms, epoch_ms, layout, body, version=v)
    assert raw == spec.record(kind, channel, cls, seq, boot, time_ms, epoch_ms, layout, body, v)
    got, after = record.decode(b"??" + raw + b"tail", 2)
    assert after == len(raw) + 2
    assert (got.type, got.version, got.channel, got.cls, got.description) == (kind, v, channel, cls, layout)
    assert (got.seq, got.boot, got.time_ms, got.epoch_ms, got.payload) == (seq, boot, time_ms, epoch_ms, body)


@pytest.mark.parametrize("size", range(len(ANOMALY)))
def test_record_cut_short_is_refused(size):
    assert not record.is_whole(ANOMALY[:size], 0)
    with pytest.raises(FrameError, match="record-damaged"):
        record.decode(ANOMALY[:size])


@pytest.mark.parametrize("at", range(len(ANOMALY)))
def test_record_with_any_flipped_bit_is_refused(at):
    for bit in range(8):
        damaged = bytearray(ANOMALY)
        damaged[at] ^= 1 << bit
        with pytest.raises(FrameError):
            record.decode(damaged)


@given(st.binary(max_size=300))
def test_record_of_random_bytes_is_refused(raw):
    with pytest.raises(FrameError):
        record.decode(raw)


def test_record_with_the_number_that_has_no_successor_is_refused():
    assert record.decode(spec.record(seq=0xFFFFFFFE))[0].seq == 0xFFFFFFFE
    with pytest.raises(FrameError):
        record.decode(spec.record(seq=0xFFFFFFFF))


def test_record_at_the_payload_limit_is_taken_and_beyond_it_refused():
    assert record.decode(_sealed(0, 9, 0, 0, 1, 0, 0, 1, bytes(4096)))[0].payload == bytes(4096)
    with pytest.raises(FrameError, match="record-too-long"):
        record.draft(9, 0, 0, 1, 0, 0, 1, bytes(4097))
    with pytest.raises(FrameError):
        record.decode(spec.record(payload=bytes(4097)))


def test_records_sealed_in_one_buffer_are_each_what_they_would_be_alone():
    buf = bytearray()
    for i in range(5):
        buf += record.draft(9, 0, 1, 1, i, 0, 1, bytes(i))
    offset = 0
    for i in range(5):
        size = record.size_at(buf, offset)
        record.seal(buf, offset, size, 100 + i)
        assert bytes(buf[offset : offset + size]) == spec.record(cls=1, seq=100 + i, time_ms=i, payload=bytes(i))
        offset += size


# Payloads: (packed by the codec, bytes by docs/spec/record.md's tables, unpack, fields)

PAYLOADS = {
    "anomaly": (
        anomaly.pack_anomaly(1, 1, 65535, -32768, -32768, 32767, -(1 << 40), 1 << 63, (1 << 48) - 1, 255, 1),
        "01 01 ffff 0080ffff 0080ffff ff7f0000 0000000000ffffff 0000000000000080 ffffffff ffff ff 01",
        anomaly.unpack_anomaly,
        {"detector": 1, "flags": 1, "n": 65535, "x": -32768, "min": -32768, "max": 32767, "sum": -(1 << 40),
         "sum_sq": 1 << 63, "index": (1 << 48) - 1, "p": 255, "q": 1},
    ),
    "summary": (
        payload.pack_summary(1000, -5, 7, 3, -2, 40000, 0x0001_0000_0002, 99999),
        "e8030000 fbffffff 07000000 03000000 feffffffffffffff 409c000000000000 02000000 0100 ffff",
        payload.unpack_summary,
        {"n": 1000, "min": -5, "max": 7, "anomalies": 3, "sum": -2, "sum_sq": 40000, "index": 0x0001_0000_0002,
         "clipped": 65535},
    ),
    "reading": (payload.pack_reading(-2, 5), "feffffff 05000000 0000", payload.unpack_reading, {"x": -2, "index": 5}),
    "time": (
        payload.pack_time(1767225600000), "00a8da76 9b01 0000", payload.unpack_time, {"utc_ms": 1767225600000},
    ),
    "boot": (
        payload.pack_boot(4, 1 << 40, "kw é"), "04 00 0000 ffffffff 6b7720c3a9", payload.unpack_boot,
        {"reset_cause": 4, "heap_free": 0xFFFFFFFF, "firmware": "kw é"},
    ),
    "event": (payload.pack_event(258, "on"), "0201 6f6e", payload.unpack_event, {"code": 258, "text": "on"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PAYLOADS)
def test_payload_is_packed_to_the_bytes_of_the_specification_and_read_back(name):
    packed, want, unpack, fields = PAYLOADS[name]
    assert packed == bytes.fromhex(want)
    assert unpack(packed) == fields


@pytest.mark.parametrize("name", ["anomaly", "summary", "reading", "time"])
def test_payload_of_a_later_version_is_read_as_far_as_it_is_known(name):
    packed, _, unpack, fields = PAYLOADS[name]
    assert unpack(packed + b"later") == fields


@pytest.mark.parametrize(
    ("name", "fixed"), [("anomaly", 40), ("summary", 40), ("reading", 10), ("time", 8), ("boot", 8), ("event", 2)]
)
def test_payload_cut_short_is_refused(name, fixed):
    packed, _, unpack, _ = PAYLOADS[name]
    for size in range(fixed):
        with pytest.raises(FrameError, match="payload-"):
            unpack(packed[:size])


def test_health_names_its_counters_in_the_order_of_the_specification():
    names = (
        *("heap_free", "loop_max_us", "action_max_us", "samples", "overruns", "clipped", "alerts", "evicted_raw"),
        *("evicted_telemetry", "evicted_alert", "damaged", "journal_bytes", "journal_limit_bytes", "commits"),
        *("frames_rejected", "resends", "bytes_programmed", "blocks_erased", "storage_state"),
        *("held_back", "snapshots_refused"),
    )
    values = {name: i for i, name in enumerate(names)}
    packed = payload.pack_health(values | {"storage_state": 1 << 40})
    assert packed[: 18 * 4] == b"".join(spec.le(i, 4) for i in range(18))
    assert packed[18 * 4 : 19 * 4] == b"\xff" * 4
    assert payload.unpack_health(payload.pack_health(values)) | values == payload.unpack_health(
        payload.pack_health(values)
    )
    assert payload.unpack_health(packed[: 3 * 4 + 2]) == {name: values[name] for name in names[:3]}
    assert payload.unpack_health(b"") == {}
    assert payload.STORAGE_STATES[:6] == ("ok", "absent", "full", "read-only", "foreign", "failed")


@pytest.mark.parametrize("seed", range(3))
def test_texts_of_random_bytes_are_read_as_some_text(seed):
    rng = random.Random(seed)
    for _ in range(200):
        raw = rng.randbytes(rng.randrange(8, 40))
        assert isinstance(payload.unpack_boot(raw)["firmware"], str)
        assert isinstance(payload.unpack_event(raw)["text"], str)
