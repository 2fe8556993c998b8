"""What the window says of a device: from what was heard and when, never from a retained word alone."""

import json

import pytest

from kittiwake.window.fleet import Fleet

T0 = 1_800_000_000_000
S = 1000


def record(device, seq, kind="summary", **more):
    body = {"kind": kind, "device": device, "journal": "11" * 8, "seq": seq, "ts": None, "channel": "vibration", **more}
    return f"kittiwake/{device}/{kind}/vibration", json.dumps(body).encode()


def answer(gateway, **online):
    devices = [{"device": name, "online": is_online, "lag": 3} for name, is_online in online.items()]
    body = {"id": "1", "op": "status", "bridge": gateway, "status": "ok", "result": {"well": True, "devices": devices}}
    return f"kittiwake/{gateway}/resp", json.dumps(body).encode()


@pytest.fixture
def fleet():
    made = Fleet("kittiwake")
    made.connected(T0)
    return made


def say(fleet, topic, payload, at_ms):
    fleet.take(f"kittiwake/{topic}", payload, at_ms)


def state(fleet, name, at_ms):
    verdict = fleet.verdict(name, at_ms)
    return verdict.state, verdict.why, verdict.since_ms, verdict.since_kind


def test_retained_word_alone_is_not_online(fleet):
    say(fleet, "a/status", b"online", T0)
    assert state(fleet, "a", T0 + 1) == ("unconfirmed", "word-only", T0, "before")


def test_record_makes_it_online_until_more_than_its_usual_pause_has_passed(fleet):
    say(fleet, "a/status", b"online", T0)
    for at_ms in (0, 4 * S, 8 * S):
        fleet.take(*record("a", at_ms), T0 + at_ms)
    assert state(fleet, "a", T0 + 20 * S) == ("online", "record", T0 + 8 * S, "at")
    assert state(fleet, "a", T0 + 20 * S + 1) == ("silent", "no-record", T0 + 8 * S, "after")


def test_record_of_a_device_without_a_word_counts_too(fleet):
    fleet.take(*record("a", 1), T0)
    assert state(fleet, "a", T0 + 5 * S)[0] == "online"
    assert state(fleet, "a", T0 + 5 * S + 1)[0] == "silent"


def test_word_offline_counts_more_than_a_record_that_came_late(fleet):
    say(fleet, "a/status", b"online", T0)
    say(fleet, "a/status", b"offline", T0 + S)
    fleet.take(*record("a", 1), T0 + 2 * S)
    assert state(fleet, "a", T0 + 3 * S) == ("offline", "word-offline", T0 + S, "at")


def test_word_offline_that_was_there_before_us_has_no_time_but_the_last_record(fleet):
    say(fleet, "a/status", b"offline", T0)
    assert state(fleet, "a", T0 + S) == ("offline", "word-offline", None, "")
    fleet.devices["a"].heard_ms = T0 - 60 * S
    assert state(fleet, "a", T0 + S) == ("offline", "word-offline", T0 - 60 * S, "after")


@pytest.fixture
def behind_gateway(fleet):
    say(fleet, "gate/status", b"online", T0)
    say(fleet, "gate/devices", b'["a"]', T0)
    say(fleet, "a/status", b"online", T0)
    return fleet


def test_gateway_is_no_device_in_whichever_order_its_words_come(fleet):
    say(fleet, "gate/status", b"online", T0)
    assert "gate" in fleet.devices
    say(fleet, "gate/devices", b'["a"]', T0)
    say(fleet, "late/devices", b'["b"]', T0)
    say(fleet, "late/status", b"online", T0)
    assert fleet.devices.keys() == set() and fleet.gateways.keys() == {"gate", "late"}
    assert [gateway.word.text for gateway in fleet.gateways.values()] == ["online", "online"]


def test_session_at_a_gateway_that_answers_is_online_while_the_answer_is_new(behind_gateway):
    fleet = behind_gateway
    fleet.take(*answer("gate", a=True), T0 + S)
    assert state(fleet, "a", T0 + 7 * S) == ("online", "session", T0 + S, "at")
    assert state(fleet, "a", T0 + 7 * S + 1) == ("unconfirmed", "word-only", T0, "before")
    assert fleet.beat("a", T0 + 2 * S) == [None, T0 + S, 3]


def test_no_session_at_a_gateway_that_answers_is_offline(behind_gateway):
    behind_gateway.take(*answer("gate", a=False), T0 + S)
    assert state(behind_gateway, "a", T0 + 2 * S)[:2] == ("offline", "no-session")


def test_gateway_that_owes_an_answer_makes_its_devices_unknown(behind_gateway):
    fleet = behind_gateway
    fleet.take(*answer("gate", a=True), T0 + S)
    fleet.gateways["gate"].asked_ms = T0 + 2 * S
    assert state(fleet, "a", T0 + 5 * S + 500)[0] == "online"
    assert state(fleet, "a", T0 + 5 * S + 501) == ("unknown", "gateway-silent", T0 + S, "after")
    fleet.take(*record("a", 1), T0 + 3 * S)
    assert state(fleet, "a", T0 + 5 * S + 501)[:2] == ("online", "record")


def test_gateway_that_owes_an_answer_is_believed_more_than_a_long_pause_of_its_device(behind_gateway):
    """Regression: a device that was silent for 10 s once was held for online 30 s after its gateway had hung."""
    fleet = behind_gateway
    for at_ms in (0, 10 * S):
        fleet.take(*record("a", at_ms), T0 + at_ms)
    fleet.take(*answer("gate", a=True), T0 + 11 * S)
    fleet.gateways["gate"].asked_ms = T0 + 12 * S
    assert state(fleet, "a", T0 + 16 * S)[:2] == ("unknown", "gateway-silent")


def test_pause_in_which_the_gateway_was_away_is_no_usual_one(behind_gateway):
    fleet = behind_gateway
    fleet.take(*record("a", 1), T0)
    say(fleet, "gate/status", b"offline", T0 + S)
    say(fleet, "gate/status", b"online", T0 + 40 * S)
    fleet.take(*record("a", 2), T0 + 40 * S)
    assert state(fleet, "a", T0 + 45 * S + 1)[0] == "silent"


def test_gateway_that_left_makes_its_devices_unknown_since_then(behind_gateway):
    fleet = behind_gateway
    fleet.take(*record("a", 1), T0 + S)
    say(fleet, "gate/status", b"offline", T0 + 2 * S)
    assert state(fleet, "a", T0 + 3 * S) == ("unknown", "gateway-away", T0 + 2 * S, "at")
    assert fleet.gateway_row("gate", T0 + 3 * S)["state"] == "offline"


def test_broker_away_makes_all_unknown_and_what_was_heard_before_is_no_proof_after(behind_gateway):
    fleet = behind_gateway
    fleet.take(*record("a", 1), T0 + S)
    fleet.disconnected(T0 + 2 * S)
    fleet.disconnected(T0 + 3 * S)
    assert state(fleet, "a", T0 + 3 * S) == ("unknown", "broker-away", T0 + 2 * S, "at")
    fleet.connected(T0 + 4 * S)
    say(fleet, "gate/status", b"online", T0 + 4 * S)
    say(fleet, "a/status", b"online", T0 + 4 * S)
    assert state(fleet, "a", T0 + 4 * S) == ("silent", "no-record", T0 + S, "after")


def test_of_two_gateways_that_name_a_device_the_one_with_its_session_counts(behind_gateway):
    fleet = behind_gateway
    say(fleet, "other/devices", b'["a"]', T0)
    say(fleet, "other/status", b"online", T0)
    fleet.take(*answer("other", a=True), T0 + S)
    assert fleet.gateway_of("a").name == "other"
    say(fleet, "other/status", b"offline", T0 + S)
    assert fleet.gateway_of("a").name == "gate"


def test_alert_that_comes_twice_is_counted_once_and_in_its_hour(fleet):
    hour_ms = 3_600_000
    for at_ms in (T0, T0 + 1, T0 + hour_ms):
        fleet.take(*record("a", 7, "alert"), at_ms)
    fleet.take(*record("a", 8, "alert"), T0 + hour_ms)
    counts = fleet.row("a", T0 + hour_ms)["alerts"]
    assert counts == [0] * 22 + [1, 1]
    assert sum(fleet.row("a", T0 + 24 * hour_ms)["alerts"]) == 1


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"device":3,"kind":"x"}', b'{"device":"a"}', b"[" * 5000])
def test_message_that_is_no_record_is_counted_and_changes_nothing(fleet, payload):
    fleet.take("kittiwake/a/summary/v", payload, T0)
    assert fleet.unreadable == 1 and not fleet.devices


def test_names_are_bounded(fleet):
    for number in range(5000):
        say(fleet, f"n{number}/status", b"online", T0)
    assert len(fleet.devices) == 4096
