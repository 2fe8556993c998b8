"""What peers say becomes a value or a refusal: texts, numbers, depth; and what they cause is logged once in a while."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kittiwake.bridge import command_codec
from kittiwake.bridge.homeassistant import discovery
from kittiwake.mqtt.guard import CallbackGuard
from kittiwake.peers import json_text, text
from kittiwake.peers.complaints import Complaints
from kittiwake.publish import publisher
from kittiwake_node.link import messages as m
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec

# Of MQTT 5, section 1.5.4: what a broker may close the connection over, and U+D800 to U+DFFF, which has no UTF-8.
UNFIT = ["\x7f", "\x85", "\x9f", "\ud800", "\udfff", "\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"]


def reading(layout):
    record = rec.Record(rec.READING, 1, 0, rec.TELEMETRY, 1, 17, 3, 1500, 0, payload.pack_reading(421, 9))
    message = publisher.publication(publisher.Policy(), "dev-1", 1, record, layout)
    return message, json.loads(message.payload)


@pytest.mark.parametrize("character", UNFIT, ids=ascii)
def test_record_of_a_channel_whose_name_mqtt_does_not_carry_is_published_under_a_safe_name(character):
    message, body = reading(json.dumps([{"name": f"a{character}b"}]).encode())
    assert message.topic == "kittiwake/dev-1/reading/a_b"
    assert body["problem"] == f"name holds U+{ord(character):04X}"
    assert body["x"] == 421


@pytest.mark.parametrize("character", ["\ud800", "\0"], ids=ascii)
@pytest.mark.parametrize("field", ["sensor_id", "unit"])
def test_record_of_a_channel_whose_text_no_database_takes_says_what_was_replaced(field, character):
    _, body = reading(json.dumps([{field: f"a{character}b"}]).encode())
    assert body[field] == "a\ufffdb"
    assert body["problem"] == f"{field} holds U+{ord(character):04X}"


def test_record_of_an_ordinary_channel_names_no_problem():
    assert "problem" not in reading(json.dumps([{"name": "tab\there", "unit": "°C \U0001f600"}]).encode())[1]


def test_discovery_of_a_channel_with_lone_surrogates_is_a_message():
    former = publisher.Former(publisher.Policy(), "dev-1", 1)
    channels = former.describe(1, b'[{"name": "a\\ud800", "unit": "\\udfff", "sensor_id": "\\ud800"}]')
    message = discovery(publisher.Policy(), "homeassistant", "kittiwake/bridge/status", "dev-1", 1, channels)
    assert json.loads(message.payload)["components"]["0_mean"]["name"] == "a_ mean"


@pytest.mark.parametrize("layout", [b"[" * 1000 + b"]" * 1000, b'[{"name":' + b"[" * 500 + b"]" * 500 + b"}]"])
def test_channel_description_nested_too_deep_is_refused_and_its_records_go_on_as_integers(layout):
    former = publisher.Former(publisher.Policy(), "dev-1", 1)
    assert former.describe(1, layout) == []
    assert "deep" in former.refusal
    assert reading(layout)[1]["value"] == 421.0


@given(st.text(st.characters(exclude_categories=())))
def test_level_and_value_have_a_utf8_form_and_hold_nothing_that_mqtt_does_not_carry(anything):
    level, value = text.level(anything)[0], text.value(anything)[0]
    value.encode()
    assert "\0" not in value
    for character in level:
        number = ord(character)
        assert number >= 0x20 and not 0x7F <= number <= 0x9F and not 0xD800 <= number <= 0xDFFF
        assert not 0xFDD0 <= number <= 0xFDEF and number & 0xFFFE != 0xFFFE


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"[" * 2000, "nested too deep"),
        (b"[" * 33 + b"]" * 33, "nested more than 32 deep"),
        (b"[NaN]", "not JSON"),
        (b"[-Infinity]", "not JSON"),
        (b"[1e999]", "a number too large"),
        (b'["\\ud800"]', "half a character"),
        (b'{"\\udc00": 1}', "half a character"),
        (b"[" + b"1," * 65536 + b"1]", "more than 65536 values"),
        (b"[" + b" " * 200_000 + b"]", "at most 150000"),
    ],
    ids=["deep", "33 deep", "NaN", "infinity", "too large", "surrogate", "surrogate as a key", "many", "long"],
)
def test_json_beyond_bounds_is_refused(raw, why):
    with pytest.raises(json_text.Refusal, match=why):
        json_text.read(raw, 150_000)


def test_json_within_bounds_is_its_value():
    assert json_text.read(b"[" * 32 + b"]" * 32, 64) == json.loads(b"[" * 32 + b"]" * 32)
    assert json_text.read(b'{"a": [1, 2.5, "\\ud83d\\ude00", null, true]}', 64) == {
        "a": [1, 2.5, "\U0001f600", None, True]
    }


@pytest.mark.parametrize("op", ["identify", "config_get"])
@pytest.mark.parametrize("answer", [b'{"a":' * 1000 + b"1" + b"}" * 1000, b'{"a":NaN}', b'{"a":"\\ud800"}'])
def test_answer_that_is_no_value_is_refused(op, answer):
    command = command_codec.parse(json.dumps({"id": "1", "op": op}).encode(), command_codec.OPERATIONS)
    exchange = command_codec.start_of("dev-1", command, lambda: 0)()
    next(exchange)
    head = len(answer).to_bytes(2, "little") if op == "config_get" else b""
    with pytest.raises(command_codec.ReplyError, match="cannot be read"):
        exchange.send((m.OK, head + answer))


@pytest.mark.parametrize("command", [b'{"id":"\\ud800","op":"ping"}', b'{"id":"1","op":"ping","text":"\\udfff"}'])
def test_command_with_a_lone_surrogate_is_no_command(command):
    with pytest.raises(command_codec.CommandError, match="half a character"):
        command_codec.parse(command, command_codec.OPERATIONS)


def test_complaints_are_all_counted_and_logged_once_in_a_while(caplog):
    now_s = [0.0]
    complaints = Complaints(logging.getLogger("test"), every_s=10, clock_s=lambda: now_s[0])
    for _ in range(1000):
        complaints.tell("wrong")
    now_s[0] = 11.0
    complaints.tell("wrong")
    assert complaints.count == 1001
    assert [line.getMessage() for line in caplog.records] == ["wrong", "wrong (999 more of the kind before)"]


def test_callback_that_raises_is_counted_and_logged_once_with_its_traceback(caplog):
    guard = CallbackGuard()

    def fail(value):
        raise KeyError(value)

    for _ in range(100):
        guard.wrap(fail)("x")
    assert guard.errors == 100
    assert len(caplog.records) == 1 and caplog.records[0].exc_info[0] is KeyError
    assert guard.call(lambda: None)
