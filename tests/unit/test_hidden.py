"""What `kittiwake watch` can know of what an ACL hides: each rule, and that an honest broker brings none of them up."""

import json

import pytest

from kittiwake.clients import hidden


def view(*filters):
    made = hidden.View(filters or ("kittiwake/#",), "kittiwake", "user dashboard")
    assert made.notices(1e9) == []  # before the broker has answered there is nothing to say
    assert made.subscribed({}, 0.0) == []
    return made


def record(made, seq, now_s, device="press-7"):
    body = json.dumps({"device": device, "journal": "1", "seq": seq}).encode()
    made.take(f"kittiwake/{device}/alert/x", body, now_s)


def test_view_of_an_honest_broker_has_nothing_to_say():
    made = view()
    made.take("kittiwake/bridge/devices", b'["press-7"]', 0.1)
    made.take("kittiwake/bridge/status", b"online", 0.1)
    made.take("kittiwake/press-7/status", b"online", 0.1)
    for second in range(1000):
        record(made, 40 + second, float(second))
        assert made.notices(float(second)) == []


def test_view_with_a_refused_subscription_says_which_and_why():
    made = hidden.View(("a/#", "b/#"), "a", "us")
    assert made.subscribed({"b/#": "Not authorized"}, 0.0) == [
        "the broker refuses the subscription to b/#: Not authorized; its ACL has to let us read it"
    ]


def test_view_where_nothing_comes_says_so_once_after_a_while():
    made = view()
    assert made.notices(hidden.SETTLE_S - 0.1) == []
    (line,) = made.notices(hidden.SETTLE_S)
    assert "not even a bridge's retained status" in line and "hides it from user dashboard" in line
    assert made.notices(hidden.SETTLE_S + 1) == []


def test_view_of_topics_without_anything_retained_says_that_it_cannot_know():
    (line,) = view("kittiwake/+/alert/#").notices(hidden.SETTLE_S)
    assert "cannot be known" in line


@pytest.mark.parametrize("filters", [("kittiwake/#",), ("kittiwake/+/status", "kittiwake/+/devices"), ("#",)])
def test_view_names_devices_that_a_bridge_claims_and_whose_status_is_hidden(filters):
    made = view(*filters)
    made.take("kittiwake/bridge/devices", b'["press-7", "press-8"]', 0.1)
    made.take("kittiwake/press-8/status", b"online", 0.1)
    (line,) = made.notices(hidden.SETTLE_S)
    assert line.startswith("press-7: on line by a bridge's list, and no status came")


def test_view_does_not_miss_statuses_that_it_did_not_ask_for():
    made = view("kittiwake/bridge/#")
    made.take("kittiwake/bridge/devices", b'["press-7"]', 0.1)
    assert made.notices(hidden.SETTLE_S) == []


def test_view_with_holes_in_a_devices_records_says_so_once_when_they_stay():
    made = view()
    for seq in (5, 6, 9, 10):
        record(made, seq, 0.0)
    record(made, 7, 5.0)  # it was refused at first, and came late
    assert made.notices(hidden.GAP_S - 0.1) == []
    (line,) = made.notices(hidden.GAP_S)
    assert line.startswith("press-7: 1 of its records did not come (seq 8): the broker's ACL hides")
    record(made, 20, 20.0)
    assert made.notices(1000.0) == []


def test_view_of_one_kind_does_not_take_the_others_for_hidden():
    made = view("kittiwake/+/alert/+", "kittiwake/bridge/status")
    made.take("kittiwake/bridge/status", b"online", 0.0)
    for seq in (5, 9):
        record(made, seq, 0.0)
    assert made.notices(1000.0) == []


def test_view_names_a_device_on_line_of_which_nothing_else_comes():
    made = view()
    for name in ("press-7", "press-8", "press-9", "bridge"):
        made.take(f"kittiwake/{name}/status", b"online", 0.0)
    made.take("kittiwake/bridge/devices", b'["press-7", "press-8", "press-9"]', 0.0)
    record(made, 5, 1.0, "press-8")
    made.take("kittiwake/press-9/status", b"offline", 1.0)
    assert made.notices(hidden.QUIET_S - 0.1) == []
    (line,) = made.notices(hidden.QUIET_S)
    assert line.startswith("press-7: on line, and no record of it came")
    assert made.notices(10 * hidden.QUIET_S) == []


def test_view_after_a_reconnect_begins_anew():
    made = view()
    record(made, 5, 0.0)
    made.subscribed({}, 10.0)
    made.take("kittiwake/bridge/status", b"online", 10.0)
    record(made, 500, 10.0)
    assert made.notices(1000.0) == []


@pytest.mark.parametrize("payload", [b"", b"{", b"[" * 5000, b'{"seq": "x"}', b'{"seq": 1e400}', b"[1, null]", b"\xff"])
def test_view_takes_whatever_comes(payload):
    made = view()
    for topic in ("kittiwake/x/devices", "kittiwake/x/status", "kittiwake/x/alert/y", "other", "kittiwake/"):
        made.take(topic, payload, 0.0)
    assert made.notices(1.0) == []


def test_view_of_hostile_numbers_and_names_stays_small():
    made = view()
    for number in range(5000):
        record(made, (number * 2654435761) % (1 << 32), 0.0, f"d{number % 3000}")
        made.take(f"kittiwake/s{number}/status", b"online", 0.0)
    lines = made.notices(1000.0)
    assert len(lines) <= 2048 + 1024
    assert made.notices(2000.0) == []
