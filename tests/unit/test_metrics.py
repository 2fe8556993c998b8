"""What /metrics and /healthz say of devices: the truth, all of it, within bounds, by Prometheus's rules."""

import asyncio
import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kittiwake.bridge import metric_families, settings, tally
from kittiwake.bridge.device_health import STATES, warnings
from kittiwake.bridge.device_report import of
from kittiwake.bridge.metrics import Exposition
from kittiwake.bridge.refused import OTHERS, TOPICS_TOLD, few
from kittiwake.bridge.service import Bridge
from kittiwake.publish.publisher import Policy
from kittiwake_node.link import anomaly, payload
from kittiwake_node.link import record as rec
from tests.support import promtool
from tests.support.exposition import IN_DAYS, complaints

PORT, DEVICE, JOURNAL = "/dev/a", "dev-1", 7
DESCRIPTION = json.dumps(
    [
        {"name": "vibration", "sensor_id": "vib-001", "unit": "mm/s", "scale": "1/100"},
        {"name": "heat", "unit": "°C", "scale": "1/10", "offset": "-40"},
    ]
).encode()
HEALTH = {name: 3 + 7 * number for number, name in enumerate(payload.HEALTH_FIELDS)}
HEALTH |= {"storage_state": 3, "microphone_state": 2}
# The device's status tells these, newer than its health record: kittiwake_device_evicted_records.
BY_STATUS = {"evicted_raw", "evicted_telemetry", "evicted_alert"}


def told(*records, description=DESCRIPTION, device=DEVICE, before=lambda link: None):
    """A bridge whose first device sent these: (its figures by Prometheus's own parser, the raw text, its report)."""

    async def run():
        made = Bridge(settings.of_ports([PORT, "/dev/b"], "mqtt://h", Policy()))
        link = made.links[0]
        link.session.device, link.session.journal = device, JOURNAL
        before(link)
        link.intake.begin(device, JOURNAL, 0)
        for seq, (type_, channel, body) in enumerate(records):
            record = rec.Record(type_, 1, channel, rec.ALERT, 1, seq, 1, 1240, 1767225600000, body)
            link.intake.take(record, {1: description})
        return Exposition(made).figures.text(), of(link)

    raw, report = asyncio.run(run())
    json.dumps(report, allow_nan=False)
    return {family.name: family for family in text_string_to_metric_families(raw.decode())}, raw, report


def zscore(x=1000, detector=anomaly.ZSCORE):
    return anomaly.pack_anomaly(detector, 0, 20, x, 420, 1000, 8980, 4351600, 1234, 5, 2)


def values(family, *labels):
    return {tuple(sample.labels[label] for label in labels): sample.value for sample in family.samples}


def test_metrics_have_every_field_of_the_health_record():
    assert set(metric_families.HEALTH) | set(STATES) | BY_STATUS == set(payload.HEALTH_FIELDS)
    families, _, report = told((rec.HEALTH, 0, payload.pack_health(HEALTH)))
    for field, (name, _, is_counter, factor) in metric_families.HEALTH.items():
        family = families[f"kittiwake_device_{name}"]
        assert family.type == ("counter" if is_counter else "gauge")
        assert [(s.labels["port"], s.labels["device"]) for s in family.samples] == [(PORT, DEVICE)]
        assert family.samples[0].value == pytest.approx(HEALTH[field] * factor)
    storage = values(families["kittiwake_device_storage_state"], "state")
    microphone = values(families["kittiwake_device_microphone_state"], "state")
    assert {state for (state,), one in storage.items() if one} == {"read-only"} and len(storage) == 7
    assert {state for (state,), one in microphone.items() if one} == {"dead"} and len(microphone) == 5
    assert report["health"] == HEALTH
    assert report["warnings"][:2] == ["storage: read-only", "microphone: dead"]


@pytest.mark.parametrize(("state", "name"), [*enumerate(payload.STORAGE_STATES), (6, "unknown"), (1 << 31, "unknown")])
def test_metrics_have_one_storage_state_of_all(state, name):
    families, _, report = told((rec.HEALTH, 0, payload.pack_health({"storage_state": state})))
    storage = values(families["kittiwake_device_storage_state"], "state")
    assert {other for (other,), one in storage.items() if one} == {name}
    assert report["warnings"] == ([] if state == 0 else [f"storage: {name}"])


def test_metrics_of_an_older_device_leave_out_what_it_does_not_say():
    families, _, report = told((rec.HEALTH, 0, payload.pack_health(HEALTH)[: 4 * 5]))
    assert families["kittiwake_device_overrun_samples"].samples
    assert not families["kittiwake_device_refused_models"].samples
    assert not families["kittiwake_device_storage_state"].samples
    assert set(report["health"]) == set(payload.HEALTH_FIELDS[:5])


def test_metrics_count_alerts_and_keywords_by_channel_and_keep_the_newest_values():
    feature = anomaly.pack_feature(0, 0, 200, 25600, 2560000, 32800000000, 1234, 5, 1)
    families, _, report = told(
        (rec.READING, 0, payload.pack_reading(421, 9)),
        (rec.READING, 0, payload.pack_reading(425, 10)),
        (rec.ANOMALY, 0, zscore()),
        (rec.ANOMALY, 0, zscore(900)),
        (rec.ANOMALY, 0, feature),
        (rec.ANOMALY, 1, anomaly.pack_levels(anomaly.DRIFT, 0, 650, 66 << 16, 42 << 16, 9 << 16, 1234, 3, 2)),
        (rec.SUMMARY, 1, payload.pack_summary(5, 400, 410, 0, 2020, 816100, 5, 0)),
        (rec.KEYWORD, 1, payload.pack_keyword(0, "okay_nabu", 5, 1242, 1241, 16000)),
        (rec.KEYWORD, 1, payload.pack_keyword(0, "okay_nabu", 5, 1242, 1241, 32000)),
        (rec.ANOMALY, 0, b"\x09" + bytes(60)),
    )
    assert values(families["kittiwake_channel_alerts"], "device", "channel", "detector") == {
        (DEVICE, "vibration", "zscore"): 2,
        (DEVICE, "vibration", "baseline"): 1,
        (DEVICE, "heat", "drift"): 1,
    }
    assert values(families["kittiwake_channel_keywords"], "channel", "keyword") == {("heat", "okay_nabu"): 2}
    # Of a baseline the value is a feature's, and no sample of the channel.
    assert values(families["kittiwake_channel_value"], "channel") == {("vibration",): 9.0, ("heat",): 25.0}
    assert values(families["kittiwake_channel_mean"], "channel") == {("heat",): 0.4}
    assert values(families["kittiwake_channel_low"], "channel") == {("heat",): 0.0}
    assert values(families["kittiwake_channel_high"], "channel") == {("heat",): 1.0}
    info = values(families["kittiwake_channel_info"], "channel", "sensor", "unit")
    assert info == {("vibration", "vib-001", "mm/s"): 1, ("heat", "", "°C"): 1}
    assert (report["alerts"], report["keywords"], report["opaque"]) == (4, 2, 1)
    assert report["channels"]["vibration"] == {
        "sensor_id": "vib-001",
        "unit": "mm/s",
        "ts": "2026-01-01T00:00:01.240Z",
        "value": 9.0,
    }


def test_metrics_forget_the_values_of_a_summary_that_an_empty_one_follows():
    full, empty = payload.pack_summary(5, 1, 9, 0, 20, 130, 5, 0), payload.pack_summary(0, 0, 0, 0, 0, 0, 5, 0)
    families, _, _ = told((rec.SUMMARY, 0, full), (rec.SUMMARY, 0, empty))
    assert not families["kittiwake_channel_mean"].samples


def test_metrics_of_a_port_with_another_device_begin_anew():
    def before(link):
        link.intake.begin("dev-0", 3, 0)
        link.intake.take(rec.Record(rec.ANOMALY, 1, 0, 2, 1, 0, 1, 1, 0, zscore()), {1: DESCRIPTION})
        link.intake.take(rec.Record(rec.HEALTH, 1, 0, 1, 1, 1, 1, 1, 0, payload.pack_health(HEALTH)), {1: DESCRIPTION})
        assert link.intake.tally.alerts == 1 and link.intake.health

    families, _, report = told(before=before)
    assert not families["kittiwake_channel_alerts"].samples
    assert not families["kittiwake_device_journal_commits"].samples
    assert (report["alerts"], report["health"], report["channels"]) == (0, {}, {})


def test_metrics_of_a_device_that_counts_a_record_twice_count_it_once():
    record = rec.Record(rec.ANOMALY, 1, 0, 2, 1, 0, 1, 1, 0, zscore())

    def before(link):
        link.intake.begin(DEVICE, JOURNAL, 0)
        link.intake.take(record, {1: DESCRIPTION})
        link.intake.take(record, {1: DESCRIPTION})
        link.intake.begin(DEVICE, JOURNAL + 1, 0)  # a journal of its own: the counts are the device's

    _, _, report = told(before=before)
    assert report["alerts"] == 1


def test_metrics_of_hostile_names_stay_few_and_short_and_can_be_read():
    nasty = ['"\n\\', "\x85", "\ud800", "x" * 5000, "_others", "日本", "a{b=}"]
    names = nasty + [f"n{number}" for number in range(249)]
    description = json.dumps([{"name": n, "sensor_id": n * 3, "unit": n} for n in names]).encode()
    words = [f"word{number}".encode() for number in range(200)]
    records = [(rec.ANOMALY, number, zscore()) for number in range(256)]
    records += [(rec.KEYWORD, 0, payload.pack_keyword(0, word.decode(), 1, 1, 1, 1)) for word in words]
    families, raw, report = told(*records, description=description, device='d"\n')
    alerts, keywords = families["kittiwake_channel_alerts"], families["kittiwake_channel_keywords"]
    assert len(alerts.samples) <= tally.CHANNELS_LIMIT + 1 and sum(s.value for s in alerts.samples) == 256
    assert len(keywords.samples) == tally.KEYWORDS_LIMIT + 1 and sum(s.value for s in keywords.samples) == 200
    assert values(keywords, "keyword")[(tally.OTHERS,)] == 200 - tally.KEYWORDS_LIMIT
    labels = [value for family in families.values() for sample in family.samples for value in sample.labels.values()]
    assert max(map(len, labels)) <= 64
    assert len(raw) < 200_000 and len(json.dumps(report)) < 50_000
    assert (report["alerts"], report["keywords"]) == (256, 200)


def test_refused_topics_that_are_told_are_few_and_the_sum_is_whole():
    counts = {(f"kittiwake/d/alert/{number}", "Not authorized"): 1 + number for number in range(100)}
    shown = few(counts)
    assert len(shown) == TOPICS_TOLD + 1 and sum(shown.values()) == sum(counts.values())
    assert shown[OTHERS, ""] == sum(range(1, 101 - TOPICS_TOLD))
    assert few(dict(list(counts.items())[:TOPICS_TOLD])) == dict(sorted(list(counts.items())[:TOPICS_TOLD]))


@pytest.mark.parametrize(
    ("health", "lines"),
    [
        ({}, []),
        ({"storage_state": 0, "microphone_state": 1, "bus_errors": 0}, []),
        ({"microphone_state": 3}, ["microphone: stopped"]),
        (
            {"bus_errors": 4, "models_refused": 1},
            ["wake words that cannot run: 1", "transfers to sensors that failed: 4"],
        ),
        ({"evicted_alert": 2}, ["alerts lost, the journal was full: 2"]),
    ],
)
def test_device_warnings_name_what_is_wrong(health, lines):
    assert warnings(health) == lines


def everything():
    return told(
        (rec.HEALTH, 0, payload.pack_health(HEALTH)),
        (rec.READING, 0, payload.pack_reading(421, 9)),
        (rec.ANOMALY, 0, zscore()),
        (rec.SUMMARY, 1, payload.pack_summary(5, 400, 410, 0, 2020, 816100, 5, 0)),
        (rec.KEYWORD, 1, payload.pack_keyword(0, "okay_nabu", 5, 1242, 1241, 16000)),
    )[1]


def test_metrics_keep_prometheuss_rules():
    raw = everything()
    assert len(raw) > 10_000
    assert complaints(raw) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# HELP kittiwake_a x\n# TYPE kittiwake_a counter\nkittiwake_a 1\n", "kittiwake_a: a counter without _total"),
        (
            "# HELP kittiwake_a_total x\n# TYPE kittiwake_a_total gauge\nkittiwake_a_total 1\n",
            "kittiwake_a_total: reserved",
        ),
        ("# HELP kittiwake_a_ms x\n# TYPE kittiwake_a_ms gauge\nkittiwake_a_ms 1\n", "kittiwake_a_ms: unit ms"),
        ("# HELP kittiwake_aB x\n# TYPE kittiwake_aB gauge\nkittiwake_aB 1\n", "kittiwake_aB: not in lower case"),
        ("# TYPE kittiwake_a gauge\nkittiwake_a 1\n", "kittiwake_a: no help"),
        ("kittiwake_a 1\n", "kittiwake_a: no type"),
        (
            '# HELP kittiwake_a x\n# TYPE kittiwake_a gauge\nkittiwake_a{b="1"} 1\nkittiwake_a{b="1"} 2\n',
            'kittiwake_a{b="1"}: twice',
        ),
    ],
)
def test_metrics_rules_notice_what_is_against_them(text, complaint):
    assert complaints(text.encode()) == [complaint]


@pytest.mark.needs("promtool")
def test_metrics_please_promtool():
    lines = promtool.complaints(everything())
    assert [line for line in lines if not line.startswith(IN_DAYS + ' use base unit "seconds"')] == []
