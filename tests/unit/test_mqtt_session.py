"""The device's own session with a broker, against a broker of the test's that answers in bytes."""

import json
import random

import pytest

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from kittiwake_node.mqtt import packets, publication
from kittiwake_node.mqtt.packets import Login
from kittiwake_node.mqtt.session import CONFIRM_MS, HANDSHAKE_MS, LATE_MS, MqttSession
from tools.devices import MemoryJournal

DEVICE = "dev-1"
ACCEPTED = bytes.fromhex("20 02 00 00")


class Broker:
    """What the session sends, taken apart; confirms on demand, and hears no lie about what arrived."""

    def __init__(self, window=4, answer=lambda body, now_ms: b'{"status":"ok"}'):
        self.journal = MemoryJournal(7)
        publisher = publication.Publisher("kittiwake", {}, DEVICE, 7)
        login = Login("client", keepalive_s=10, window=window)
        self.session = MqttSession(login, publisher, self.journal, json.loads, answer)
        self.arrived = []  # (seq, packet id, whether it is a repeat)
        self.bodies = {}
        self.told = []  # other messages: (topic, payload)
        self.pings = 0
        self.acks = []

    def add(self, count=1):
        for _ in range(count):
            self.journal.add(rec.EVENT, payload.pack_event(1, "line"))

    def connect(self, now_ms=0):
        self.session.set_link(True, now_ms)
        assert self.session.next_output(now_ms)[0] == 0x10
        self.session.feed(ACCEPTED, now_ms)

    def turn(self, now_ms=0):
        """Take everything the session says."""
        fresh = []
        while True:
            packet = self.session.next_output(now_ms)
            if packet is None:
                return fresh
            self.take(packet, fresh)

    def take(self, packet, fresh):
        reader = packets.PacketReader()
        reader.feed(packet)
        kind, flags, body = reader.next_packet()
        if kind == packets.PUBLISH:
            topic, text, packet_id = packets.read_publish(flags, body)
            if packet_id > 65000:
                self.told.append((topic.decode(), text, packet_id))
                return
            seq = json.loads(text)["seq"]
            assert self.bodies.setdefault(seq, (topic, text)) == (topic, text)
            self.arrived.append((seq, packet_id, bool(flags & 8)))
            fresh.append(packet_id)
        elif kind == packets.PUBACK:
            self.acks.append(packets.read_id(body))
        elif kind == 12:
            self.pings += 1

    def confirm(self, *packet_ids, now_ms=0):
        for packet_id in packet_ids:
            self.session.feed(packets.puback(packet_id), now_ms)


def test_session_frees_the_journal_only_after_puback_and_in_order():
    broker = Broker(window=4)
    broker.add(6)
    broker.connect()
    first = broker.turn()
    assert [seq for seq, _, _ in broker.arrived] == [0, 1, 2, 3]
    assert broker.journal.acked == 0
    broker.confirm(first[2], first[1])
    assert broker.journal.acked == 0
    broker.confirm(first[0])
    assert broker.journal.acked == 3
    second = broker.turn()
    assert [seq for seq, _, _ in broker.arrived] == [0, 1, 2, 3, 4, 5]
    broker.confirm(first[3], *second)
    assert broker.journal.acked == 6
    assert not any(repeat for _, _, repeat in broker.arrived)


def test_session_after_a_loss_sends_again_the_same_packets_marked_as_repeats():
    broker = Broker(window=4)
    broker.add(4)
    broker.connect()
    first = broker.turn()
    broker.confirm(first[0])
    broker.session.set_link(False, 10)
    assert broker.session.next_output(10) is None
    broker.connect(20)
    again = broker.turn(20)
    assert again == first[1:]
    assert broker.arrived[4:] == [(seq, packet_id, True) for seq, packet_id in zip((1, 2, 3), first[1:], strict=True)]
    assert broker.session.resends == 1
    broker.confirm(*again, now_ms=20)
    assert broker.journal.acked == 4


def test_session_says_online_and_leaves_a_will():
    broker = Broker()
    broker.session.set_link(True, 0)
    connect = broker.session.next_output(0)
    assert b"kittiwake/dev-1/status\x00\x07offline" in connect
    assert broker.session.next_output(0) is None  # nothing before CONNACK
    broker.session.feed(ACCEPTED, 0)
    broker.turn()
    assert broker.told[0][:2] == ("kittiwake/dev-1/status", b"online")
    assert broker.session.goodbye().endswith(b"offline" + packets.GOODBYE)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 77])
def test_session_refused_by_the_broker_says_why_and_sends_nothing(code):
    broker = Broker()
    broker.add()
    broker.session.set_link(True, 0)
    broker.session.next_output(0)
    broker.session.feed(bytes([0x20, 2, 0, code]), 0)
    assert broker.session.problem.startswith("the broker refuses: ")
    assert broker.turn() == []
    broker.session.set_link(False, 1)
    assert broker.session.problem == ""


def test_session_with_something_that_is_no_broker_need_not_wait():
    broker = Broker()
    broker.session.set_link(True, 0)
    broker.session.next_output(0)
    broker.session.feed(b"H", 0)
    assert "mqtt-order" in broker.session.problem


def test_session_with_a_broker_that_is_silent_gives_up_in_time():
    broker = Broker()
    broker.session.set_link(True, 0)
    broker.session.next_output(0)
    broker.session.next_output(HANDSHAKE_MS - 1)
    assert not broker.session.problem
    broker.session.next_output(HANDSHAKE_MS)
    assert broker.session.problem == "the broker does not answer"
    broker = Broker()
    broker.connect(0)
    broker.turn(0)
    broker.turn(5000)
    assert broker.pings == 1
    for now_ms in range(5000, 10000, 100):
        broker.turn(now_ms)
    assert broker.pings == 1
    broker.turn(14999)
    assert not broker.session.problem
    broker.turn(15000)
    assert broker.session.problem == "the broker is silent"


def test_session_with_a_broker_that_confirms_nothing_gives_up_in_time():
    broker = Broker()
    broker.add()
    broker.connect(0)
    for now_ms in range(0, CONFIRM_MS, 1000):
        broker.turn(now_ms)
        broker.session.feed(b"\xd0\x00", now_ms)
        assert not broker.session.problem
    broker.turn(CONFIRM_MS)
    assert broker.session.problem == "the broker confirms nothing"


def test_session_is_late_only_in_an_outage():
    broker = Broker()
    assert not broker.session.update_lateness(0)
    assert broker.session.update_lateness(LATE_MS)
    broker.connect(9000)
    assert not broker.session.update_lateness(9000)
    assert not broker.session.update_lateness(90000)
    broker.session.set_link(False, 90000)
    assert not broker.session.update_lateness(90000 + LATE_MS - 1)
    assert broker.session.update_lateness(90000 + LATE_MS)


def test_session_confirms_a_command_only_after_its_answer():
    asked = []
    broker = Broker(answer=lambda body, now_ms: asked.append(body) or b'{"id":"1"}')
    broker.connect()
    broker.turn()
    command = packets.publish("kittiwake/dev-1/cmd", b'{"id":"1","op":"ping"}', 9)
    broker.session.feed(command, 0)
    broker.session.feed(command, 0)
    broker.turn()
    assert asked == [b'{"id":"1","op":"ping"}']
    topic, text, answer_id = broker.told[-1]
    assert (topic, text, broker.acks) == ("kittiwake/dev-1/resp", b'{"id":"1"}', [])
    broker.confirm(answer_id)
    broker.turn()
    assert broker.acks == [9]


def all_answered(broker, now_ms):
    """Confirm responses until no more come."""
    while responses := [packet_id for topic, _, packet_id in broker.told if topic.endswith("resp")]:
        broker.told.clear()
        broker.confirm(*responses, now_ms=now_ms)
        broker.turn(now_ms)


def test_session_with_commands_that_come_20_at_a_time_does_them_all_in_one_connection():
    # Regression: 500 queued commands made a board connect anew after every eight.
    broker = Broker()
    broker.connect()
    for first in range(1, 500, 20):
        for number in range(first, first + 20):
            broker.session.feed(packets.publish("kittiwake/dev-1/cmd", b'{"id":%d,"op":"ping"}' % number, number), 0)
        broker.turn()
        all_answered(broker, 0)
    assert broker.acks == list(range(1, 501))
    assert broker.turn(60_000) == [] and "more commands" not in broker.session.problem


def test_session_with_more_commands_than_it_can_keep_does_some_and_asks_for_the_rest():
    asked = []
    broker = Broker(answer=lambda body, now_ms: asked.append(body) or b"{}")
    waiting = list(range(1, 201))
    for connection in range(3):
        now_ms = 10_000 * connection
        broker.connect(now_ms)
        for number in waiting:
            broker.session.feed(packets.publish("kittiwake/dev-1/cmd", b"%d" % number, number), now_ms)
        assert len(broker.session._responses) <= 8 and len(broker.session._commands) <= 4096 // 40
        broker.turn(now_ms)
        all_answered(broker, now_ms)
        waiting = [number for number in waiting if number not in broker.acks]
        assert broker.turn(now_ms + 1999) == [] and broker.session.problem == ""
        broker.turn(now_ms + 2000)
        assert bool(waiting) == (broker.session.problem == "more commands wait at the broker")
        broker.session.set_link(False, now_ms + 2000)
    assert sorted(asked, key=int) == [b"%d" % number for number in range(1, 201)]


def test_session_with_commands_at_qos_0_beyond_what_it_can_keep_stays_connected():
    broker = Broker(answer=lambda body, now_ms: bytes(1000))
    broker.connect()
    for _ in range(100):
        broker.session.feed(packets.publish("kittiwake/dev-1/cmd", b"1", 0), 0)
    broker.turn()
    assert 8 <= len([topic for topic, _, _ in broker.told if topic.endswith("resp")]) <= 10
    assert broker.turn(3000) == [] and broker.session.problem == ""


def test_session_over_a_world_of_losses_delivers_everything_once_in_order():
    rng = random.Random(11)
    broker = Broker(window=8)
    now_ms, waiting = 0, []
    is_up = False
    for _ in range(4000):
        now_ms += rng.randrange(30)
        if rng.random() < 0.2 and broker.journal.next_seq < 300:
            broker.add(rng.randrange(4))
        if not is_up:
            broker.connect(now_ms)
            is_up, waiting = True, []
        waiting += broker.turn(now_ms)
        rng.shuffle(waiting)
        for _ in range(rng.randrange(3)):
            if waiting:
                broker.confirm(waiting.pop(), now_ms=now_ms)
        assert len(broker.session._flight) <= 8
        if rng.random() < 0.15:
            broker.session.set_link(False, now_ms)
            is_up = False
    broker.session.set_link(False, now_ms)
    broker.connect(now_ms)
    while broker.journal.acked < broker.journal.next_seq:
        broker.confirm(*broker.turn(now_ms), now_ms=now_ms)
    first = []
    for seq, _, _ in broker.arrived:
        if seq not in first:
            first.append(seq)
    assert first == list(range(broker.journal.next_seq)) and len(first) >= 300
    assert broker.session.resends >= 20


@pytest.mark.parametrize(
    "noise", [b"\xff\xff\xff\xff\xff\xff", b"\x50\x02\x00\x01", b"\x40\x01\x00", b"\x34\x05\x00\x01a\x00\x01"]
)
def test_session_fed_what_is_no_mqtt_drops_the_connection_and_counts(noise):
    broker = Broker()
    broker.connect()
    broker.session.feed(noise, 0)
    assert broker.session.problem and broker.session.rejected == 1
    broker.session.set_link(False, 0)
    broker.connect(1)
    broker.add()
    assert broker.turn(1)
