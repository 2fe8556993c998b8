"""The device's end of the link alone, against frames formed from docs/spec/link.md."""

import random

import pytest

from kittiwake_node.link.device_session import SILENCE_MS
from kittiwake_node.link.gateway_session import GatewaySession
from tests.support import spec
from tests.support.link import SESSION, ack_frame, command_frame, frames_of, kinds_of, make_device, open_frame


def test_device_at_boot_announces_itself_and_sends_nothing_else():
    device, journal, _ = make_device(records=5)
    frames = frames_of(device, 0)
    hello = spec.le(0, 4) + b"\x01\x01" + spec.le(1024, 2) + spec.le(journal.id, 8)
    hello += spec.le(3, 4) + spec.le(0, 4) + spec.le(5, 4) + b"dev-1"
    assert frames == [(1, hello)]
    assert frames_of(device, 100_000) == []


def test_device_after_open_sends_layout_before_records():
    device, journal, _ = make_device(records=3)
    frames_of(device, 0)
    device.feed(open_frame(), 0)
    frames = frames_of(device, 0)
    assert [kind for kind, _ in frames] == [1, 6, 2]
    assert frames[1][1] == spec.le(SESSION, 4) + spec.le(1, 2) + b'[{"name":"1"}]'
    assert frames[2][1] == spec.le(SESSION, 4) + spec.le(0, 4) + b"".join(journal.records.values())


@pytest.mark.parametrize(
    ("acked", "received"),
    [(4, 4), (0, 4), (0xFFFFFFFF, 0xFFFFFFFF), (2, 1), (3, 0)],
)
def test_device_with_an_ack_of_what_was_never_sent_frees_nothing(acked, received):
    device, journal, _ = make_device(records=3)
    journal.allowed = 1 << 32
    device.feed(open_frame(), 0)
    frames_of(device, 0)
    journal.add(b"not sent yet")
    device.feed(ack_frame(acked, received), 0)
    assert (journal.acked, device.decoder.rejected) == (0, 1)
    device.feed(ack_frame(3, 3), 0)
    assert journal.acked == 3


def test_device_with_an_ack_before_open_announces_itself_and_frees_nothing():
    device, journal, _ = make_device(records=3)
    frames_of(device, 0)
    device.feed(ack_frame(3, 3), 1000)
    assert journal.acked == 0
    assert kinds_of(device, 1000) == [1]


def test_device_with_acks_of_another_session_announces_itself_without_a_storm():
    device, journal, _ = make_device(records=3)
    device.feed(open_frame(), 0)
    frames_of(device, 0)
    for now_ms in range(10, 2000, 10):
        device.feed(ack_frame(3, 3, session=SESSION + 1), now_ms)
    assert journal.acked == 0
    assert kinds_of(device, 900).count(1) == 4


def test_device_told_late_of_records_it_has_rewound_believes_it():
    # Regression: after its resend timer the device refused true acknowledgements until it had sent everything again.
    device, journal, _ = make_device(records=60)
    device.feed(open_frame(), 0)
    frames_of(device, 0)
    for _ in range(3):  # the acknowledgements were lost, the timer has run out: STATUS, LAYOUT, the first RECORDS
        assert device.next_output(1500) is not None
    assert device.resends == 1
    journal.allowed = 60
    device.feed(ack_frame(60, 60), 1500)
    assert (journal.acked, device.decoder.rejected) == (60, 0)
    assert 2 not in kinds_of(device, 1500)


def test_device_asked_to_rewind_sends_again_from_there_with_the_layout():
    device, journal, _ = make_device(records=10)
    device.feed(open_frame(), 0)
    frames_of(device, 0)
    device.feed(ack_frame(0, 4, flags=1), 100)
    frames = frames_of(device, 100)
    assert [kind for kind, _ in frames] == [6, 2]
    assert frames[1][1][4:] == spec.le(4, 4) + b"".join(list(journal.records.values())[4:])


def test_device_with_a_window_of_zero_waits_for_credit():
    device, _, _ = make_device(records=10)
    device.feed(open_frame(window=1), 0)
    frames_of(device, 0)
    device.feed(ack_frame(0, 0, window=0, flags=1), 10)
    assert kinds_of(device, 20) == []
    device.feed(ack_frame(0, 0, window=9), 30)
    assert 2 in kinds_of(device, 30)


def test_device_whose_gateway_is_gone_stops_sending():
    # Regression: with nobody there the window was sent again every second for ever.
    device, _, _ = make_device(records=10)
    device.feed(open_frame(), 0)
    for now_ms in range(0, 60_000, 100):
        frames_of(device, now_ms)
    assert not device.is_open
    assert device.resends <= SILENCE_MS // 1000
    device.feed(ack_frame(0, 10), 61_000)
    assert kinds_of(device, 61_000) == [1]


@pytest.mark.parametrize("settings", [{"session": 0}, {"window": 0}, {"max_frame": 1023}])
def test_device_with_an_open_that_cannot_be_refuses_it(settings):
    # Regression: a frame limit below the longest record made that record go out again and again.
    device, _, _ = make_device(records=1)
    frames_of(device, 0)
    device.feed(open_frame(**settings), 0)
    assert not device.is_open and device.decoder.rejected == 1


@pytest.mark.parametrize(
    ("low", "high", "is_open"), [(1, 1, True), (1, 9, True), (0, 1, True), (2, 9, False), (0, 0, False)]
)
def test_device_offered_versions_opens_on_one_that_it_knows(low, high, is_open):
    device, _, _ = make_device()
    frames_of(device, 0)
    device.feed(open_frame(low=low, high=high), 0)
    assert device.is_open is is_open
    (kind, payload), *_ = frames_of(device, 0)
    assert kind == 1 and payload[:6] == spec.le(SESSION if is_open else 0, 4) + b"\x01\x01"


def test_device_with_a_frame_of_a_later_version_does_not_guess():
    device, journal, _ = make_device(records=3)
    journal.allowed = 3
    device.feed(open_frame(), 0)
    frames_of(device, 0)
    device.feed(ack_frame(3, 3, version=2), 0)
    assert (journal.acked, device.decoder.rejected) == (0, 1)


def test_device_with_a_repeated_command_answers_again_and_does_it_once():
    device, _, done = make_device()
    device.feed(open_frame(), 0)
    for _ in range(5):
        device.feed(command_frame(1, body=b"x"), 0)
    assert kinds_of(device, 0).count(5) == 5
    assert done == [(1, b"x")]


def test_device_with_a_late_copy_of_an_old_command_ignores_it():
    device, _, done = make_device()
    device.feed(open_frame(), 0)
    for request in range(1, 20):
        device.feed(command_frame(request), 0)
        frames_of(device, 0)
    device.feed(command_frame(3), 0)
    assert len(done) == 19 and frames_of(device, 0) == []


def test_device_flooded_while_its_port_takes_nothing_keeps_few_replies():
    # Regression: every repeat of a command added a reply.
    device, _, _ = make_device()
    device.feed(open_frame(), 0)
    for _ in range(10_000):
        device.feed(command_frame(1), 0)
    assert len(frames_of(device, 0)) < 50


@pytest.mark.parametrize("kind", [0, 17, 18, 20, 21, 255])
def test_device_with_every_prefix_of_every_message_never_raises(kind):
    whole = spec.le(SESSION, 4) + bytes(range(40))
    device, journal, _ = make_device(records=3)
    device.feed(open_frame(), 0)
    for size in range(1, len(whole)):
        device.feed(spec.frame(kind, whole[:size]), 0)
        frames_of(device, 0)
    assert journal.acked == 0


def test_both_ends_with_random_frames_never_raise():
    rng = random.Random(7)
    device, journal, _ = make_device(records=20)
    journal.allowed = 20
    gateway = GatewaySession(lambda: SESSION)
    for now_ms in range(0, 40_000, 10):
        payload = spec.le(rng.choice((0, SESSION, SESSION + 1)), 4) + rng.randbytes(rng.randrange(60))
        if rng.random() < 0.2:
            payload = spec.le(SESSION, 4) + spec.le(rng.randrange(30), 4) + spec.record(seq=rng.randrange(1 << 32))
        for end in (device, gateway):
            end.feed(spec.frame(rng.randrange(256), payload[: rng.randrange(1, 80)]), now_ms)
            end.feed(spec.frame(rng.choice((1, 2, 4, 5, 6, 17, 18, 20)), payload), now_ms)
            frames_of(end, now_ms)
    assert journal.acked <= 20
