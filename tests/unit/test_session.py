"""Both ends of the link over a simulated line, on a fake clock: what the broker has, the journal frees, and no more."""

import random

import pytest

from kittiwake_node.core import messages as m
from kittiwake_node.core.device_session import SILENCE_MS, DeviceSession
from kittiwake_node.core.frame import FrameDecoder
from kittiwake_node.core.gateway_session import GatewaySession
from tests.support import spec
from tests.support.sessions import ListJournal, World

FAULTS = {
    "clean": {},
    "loss": {"lose": 0.05},
    "repeats": {"repeat": 0.05},
    "reordering": {"reorder": 0.03},
    "corruption": {"corrupt": 0.05},
    "cuts": {"cut": 0.05},
    "garbage": {"garbage": 0.05},
    "everything": {"lose": 0.02, "repeat": 0.02, "reorder": 0.01, "corrupt": 0.02, "cut": 0.02, "garbage": 0.02},
}


def _fill(world, count, gaps=0.0):
    for _ in range(count):
        layout = 1 + world.journal.next_seq // 700
        world.journal.add(world.rng.randbytes(world.rng.randrange(80)), layout)
    dropped = [seq for seq in list(world.journal.records) if world.rng.random() < gaps]
    world.journal.evict(dropped)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FAULTS)
def test_sessions_over_a_bad_line_deliver_everything_in_order(name, seed):
    world = World(seed, dict(FAULTS[name]))
    _fill(world, 2000)
    want = {seq: raw[28:-4] for seq, raw in world.journal.records.items()}
    world.run_until_drained()
    assert world.published == want
    assert world.journal.acked == world.journal.next_seq == 2000
    faults_seen = world.device.resends + world.gateway.holes + world.gateway.decoder.rejected + world.gateway.duplicates
    assert (faults_seen > 0) is (name != "clean")
    if name == "clean":
        assert (world.repeats, world.device.resends, world.gateway.holes) == (0, 0, 0)
        assert world.device.decoder.rejected == world.gateway.decoder.rejected == 0


@pytest.mark.parametrize("seed", range(4))
def test_sessions_with_restarts_of_both_ends_deliver_everything(seed):
    world = World(seed, dict(FAULTS["everything"]))
    want = {}
    for _ in range(40):
        _fill(world, 100)
        want.update({seq: raw[28:-4] for seq, raw in world.journal.records.items()})
        for _ in range(world.rng.randrange(150)):
            world.step()
        world.rng.choice((world.restart_device, world.start_gateway, world.gateway.reopen, lambda: None))()
    world.heal()
    world.run_until_drained()
    assert world.published == want and len(want) == 4000


@pytest.mark.parametrize("seed", range(4))
def test_sessions_with_evicted_gaps_deliver_the_rest(seed):
    world = World(seed, dict(FAULTS["everything"]))
    _fill(world, 3000, gaps=0.5)
    world.journal.evict(range(400, 1200))
    for _ in range(300):
        world.step()
    world.journal.evict(range(1500, 1900))  # some of it under way
    rest = set(world.journal.records)
    world.run_until_drained()
    assert rest <= set(world.published)


def test_sessions_with_nothing_left_behind_the_last_record_stay_quiet():
    # Regression: the device took the gap at the end as sent, and sent it again every second for ever.
    world = World(1)
    _fill(world, 50)
    world.journal.evict(range(40, 50))
    world.run_until_drained()
    for _ in range(1000):
        world.step()
    assert world.device.resends == 0
    _fill(world, 20)
    world.run_until_drained()
    assert (world.device.resends, world.gateway.holes, world.journal.acked) == (0, 0, 70)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("window", [1, 8, 64])
def test_sessions_with_a_slow_broker_keep_to_the_window(window, seed):
    world = World(seed, {"lose": 0.02}, window=window, broker_delay_ms=2000)
    _fill(world, 300)
    for _ in range(3000):
        world.step()
    # The frame that reaches the window may go over it; no record is smaller than its overhead of 32 bytes.
    assert world.most_in_flight < window + 1024 // 32
    world.broker_delay_ms = 10
    world.run_until_drained()


def test_sessions_while_the_broker_is_away_free_nothing_and_resend_nothing():
    world = World(5, broker_delay_ms=10**9)
    _fill(world, 500)
    for _ in range(3000):
        world.step()
    assert (world.journal.acked, world.device.resends) == (0, 0)
    assert world.published and world.repeats == 0


@pytest.mark.parametrize("seed", range(4))
def test_sessions_over_a_bad_line_do_every_command_once(seed):
    # Regression: more commands under way than the device remembers answers for were done again.
    world = World(seed, dict(FAULTS["everything"]))
    world.run_until_drained()
    while not world.gateway.is_open:
        world.step()
    del world.faults["garbage"]
    world.faults.update(reorder=0.0)  # what restarts a session forgets its commands; see the test below
    requests = [world.gateway.command(m.OP_PING, b"%d" % i) for i in range(60)]
    session = world.gateway._session
    while len(world.answers) < len(requests) and world.now_ms < 600_000:
        world.step()
    assert world.gateway._session == session, "seed restarts the session"
    assert sorted(world.done) == sorted((m.OP_PING, b"%d" % i) for i in range(60))
    assert sorted(world.answers) == sorted((r, m.OK, b"%d" % i) for i, r in enumerate(requests))


def test_sessions_with_a_command_whose_body_is_made_when_sent_send_the_newest():
    world = World(1)
    while not world.gateway.is_open:
        world.step()
    world.down.faults["lose"] = 1.0
    world.gateway.command(m.OP_TIME, lambda: b"%d" % world.now_ms)
    for _ in range(100):
        world.step()
    asked_ms = world.now_ms
    world.heal()
    while not world.done:
        world.step()
    assert int(world.done[0][1]) >= asked_ms - 1000


def test_gateway_of_a_silent_device_opens_again_and_drops_commands():
    world = World(1)
    while not world.gateway.is_open:
        world.step()
    world.gateway.command(m.OP_PING)
    world.up.faults["lose"] = 1.0
    session = world.gateway._session
    for _ in range(600):
        world.step()
    assert not world.gateway.is_open and world.gateway._session != session
    world.heal()
    for _ in range(200):
        world.step()
    assert world.gateway.is_open and world.device.is_open


# The device alone, against frames formed from SPEC.md.

SESSION = 0x01020304


def _open(session=SESSION, low=1, high=1, max_frame=1024, window=64):
    return spec.frame(17, spec.le(session, 4) + bytes([low, high]) + spec.le(max_frame, 2) + spec.le(window, 2))


def _ack(acked, received, session=SESSION, window=64, flags=0, version=1):
    body = spec.le(session, 4) + spec.le(acked, 4) + spec.le(received, 4) + spec.le(window, 2) + bytes([flags])
    return spec.frame(18, body, version)


def _command(request, op=1, body=b"", session=SESSION):
    return spec.frame(20, spec.le(session, 4) + spec.le(request, 4) + bytes([op]) + body)


def _device(records=0, **settings):
    journal = ListJournal()
    for i in range(records):
        journal.add(b"%d" % i)
    done = []

    def on_command(op, body, now_ms):
        done.append((op, body))
        return m.OK, b""

    device = DeviceSession("dev-1", 3, journal, on_command, **settings)
    return device, journal, done


def _frames(session, now_ms):
    decoder, out = FrameDecoder(), []
    while True:
        data = session.next_output(now_ms)
        if data is None:
            return out
        decoder.feed(data)
        while decoder.next_event():
            out.append((decoder.kind, decoder.payload))


def _kinds(session, now_ms):
    return [kind for kind, _ in _frames(session, now_ms)]


def test_device_at_boot_announces_itself_and_sends_nothing_else():
    device, journal, _ = _device(records=5)
    frames = _frames(device, 0)
    hello = spec.le(0, 4) + b"\x01\x01" + spec.le(1024, 2) + spec.le(journal.id, 8)
    hello += spec.le(3, 4) + spec.le(0, 4) + spec.le(5, 4) + b"dev-1"
    assert frames == [(1, hello)]
    assert _frames(device, 100_000) == []


def test_device_after_open_sends_layout_before_records():
    device, journal, _ = _device(records=3)
    _frames(device, 0)
    device.feed(_open(), 0)
    frames = _frames(device, 0)
    assert [kind for kind, _ in frames] == [1, 6, 2]
    assert frames[1][1] == spec.le(SESSION, 4) + spec.le(1, 2) + b'[{"name":"1"}]'
    assert frames[2][1] == spec.le(SESSION, 4) + spec.le(0, 4) + b"".join(journal.records.values())


@pytest.mark.parametrize(
    ("acked", "received"),
    [(4, 4), (0, 4), (0xFFFFFFFF, 0xFFFFFFFF), (2, 1), (3, 0)],
)
def test_device_with_an_ack_of_what_was_never_sent_frees_nothing(acked, received):
    device, journal, _ = _device(records=3)
    journal.allowed = 1 << 32
    device.feed(_open(), 0)
    _frames(device, 0)
    journal.add(b"not sent yet")
    device.feed(_ack(acked, received), 0)
    assert (journal.acked, device.decoder.rejected) == (0, 1)
    device.feed(_ack(3, 3), 0)
    assert journal.acked == 3


def test_device_with_an_ack_before_open_announces_itself_and_frees_nothing():
    device, journal, _ = _device(records=3)
    _frames(device, 0)
    device.feed(_ack(3, 3), 1000)
    assert journal.acked == 0
    assert _kinds(device, 1000) == [1]


def test_device_with_acks_of_another_session_announces_itself_without_a_storm():
    device, journal, _ = _device(records=3)
    device.feed(_open(), 0)
    _frames(device, 0)
    for now_ms in range(10, 2000, 10):
        device.feed(_ack(3, 3, session=SESSION + 1), now_ms)
    assert journal.acked == 0
    assert _kinds(device, 900).count(1) == 4


def test_device_told_late_of_records_it_has_rewound_believes_it():
    # Regression: after its resend timer the device refused true acknowledgements until it had sent everything again.
    device, journal, _ = _device(records=60)
    device.feed(_open(), 0)
    _frames(device, 0)
    for _ in range(3):  # the acknowledgements were lost, the timer has run out: STATUS, LAYOUT, the first RECORDS
        assert device.next_output(1500) is not None
    assert device.resends == 1
    journal.allowed = 60
    device.feed(_ack(60, 60), 1500)
    assert (journal.acked, device.decoder.rejected) == (60, 0)
    assert 2 not in _kinds(device, 1500)


def test_device_asked_to_rewind_sends_again_from_there_with_the_layout():
    device, journal, _ = _device(records=10)
    device.feed(_open(), 0)
    _frames(device, 0)
    device.feed(_ack(0, 4, flags=1), 100)
    frames = _frames(device, 100)
    assert [kind for kind, _ in frames] == [6, 2]
    assert frames[1][1][4:] == spec.le(4, 4) + b"".join(list(journal.records.values())[4:])


def test_device_with_a_window_of_zero_waits_for_credit():
    device, _, _ = _device(records=10)
    device.feed(_open(window=1), 0)
    _frames(device, 0)
    device.feed(_ack(0, 0, window=0, flags=1), 10)
    assert _kinds(device, 20) == []
    device.feed(_ack(0, 0, window=9), 30)
    assert 2 in _kinds(device, 30)


def test_device_whose_gateway_is_gone_stops_sending():
    # Regression: with nobody there the window was sent again every second for ever.
    device, _, _ = _device(records=10)
    device.feed(_open(), 0)
    for now_ms in range(0, 60_000, 100):
        _frames(device, now_ms)
    assert not device.is_open
    assert device.resends <= SILENCE_MS // 1000
    device.feed(_ack(0, 10), 61_000)
    assert _kinds(device, 61_000) == [1]


@pytest.mark.parametrize("settings", [{"session": 0}, {"window": 0}, {"max_frame": 1023}])
def test_device_with_an_open_that_cannot_be_refuses_it(settings):
    # Regression: a frame limit below the longest record made that record go out again and again.
    device, _, _ = _device(records=1)
    _frames(device, 0)
    device.feed(_open(**settings), 0)
    assert not device.is_open and device.decoder.rejected == 1


@pytest.mark.parametrize(
    ("low", "high", "is_open"), [(1, 1, True), (1, 9, True), (0, 1, True), (2, 9, False), (0, 0, False)]
)
def test_device_offered_versions_opens_on_one_that_it_knows(low, high, is_open):
    device, _, _ = _device()
    _frames(device, 0)
    device.feed(_open(low=low, high=high), 0)
    assert device.is_open is is_open
    (kind, payload), *_ = _frames(device, 0)
    assert kind == 1 and payload[:6] == spec.le(SESSION if is_open else 0, 4) + b"\x01\x01"


def test_device_with_a_frame_of_a_later_version_does_not_guess():
    device, journal, _ = _device(records=3)
    journal.allowed = 3
    device.feed(_open(), 0)
    _frames(device, 0)
    device.feed(_ack(3, 3, version=2), 0)
    assert (journal.acked, device.decoder.rejected) == (0, 1)


def test_device_with_a_repeated_command_answers_again_and_does_it_once():
    device, _, done = _device()
    device.feed(_open(), 0)
    for _ in range(5):
        device.feed(_command(1, body=b"x"), 0)
    assert _kinds(device, 0).count(5) == 5
    assert done == [(1, b"x")]


def test_device_with_a_late_copy_of_an_old_command_ignores_it():
    device, _, done = _device()
    device.feed(_open(), 0)
    for request in range(1, 20):
        device.feed(_command(request), 0)
        _frames(device, 0)
    device.feed(_command(3), 0)
    assert len(done) == 19 and _frames(device, 0) == []


def test_device_flooded_while_its_port_takes_nothing_keeps_few_replies():
    # Regression: every repeat of a command added a reply.
    device, _, _ = _device()
    device.feed(_open(), 0)
    for _ in range(10_000):
        device.feed(_command(1), 0)
    assert len(_frames(device, 0)) < 50


@pytest.mark.parametrize("kind", [0, 17, 18, 20, 21, 255])
def test_device_with_every_prefix_of_every_message_never_raises(kind):
    whole = spec.le(SESSION, 4) + bytes(range(40))
    device, journal, _ = _device(records=3)
    device.feed(_open(), 0)
    for size in range(1, len(whole)):
        device.feed(spec.frame(kind, whole[:size]), 0)
        _frames(device, 0)
    assert journal.acked == 0


def test_both_ends_with_random_frames_never_raise():
    rng = random.Random(7)
    device, journal, _ = _device(records=20)
    journal.allowed = 20
    gateway = GatewaySession(lambda: SESSION)
    for now_ms in range(0, 40_000, 10):
        payload = spec.le(rng.choice((0, SESSION, SESSION + 1)), 4) + rng.randbytes(rng.randrange(60))
        if rng.random() < 0.2:
            payload = spec.le(SESSION, 4) + spec.le(rng.randrange(30), 4) + spec.record(seq=rng.randrange(1 << 32))
        for end in (device, gateway):
            end.feed(spec.frame(rng.randrange(256), payload[: rng.randrange(1, 80)]), now_ms)
            end.feed(spec.frame(rng.choice((1, 2, 4, 5, 6, 17, 18, 20)), payload), now_ms)
            _frames(end, now_ms)
    assert journal.acked <= 20


# The gateway alone.


def _hello(session=SESSION, acked=0, next_seq=0, low=1, high=1, device=b"dev-1", journal=9, boot=1, version=1):
    body = spec.le(session, 4) + bytes([low, high]) + spec.le(1024, 2) + spec.le(journal, 8)
    body += spec.le(boot, 4) + spec.le(acked, 4) + spec.le(next_seq, 4) + device
    return spec.frame(1, body, version)


def _records(start, *records, session=SESSION):
    return spec.frame(2, spec.le(session, 4) + spec.le(start, 4) + b"".join(records))


def _layout(number=1, text=b"[]"):
    return spec.frame(6, spec.le(SESSION, 4) + spec.le(number, 2) + text)


def _gateway(**hello):
    numbers = iter(range(SESSION, SESSION + 1000))
    gateway = GatewaySession(lambda: next(numbers))
    gateway.next_output(0)
    events = gateway.feed(_hello(**hello), 0)
    assert [e[0] for e in events] == ["opened"]
    gateway.feed(_layout(), 0)
    return gateway


def _seqs(events):
    return [event[1].seq for event in events if event[0] == "record"]


def test_gateway_at_start_opens_and_repeats_it():
    gateway = GatewaySession(lambda: SESSION)
    assert gateway.next_output(0) == _open(window=64)
    assert gateway.next_output(499) is None and gateway.next_delay_ms(499) == 1
    assert gateway.next_output(500) == _open(window=64)


def test_gateway_with_records_hands_them_out_and_acknowledges_only_what_the_caller_did():
    gateway = _gateway(acked=5)
    events = gateway.feed(_records(5, spec.record(seq=5), spec.record(seq=8, payload=b"x")), 0)
    assert _seqs(events) == [5, 8]
    assert gateway.next_output(0) == _ack(5, 9)
    gateway.ack(6)
    assert gateway.next_output(0) == _ack(6, 9)
    with pytest.raises(ValueError):
        gateway.ack(10)


def test_gateway_with_a_hole_asks_once_and_again_when_nothing_comes():
    gateway = _gateway()
    assert _seqs(gateway.feed(_records(3, spec.record(seq=3)), 0)) == []
    assert gateway.next_output(0) == _ack(0, 0, flags=1)
    gateway.feed(_records(4, spec.record(seq=4)), 10)
    assert gateway.next_output(10) is None
    gateway.feed(_records(5, spec.record(seq=5)), 250)
    assert gateway.next_output(250) == _ack(0, 0, flags=1)
    assert _seqs(gateway.feed(_records(0, spec.record(seq=0)), 260)) == [0]
    assert gateway.holes == 3


def test_gateway_with_a_record_whose_layout_is_missing_asks_for_it():
    gateway = _gateway()
    assert _seqs(gateway.feed(_records(0, spec.record(seq=0, layout=2)), 0)) == []
    assert gateway.next_output(0) == _ack(0, 0, flags=1)
    gateway.feed(_layout(2), 10)
    assert _seqs(gateway.feed(_records(0, spec.record(seq=0, layout=2)), 10)) == [0]


def test_gateway_with_repeated_records_hands_out_only_new_ones():
    gateway = _gateway()
    gateway.feed(_records(0, spec.record(seq=0), spec.record(seq=1)), 0)
    assert _seqs(gateway.feed(_records(0, spec.record(seq=0), spec.record(seq=1), spec.record(seq=2)), 0)) == [2]
    assert gateway.duplicates == 2


def test_gateway_with_the_last_possible_number_does_not_count_past_32_bits():
    # Regression: a record with number 2^32 - 1 made every later acknowledgement impossible to write.
    gateway = _gateway()
    events = gateway.feed(_records(0, spec.record(seq=0xFFFFFFFE), spec.record(seq=0xFFFFFFFF)), 0)
    assert _seqs(events) == [0xFFFFFFFE] and gateway.damaged == 1
    gateway.ack(0xFFFFFFFF)
    assert gateway.next_output(0) == _ack(0xFFFFFFFF, 0xFFFFFFFF)


def test_gateway_with_frames_of_a_stale_session_ignores_them():
    gateway = _gateway()
    assert gateway.feed(_records(0, spec.record(seq=0), session=SESSION - 1), 0) == []
    assert gateway.received == 0


def test_gateway_whose_device_restarted_says_so_and_opens_at_once():
    gateway = _gateway()
    assert [e[0] for e in gateway.feed(_hello(session=0, boot=2), 50)] == ["lost"]
    assert gateway.next_output(50) == _open(session=SESSION + 1)
    assert gateway.feed(_hello(session=SESSION + 1, boot=2), 60) == [("opened", False)]
    assert gateway.boot == 2


@pytest.mark.parametrize(
    ("low", "high", "is_open"), [(1, 1, True), (1, 2, True), (0, 1, True), (2, 3, False), (0, 0, False)]
)
def test_gateway_of_a_device_with_other_versions_opens_or_refuses(low, high, is_open):
    gateway = GatewaySession(lambda: SESSION)
    gateway.next_output(0)
    events = gateway.feed(_hello(low=low, high=high, version=2), 0)
    assert [e[0] for e in events] == ["opened" if is_open else "refused"]
    assert gateway.is_open is is_open


@pytest.mark.parametrize("device", [b"", b"a/b", b"a+b", b"#", b"a b", b"x" * 65, b"\xc3\xa9"])
def test_gateway_of_a_device_whose_name_cannot_be_a_topic_counts_and_stays_closed(device):
    gateway = GatewaySession(lambda: SESSION)
    gateway.next_output(0)
    assert gateway.feed(_hello(device=device), 0) == []
    assert not gateway.is_open and gateway.decoder.rejected == 1


def test_gateway_with_many_layouts_keeps_few():
    gateway = _gateway()
    for number in range(3000):
        gateway.feed(_layout(number, b"x" * 500), 0)
    assert len(gateway.layouts) <= 256


def test_gateway_with_many_commands_sends_few_and_says_when_to_call_again():
    # Regression: commands beyond the device's memory of answers were sent too.
    gateway = _gateway()
    requests = [gateway.command(1) for _ in range(20)]
    sent = [kind for kind, _ in _frames(gateway, 0) if kind == 20]
    assert len(sent) == 8 and gateway.next_delay_ms(0) > 0
    gateway.feed(spec.frame(5, spec.le(SESSION, 4) + spec.le(requests[0], 4) + b"\0"), 0)
    assert [kind for kind, _ in _frames(gateway, 0)] == [20]
