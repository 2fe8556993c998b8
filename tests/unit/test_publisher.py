"""One record in, one MQTT message out: fields, topics, times, and what cannot be read."""

import json

import pytest

from kittiwake.publish import bodies, publisher
from kittiwake_node.link import anomaly as anomalies
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec

LAYOUT = json.dumps(
    [{"name": "vibration", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100", "offset": "0"}]
).encode()
JOURNAL = 0x0123456789ABCDEF
# 2026-01-02T03:04:05.678Z less an uptime of 1.5 s.
EPOCH_MS = 1767323045678 - 1500


def make(kind, body, version=1, epoch_ms=EPOCH_MS, channel=0):
    return rec.Record(kind, version, channel, rec.ALERT, 1, 17, 3, 1500, epoch_ms, body)


def publish(record, policy=None, layout=LAYOUT):
    message = publisher.publication(policy or publisher.Policy(), "dev-1", JOURNAL, record, layout)
    return message, json.loads(message.payload)


def anomaly():
    # The window 1, 2, 3, 4, 10 in hundredths.
    return anomalies.pack_anomaly(anomalies.ZSCORE, 0, 5, 10, 1, 10, 20, 130, 1234, 3, 2)


def test_publication_of_an_anomaly_has_the_guides_fields_and_the_exact_sums():
    message, body = publish(make(rec.ANOMALY, anomaly()))
    assert message.topic == "kittiwake/dev-1/alert/vibration"
    assert message.qos == 1
    assert not message.retain
    assert body == {
        "anomaly": True,
        "value": 0.1,
        "z_score": 1.7,
        "mean": 0.04,
        "stdev": 0.04,
        "ts": "2026-01-02T03:04:05.678Z",
        "sensor_id": "vib-001",
        "unit": "mm/s",
        "index": 1234,
        "x": 10,
        "n": 5,
        "s": 20,
        "q": 130,
        "min": 1,
        "max": 10,
        "t": "3/2",
        "detector": "zscore",
        "device": "dev-1",
        "journal": "0123456789abcdef",
        "seq": 17,
        "boot": 3,
        "uptime_ms": 1500,
        "kind": "alert",
        "channel": "vibration",
    }


def test_publication_of_a_reading_goes_to_the_guides_topic_when_configured():
    policy = publisher.Policy(topics=publisher.GUIDE_TOPICS)
    message, body = publish(make(rec.READING, payload.pack_reading(421, 9)), policy)
    assert message.topic == "factory/line1/vibration"
    assert {key: body[key] for key in ("sensor_id", "value", "unit", "ts", "seq")} == {
        "sensor_id": "vib-001",
        "value": 4.21,
        "unit": "mm/s",
        "ts": "2026-01-02T03:04:05.678Z",
        "seq": 17,
    }


def test_publication_without_a_known_time_has_null_ts_and_still_boot_and_uptime():
    _, body = publish(make(rec.ANOMALY, anomaly(), epoch_ms=0))
    assert (body["ts"], body["boot"], body["uptime_ms"]) == (None, 3, 1500)


def test_publication_of_a_summary_gives_figures_in_units():
    body = payload.pack_summary(5, 1, 10, 2, 20, 130, 500, 0)
    message, published = publish(make(rec.SUMMARY, body))
    assert message.topic == "kittiwake/dev-1/summary/vibration"
    assert (published["mean"], published["stdev"], published["low"], published["high"]) == (0.04, 0.04, 0.01, 0.1)
    assert (published["n"], published["anomalies"], published["index"]) == (5, 2, 500)


@pytest.mark.parametrize(
    "record",
    [make(200, b"\x01\x02"), make(rec.ANOMALY, b"\x01\x02", version=2), make(rec.ANOMALY, b"\x01\x02")],
    ids=["unknown type", "later version", "payload cut short"],
)
def test_publication_of_what_cannot_be_read_passes_it_on_in_hex(record):
    message, body = publish(record)
    assert message.topic == "kittiwake/dev-1/opaque"
    assert (body["payload"], body["type"], body["seq"]) == ("0102", record.type, 17)


def test_publication_twice_is_the_same_bytes_twice():
    record = make(rec.ANOMALY, anomaly())
    assert publish(record)[0] == publish(record)[0]


@pytest.mark.parametrize("layout", [b"", b"{}", b"[1]", b'[{"scale":"1/0"}]', b"\xff"])
def test_publication_under_a_broken_channel_description_falls_back_to_counts(layout):
    _, body = publish(make(rec.ANOMALY, anomaly()), layout=layout)
    assert body["value"] == 10.0


def test_timestamp_beyond_the_calendar_is_null():
    assert bodies.timestamp((1 << 49) - 1) is None


def test_publication_of_a_record_made_in_an_outage_says_late():
    record = make(rec.ANOMALY, anomaly())
    assert "late" not in publish(record)[1]
    late = rec.Record(rec.ANOMALY, 1, 0, rec.ALERT | rec.LATE, 1, 17, 3, 1500, EPOCH_MS, anomaly())
    assert publish(late)[1] == publish(record)[1] | {"late": True}


@pytest.mark.parametrize(
    "body",
    [
        anomalies.pack_anomaly(anomalies.ZSCORE, 0, 0, 10, 1, 10, 20, 130, 1234, 3, 2),
        anomalies.pack_anomaly(anomalies.ZSCORE, 0, 5, 10, 1, 10, 20, 1, 1234, 3, 2),
        anomalies.pack_feature(0, 9, 0, 1, 1, 1, 1, 1, 1),
        b"\x07" + bytes(60),
    ],
    ids=["an empty window", "sums that no window has", "a baseline of no blocks", "an unknown detector"],
)
def test_publication_of_figures_that_cannot_be_passes_the_record_on_in_hex(body):
    message, published = publish(make(rec.ANOMALY, body))
    assert message.topic == "kittiwake/dev-1/opaque" and published["payload"] == body.hex()


@pytest.mark.parametrize("scale", ["1e99", "-1e99", "1/999999999999999999999999", "1e999999999", "nan", "0"])
def test_publication_under_an_absurd_scale_is_still_a_message(scale):
    layout = json.dumps([{"scale": scale}]).encode()
    _, body = publish(make(rec.SUMMARY, payload.pack_summary(5, 1, 10, 2, 20, 130, 500, 0)), layout=layout)
    assert body["seq"] == 17


@pytest.mark.parametrize("name", ["a/b", "#", "+", "", "\x00", "x" * 500])
def test_publication_on_a_channel_with_a_name_that_no_topic_takes_has_a_topic(name):
    layout = json.dumps([{"name": name}]).encode()
    message, _ = publish(make(rec.ANOMALY, anomaly()), layout=layout)
    level = message.topic.removeprefix("kittiwake/dev-1/alert/")
    assert 1 <= len(level) <= 64 and not set(level) & set("+#/\0")


@pytest.mark.parametrize("scale", ["null", "true", '"x"', "[1]"])
def test_publication_under_a_scale_that_is_no_number_is_in_integers_without_a_unit(scale):
    layout = b'[{"name": "a", "unit": "V", "offset": "5", "scale": %s}]' % scale.encode()
    _, body = publish(make(rec.READING, payload.pack_reading(421, 9)), layout=layout)
    assert (body["value"], body["unit"]) == (421.0, "")
