"""The gateway's end of the link alone, against frames formed from docs/spec/link.md."""

import pytest

from kittiwake_node.link.gateway_session import GatewaySession
from tests.support import spec
from tests.support.link import (
    SESSION,
    ack_frame,
    frames_of,
    hello_frame,
    layout_frame,
    make_gateway,
    open_frame,
    records_frame,
    seqs_of,
)


def test_gateway_at_start_opens_and_repeats_it():
    gateway = GatewaySession(lambda: SESSION)
    assert gateway.next_output(0) == open_frame(window=64)
    assert gateway.next_output(499) is None and gateway.next_delay_ms(499) == 1
    assert gateway.next_output(500) == open_frame(window=64)


def test_gateway_with_records_hands_them_out_and_acknowledges_only_what_the_caller_did():
    gateway = make_gateway(acked=5)
    events = gateway.feed(records_frame(5, spec.record(seq=5), spec.record(seq=8, payload=b"x")), 0)
    assert seqs_of(events) == [5, 8]
    assert gateway.next_output(0) == ack_frame(5, 9)
    gateway.ack(6)
    assert gateway.next_output(0) == ack_frame(6, 9)
    with pytest.raises(ValueError):
        gateway.ack(10)


def test_gateway_with_a_hole_asks_once_and_again_when_nothing_comes():
    gateway = make_gateway()
    assert seqs_of(gateway.feed(records_frame(3, spec.record(seq=3)), 0)) == []
    assert gateway.next_output(0) == ack_frame(0, 0, flags=1)
    gateway.feed(records_frame(4, spec.record(seq=4)), 10)
    assert gateway.next_output(10) is None
    gateway.feed(records_frame(5, spec.record(seq=5)), 250)
    assert gateway.next_output(250) == ack_frame(0, 0, flags=1)
    assert seqs_of(gateway.feed(records_frame(0, spec.record(seq=0)), 260)) == [0]
    assert gateway.holes == 3


def test_gateway_with_a_record_whose_layout_is_missing_asks_for_it():
    gateway = make_gateway()
    assert seqs_of(gateway.feed(records_frame(0, spec.record(seq=0, layout=2)), 0)) == []
    assert gateway.next_output(0) == ack_frame(0, 0, flags=1)
    gateway.feed(layout_frame(2), 10)
    assert seqs_of(gateway.feed(records_frame(0, spec.record(seq=0, layout=2)), 10)) == [0]


def test_gateway_with_repeated_records_hands_out_only_new_ones():
    gateway = make_gateway()
    gateway.feed(records_frame(0, spec.record(seq=0), spec.record(seq=1)), 0)
    assert seqs_of(gateway.feed(records_frame(0, spec.record(seq=0), spec.record(seq=1), spec.record(seq=2)), 0)) == [2]
    assert gateway.duplicates == 2


def test_gateway_with_the_last_possible_number_does_not_count_past_32_bits():
    # Regression: a record with number 2^32 - 1 made every later acknowledgement impossible to write.
    gateway = make_gateway()
    events = gateway.feed(records_frame(0, spec.record(seq=0xFFFFFFFE), spec.record(seq=0xFFFFFFFF)), 0)
    assert seqs_of(events) == [0xFFFFFFFE] and gateway.damaged == 1
    gateway.ack(0xFFFFFFFF)
    assert gateway.next_output(0) == ack_frame(0xFFFFFFFF, 0xFFFFFFFF)


def test_gateway_with_frames_of_a_stale_session_ignores_them():
    gateway = make_gateway()
    assert gateway.feed(records_frame(0, spec.record(seq=0), session=SESSION - 1), 0) == []
    assert gateway.received == 0


def test_gateway_whose_device_restarted_says_so_and_opens_at_once():
    gateway = make_gateway()
    assert [e[0] for e in gateway.feed(hello_frame(session=0, boot=2), 50)] == ["lost"]
    assert gateway.next_output(50) == open_frame(session=SESSION + 1)
    assert gateway.feed(hello_frame(session=SESSION + 1, boot=2), 60) == [("opened", False)]
    assert gateway.boot == 2


@pytest.mark.parametrize(
    ("low", "high", "is_open"), [(1, 1, True), (1, 2, True), (0, 1, True), (2, 3, False), (0, 0, False)]
)
def test_gateway_of_a_device_with_other_versions_opens_or_refuses(low, high, is_open):
    gateway = GatewaySession(lambda: SESSION)
    gateway.next_output(0)
    events = gateway.feed(hello_frame(low=low, high=high, version=2), 0)
    assert [e[0] for e in events] == ["opened" if is_open else "refused"]
    assert gateway.is_open is is_open


@pytest.mark.parametrize("device", [b"", b"a/b", b"a+b", b"#", b"a b", b"x" * 65, b"\xc3\xa9"])
def test_gateway_of_a_device_whose_name_cannot_be_a_topic_counts_and_stays_closed(device):
    gateway = GatewaySession(lambda: SESSION)
    gateway.next_output(0)
    assert gateway.feed(hello_frame(device=device), 0) == []
    assert not gateway.is_open and gateway.decoder.rejected == 1


def test_gateway_with_many_layouts_keeps_few():
    gateway = make_gateway()
    for number in range(3000):
        gateway.feed(layout_frame(number, b"x" * 500), 0)
    assert len(gateway.descriptions) <= 256


def test_gateway_with_many_commands_sends_few_and_says_when_to_call_again():
    # Regression: commands beyond the device's memory of answers were sent too.
    gateway = make_gateway()
    requests = [gateway.request(1) for _ in range(20)]
    sent = [kind for kind, _ in frames_of(gateway, 0) if kind == 20]
    assert len(sent) == 8 and gateway.next_delay_ms(0) > 0
    gateway.feed(spec.frame(5, spec.le(SESSION, 4) + spec.le(requests[0], 4) + b"\0"), 0)
    assert [kind for kind, _ in frames_of(gateway, 0)] == [20]


def test_gateway_with_300_layouts_and_a_record_of_each_at_once_still_has_every_layout():
    gateway = make_gateway()
    data = b"".join(layout_frame(n, b"[]") + records_frame(n, spec.record(seq=n, layout=n)) for n in range(300))
    events = gateway.feed(data, 0)
    assert [event[1].seq for event in events] == list(range(300))
    assert all(event[1].description in gateway.descriptions for event in events)


def test_gateway_without_room_leaves_records_with_the_device_and_takes_them_when_there_is():
    gateway = make_gateway()
    frame = records_frame(0, *(spec.record(seq=seq) for seq in range(5)))
    assert seqs_of(gateway.feed(frame, 0, 3)) == [0, 1, 2] and gateway.held_back == 1
    assert seqs_of(gateway.feed(records_frame(5, spec.record(seq=5)), 0, 0)) == []
    assert gateway.next_output(0) == ack_frame(0, 3, flags=1)  # the next frame is a hole
    assert seqs_of(gateway.feed(records_frame(3, spec.record(seq=3), spec.record(seq=4)), 10, 2)) == [3, 4]


def test_gateway_without_room_still_takes_again_what_it_had_in_the_session_before():
    gateway = make_gateway()
    gateway.feed(records_frame(0, spec.record(seq=0), spec.record(seq=1)), 0)
    gateway.reopen()
    gateway.next_output(0)
    gateway.feed(hello_frame(session=SESSION + 1), 0)
    gateway.feed(spec.frame(6, spec.le(SESSION + 1, 4) + spec.le(1, 2) + b"[]"), 0)
    records = [spec.record(seq=seq) for seq in range(3)]
    assert seqs_of(gateway.feed(records_frame(0, *records, session=SESSION + 1), 0, 0)) == [0, 1]
    gateway.ack(2)


def test_gateway_of_a_status_that_cannot_be_counts_it():
    # Regression: a lag of -4,294,967,295 reached the metrics.
    gateway = make_gateway()
    status = spec.le(SESSION, 4) + spec.le(0xFFFFFFFF, 4) + spec.le(0, 4) + bytes(12)
    assert gateway.feed(spec.frame(4, status), 0) == [] and gateway.decoder.rejected == 1
