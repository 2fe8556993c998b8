"""The bridge's promise, one device at a time: acknowledged to the device only after the broker has confirmed."""

import asyncio
import itertools
import json
import struct
import time

import pytest

from kittiwake.bridge import time_teller
from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.intake import Intake
from kittiwake.bridge.link_callbacks import Callbacks
from kittiwake.bridge.outbox import Outbox
from kittiwake.bridge.settings import DeviceSection
from kittiwake.publish.publisher import Policy
from kittiwake_node.link import messages
from kittiwake_node.link.device_session import DeviceSession
from tests.support.sessions import ListJournal


class FakePort:
    """Bytes written by the link go straight to the device's session, whose answers are kept."""

    waiting_bytes = 0

    def __init__(self, device):
        self.device = device

    def try_write(self, data):
        self.device.feed(data, 0)
        return True


class Broker:
    """A sink that keeps what it is given, and confirms when told to."""

    def __init__(self):
        self.has_room = True
        self.sent = []  # (message payload, QoS, token) in order

    def publish(self, topic, payload, qos, retain, token):
        self.sent.append((payload, qos, token))
        if qos == 0:
            token.confirmed()


class Bench:
    """One DeviceLink against one DeviceSession, and a broker that confirms when told to."""

    def __init__(self, qos=1, clock=None, **section):
        self.journal = ListJournal()
        self.commands = []
        self.device = DeviceSession("dev-1", 1, self.journal, self._carry_out)
        self.broker = Broker()
        self.statuses = []
        self.backlogs = []
        self.link = DeviceLink(
            DeviceSection(port="fake", **section),
            Policy(qos=dict.fromkeys(("opaque", "event", "boot"), qos)),
            self.broker,
            Callbacks(
                on_status=lambda link, is_online: self.statuses.append((link.device, is_online)),
                on_backlog=self.backlogs.append,
            ),
            clock=clock,
        )
        self.link._port = FakePort(self.device)
        self.confirmed = set()
        self.exchange()

    def _carry_out(self, op, body, now_ms):
        self.commands.append((op, body))
        return messages.OK, b""

    @property
    def sent(self):
        return self.broker.sent

    def exchange(self):
        for _ in range(50):
            self.link._pump(0)
            frame = self.device.next_output(0)
            if frame is None:
                return
            self.link._take(frame)
        raise AssertionError("the two never come to rest")

    def add(self, count):
        for number in range(count):
            self.journal.add(b"%d" % number)
        self.exchange()

    def confirm(self, *seqs):
        self.confirmed |= set(seqs)
        self.journal.allowed = next(seq for seq in itertools.count() if seq not in self.confirmed)
        asyncio.run(self._confirm(seqs))
        self.exchange()

    async def _confirm(self, seqs):
        for seq in seqs:
            self.sent[seq][2].confirmed()
        await asyncio.sleep(0)


def seqs_of(sent):
    return [json.loads(payload)["seq"] for payload, _, _ in sent]


def test_device_link_before_the_brokers_word_acknowledges_nothing():
    bench = Bench()
    bench.add(5)
    assert len(bench.sent) == 5
    assert bench.journal.acked == 0
    assert bench.statuses == [("dev-1", True)]


def test_device_link_confirmed_out_of_order_acknowledges_without_holes():
    bench = Bench()
    bench.add(5)
    for seq, acked in ((2, 0), (0, 1), (4, 1), (1, 3), (3, 5)):
        bench.confirm(seq)
        assert bench.journal.acked == acked


def test_device_link_while_the_broker_has_no_room_publishes_nothing_and_then_all_in_order():
    bench = Bench()
    bench.broker.has_room = False
    bench.add(4)
    assert bench.sent == [] and bench.backlogs
    bench.broker.has_room = True
    assert bench.link.hand_over(3) == 1
    bench.add(2)  # new ones wait behind the old
    assert bench.link.hand_over(100) == 0
    assert seqs_of(bench.sent) == list(range(6))
    assert bench.journal.acked == 0


def test_device_link_after_a_new_session_does_not_publish_again_what_is_on_its_way():
    bench = Bench()
    bench.add(3)
    bench.link.session.reopen()
    bench.exchange()
    assert len(bench.sent) == 3
    assert bench.link.counts.repeats == 3
    bench.confirm(0, 1, 2)
    assert bench.journal.acked == 3


def test_device_link_with_another_journal_forgets_what_was_on_its_way():
    bench = Bench()
    bench.add(3)
    bench.journal.records.clear()
    bench.journal.id, bench.journal.next_seq = 5, 0
    bench.device = DeviceSession("dev-1", 1, bench.journal, lambda op, body, now: (0, b""))
    bench.link._port.device = bench.device
    bench.add(2)
    assert seqs_of(bench.sent) == [0, 1, 2, 0, 1]
    asyncio.run(bench._confirm((0, 1, 2)))  # of the journal before: they acknowledge nothing here
    bench.exchange()
    assert bench.journal.acked == 0


def test_device_link_refused_by_the_broker_acknowledges_nothing_and_offers_again():
    bench = Bench()
    bench.add(2)

    async def refuse():
        asyncio.get_running_loop().call_later = lambda delay, call, argument: call(argument)
        bench.sent[0][2].refused("Not authorized")

    asyncio.run(refuse())
    assert bench.link.counts.refused == 1
    assert bench.link.hand_over(10) == 0
    assert seqs_of(bench.sent) == [0, 1, 0]
    bench.confirm(1)
    assert bench.journal.acked == 0


def test_device_link_with_another_device_than_configured_takes_no_record():
    bench = Bench(device="dev-2")
    bench.add(2)
    assert bench.sent == [] and bench.statuses == []
    assert "dev-1" in bench.link.problem and "dev-2" in bench.link.problem


def test_device_link_at_qos_0_acknowledges_what_was_handed_over():
    async def run():
        bench = Bench(qos=0)
        bench.journal.allowed = 2
        bench.add(2)
        await asyncio.sleep(0)
        assert bench.journal.acked == 2

    asyncio.run(run())


def test_device_link_that_acknowledged_too_early_would_be_caught(monkeypatch):
    # The mutation: a link that takes handing over for confirmation.
    def send(self, delivery):
        self._waiting.pop(delivery.seq)

    monkeypatch.setattr(Outbox, "_send", send)
    bench = Bench()
    with pytest.raises(AssertionError, match="the broker has confirmed 0"):
        bench.add(1)


@pytest.mark.parametrize(("scale", "count"), [(b"0.1", 0), (b'"1/100"', 0), (b"null", 1), (b'"x"', 1)])
def test_device_link_counts_a_channel_whose_scale_is_no_number(monkeypatch, scale, count):
    bench = Bench()
    monkeypatch.setattr(bench.journal, "description", lambda number: b'[{"scale": %s}]' % scale)
    bench.add(2)
    assert bench.link.counts.raw_channels == count


def test_device_link_whose_session_ends_by_an_error_acknowledges_nothing_that_was_not_taken(monkeypatch):
    class Port:
        def __init__(self, data):
            self.data = data

        async def read(self):
            return self.data

    bench = Bench()
    bench.add(2)
    take = Intake.take
    monkeypatch.setattr(Intake, "take", lambda self, record, descriptions: {}[record.seq])
    bench.journal.add(b"x")
    frame = bench.device.next_output(0)
    bench.link.session.reopen = lambda: None  # the session goes on where it was
    asyncio.run(bench.link._serve_until_lost(Port(frame)))
    assert bench.link.counts.faults == 1

    monkeypatch.setattr(Intake, "take", take)
    del bench.link.session.reopen
    bench.link.session.reopen()
    bench.link._port = FakePort(bench.device)
    bench.exchange()
    assert seqs_of(bench.sent) == [0, 1, 2]
    bench.confirm(0, 1)
    assert bench.journal.acked == 2


class Clock:
    """A gateway's clock that a test sets."""

    epoch_ms = 1_800_000_000_000

    def now_ms(self):
        return self.epoch_ms


def test_device_link_tells_the_time_again_when_the_gateway_s_clock_was_set_but_not_to_a_stranger(monkeypatch):
    monkeypatch.setattr(time_teller, "HOLD_MS", 0)
    for wanted, told in (("", 2), ("dev-2", 0)):
        clock = Clock()
        bench = Bench(clock=clock, device=wanted)
        clock.epoch_ms -= 3_600_000
        bench.link.tick(time.monotonic_ns() // 1_000_000)
        bench.exchange()
        times = [struct.unpack("<Q", body)[0] for op, body in bench.commands if op == messages.OP_TIME]
        assert times == [1_800_000_000_000, 1_799_996_400_000][:told]
