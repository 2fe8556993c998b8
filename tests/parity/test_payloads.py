"""What databases need of payloads: kind and channel in each, one type a field, large integers, a time for null `ts`.

Bridge and board alike; test_publication.py compares the two byte for byte.
"""

import json
import re
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from kittiwake.publish import publisher
from kittiwake_node.link import anomaly, channel_description, machine_state, payload
from kittiwake_node.link import record as rec
from kittiwake_node.mqtt import publication
from tests.parity import test_publication
from tests.support.repository import ROOT
from tools.docs import topics

COUNT = 4000
DESCRIPTION = '[{"name": "a/b", "sensor_id": "vib-001"}]'
SPECIFICATION = (ROOT / "docs/spec/mqtt.md").read_text(encoding="utf-8")
# Fields that may be null, and when: no time, no deviation, no constant threshold.
MAY_BE_NULL = {"ts", "z_score", "stdev", "t"}
DEVICE_KINDS = {"boot", "time", "health", "event"}


def bodies(count=COUNT):
    """(topic, body) of every kind of record, odd ones too, and of each form that the reference page shows."""
    for case in test_publication.cases(count):
        topic, body = test_publication.published_by_the_bridge(*case).split("\t")
        yield topic, json.loads(body)
    for examples in topics.messages().values():
        yield from examples


def type_of(value):
    if isinstance(value, list):
        return f"list of {'/'.join(sorted({type_of(item) for item in value})) or 'int'}"
    return type(value).__name__


def types_of(messages):
    types = defaultdict(set)
    for _, body in messages:
        for name, value in body.items():
            types[name].add(type_of(value))
    return types


def publish(type_, body, seq=1, cls=rec.ALERT):
    draft = rec.draft(type_, 0, cls, 3, 1500, 0, 1, body)
    rec.seal(draft, 0, len(draft), seq)
    by_bridge = test_publication.published_by_the_bridge(DESCRIPTION, bytes(draft))
    assert test_publication.published_by_the_board(DESCRIPTION, bytes(draft)) == by_bridge
    return json.loads(by_bridge.split("\t")[1])


def test_payload_fields_have_one_type_in_every_kind_of_record():
    seen = list(bodies())
    assert {body["kind"] for _, body in seen} == set(publication.KINDS)
    types = types_of(seen)
    assert len(types) > 80
    mixed = {name: kinds for name, kinds in types.items() if len(kinds - {"NoneType"}) != 1}
    assert not mixed
    assert {name for name, kinds in types.items() if "NoneType" in kinds} == MAY_BE_NULL


def test_payload_type_check_notices_a_field_of_two_types():
    # What 0.1.0 published: an alert's `clipped` was true, a summary's a count.
    types = types_of([("", {"clipped": True}), ("", {"clipped": 3}), ("", {"samples": [1]})])
    assert types == {"clipped": {"bool", "int"}, "samples": {"list of int"}}


def test_payload_says_kind_and_channel_whatever_the_topic():
    policy = publisher.Policy(topics=dict.fromkeys(publication.KINDS, "one/for/all"))
    board = publication.Publisher(policy.base, policy.topics, "dev-1", 1)
    for topic, body in bodies(1000):
        if body["device"] != test_publication.DEVICE:
            continue
        if topic != "plant/boots":
            levels = topic.removeprefix("plant/a/dev-1/").split("/")
            assert body["kind"] == levels[0]
            assert levels[1:] in ([body["channel"]], [])
        assert (body["channel"] == "") == (body["kind"] in DEVICE_KINDS)
    for type_, kind in [*publisher.KINDS.items(), (77, "opaque")]:
        record = rec.Record(type_, 1, 0, rec.ALERT, 1, 1, 1, 1, 0, bytes(60))
        if type_ in (rec.ANOMALY, rec.KEYWORD, rec.STATE):
            record.payload = {
                rec.ANOMALY: anomaly.pack_levels(anomaly.DRIFT, 0, 1, 1, 1, 1, 1, 3, 2),
                rec.KEYWORD: payload.pack_keyword(0, "okay", 1, 1, 1, 1),
                rec.STATE: machine_state.pack_state("on", "off", 1, 1, 1),
            }[type_]
        message = publisher.publication(policy, "dev-1", 1, record, DESCRIPTION.encode())
        body = json.loads(message.payload)
        assert (message.topic, body["kind"]) == ("one/for/all", kind)
        assert body["channel"] == ("" if kind in DEVICE_KINDS else "a_b")
        channels = channel_description.read(DESCRIPTION.encode(), json.loads)
        assert board.form(record, channels) == (message.topic, message.payload)


LARGEST = {
    "z-score": (rec.ANOMALY, anomaly.pack_anomaly(1, 0, 1, 1, 1, 1, -(1 << 63), (1 << 64) - 1, 1, 5, 2)),
    "drift": (rec.ANOMALY, anomaly.pack_levels(2, 0, 1, (1 << 63) - 1, -(1 << 63), (1 << 64) - 1, 1, 3, 2)),
    "baseline": (
        rec.ANOMALY,
        anomaly.pack_feature(0, 0, (1 << 32) - 1, (1 << 64) - 1, (1 << 64) - 1, (1 << 128) - 1, 1, 5, 1),
    ),
    "summary": (rec.SUMMARY, payload.pack_summary((1 << 32) - 1, 0, 1, 0, (1 << 47) - 1, (1 << 64) - 1, 1, 0)),
}


@pytest.mark.parametrize("form", LARGEST)
def test_payload_with_the_largest_integers_has_their_digits_as_text(form):
    body = publish(*LARGEST[form])
    assert body["kind"] in ("alert", "summary")
    wide = {name for name, value in body.items() if type(value) is int and abs(value) >= 1 << 53}
    assert wide and {name + "_exact" for name in wide} == {name for name in body if name.endswith("_exact")}
    for name in wide:
        assert body[name + "_exact"] == str(body[name])


@pytest.mark.parametrize(("squares", "text"), [((1 << 53) - 1, None), (1 << 53, "9007199254740992")])
def test_payload_has_a_text_beside_an_integer_from_two_to_the_53_on(squares, text):
    body = publish(rec.SUMMARY, payload.pack_summary(1 << 31, 0, 1, 0, 0, squares, 1, 0))
    assert (body["q"], body.get("q_exact")) == (squares, text)


def power(text):
    """Read "-2^31", "2^31 - 1" or "0"."""
    sign, exponent, less = re.fullmatch(r"(-?)(?:2\^(\d+)|0)( - 1)?", text).groups()
    return (-1 if sign else 1) * (1 << int(exponent) if exponent else 0) - bool(less)


def test_payload_integers_stay_within_the_specifications_ranges():
    table = SPECIFICATION.partition("## Large integers")[2].partition("A bigint")[0]
    ranges = {}
    for line in re.findall(r"^\| (`.*) \|$", table, re.M):
        fields, least, greatest, _ = line.split(" | ")
        for name in re.findall(r"`(\w+)`", fields.replace("`health`", "")):
            low, high = power(least), power(greatest)
            ranges[name] = min(low, ranges.get(name, (0, 0))[0]), max(high, ranges.get(name, (0, 0))[1])
    assert ranges["q"] == (0, (1 << 128) - 1) and ranges["s"] == (-(1 << 63), (1 << 64) - 1)
    largest = [("", publish(*case)) for case in LARGEST.values()]
    small = {"anomalies", "sum", "limit", "window", "peak", "count", "part", "parts", "clipped"}
    small |= {"reset_cause", "heap_free", "code", "type", "version", "channel_number", *payload.HEALTH_FIELDS}
    met = set()
    for _, body in [*bodies(), *largest]:
        for name, value in body.items():
            if type(value) is int:
                low, high = ranges.get(name, (0, (1 << 32) - 1) if name in small else (0, -1))
                assert low <= value <= high, (name, value)
                met |= {name} if value in (low, high) else set()
    assert {"q", "s", "feature_value", "fast_q16", "slow_q16", "variance_q16", "n", "blocks"} <= met


def fill_in(messages):
    """The specification's rule: a message's time from the next of the same start that has one."""
    filled = []
    for body in messages:
        start = (body["journal"], body["boot"])
        later = [m for m in messages if (m["journal"], m["boot"]) == start and m["seq"] >= body["seq"] and m["ts"]]
        if not later:
            filled.append(None)
            continue
        other = min(later, key=lambda m: m["seq"])
        apart_ms = other["uptime_ms"] - body["uptime_ms"]
        filled.append(round(datetime.fromisoformat(other["ts"]).timestamp() * 1000) - apart_ms)
    return filled


def test_payloads_time_rule_gives_the_specifications_example():
    section = SPECIFICATION.partition("## Time of a message without `ts`")[2]
    example = [json.loads(line) for line in re.search(r"```json\n(.*?)```", section, re.S)[1].splitlines()]
    arithmetic = re.search(r"(\d+) - \((\d+) - (\d+)\) = (\d+), so (\S+):\n", section)
    other_ms, other_uptime, uptime, result = map(int, arithmetic.groups()[:4])
    assert other_ms - (other_uptime - uptime) == result
    assert datetime.fromtimestamp(result / 1000, UTC) == datetime.fromisoformat(arithmetic[5])
    alert = next(body for body in example if body["kind"] == "alert" and body["ts"] is None)
    assert fill_in(example)[example.index(alert)] == result


def test_payloads_time_rule_holds_over_a_node_that_is_told_the_time_late(tmp_path):
    # Two starts: in the first the time comes late and is set again by +5 s; in the second nobody tells it.
    told_ms, step_ms = 1_767_225_600_000, 5_000
    former = publisher.Former(publisher.Policy(), "dev-1", 1)
    former.describe(1, DESCRIPTION.encode())
    starts = [
        (1, 310, 0),
        (1, 1240, 0),
        (1, 2480, told_ms),
        (1, 3000, told_ms),
        (1, 9000, told_ms + step_ms),
        (2, 7, 0),
    ]
    messages = []
    for seq, (boot, uptime_ms, epoch_ms) in enumerate(starts):
        is_time = seq in (2, 4)
        body = payload.pack_time(epoch_ms + uptime_ms) if is_time else payload.pack_event(1, "x")
        type_ = rec.TIME if is_time else rec.EVENT
        record = rec.Record(type_, 1, 0, rec.ALERT, 1, seq, boot, uptime_ms, epoch_ms, body)
        messages.append(json.loads(former.form(record).payload))
    assert [m["ts"] is None for m in messages] == [True, True, False, False, False, True]
    expected = [told_ms + 310, told_ms + 1240, told_ms + 2480, told_ms + 3000, told_ms + step_ms + 9000, None]
    assert fill_in(messages) == expected
