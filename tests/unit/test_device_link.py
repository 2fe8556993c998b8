"""The bridge's promise, one device at a time: acknowledged to the device only after the broker has confirmed."""

import itertools

import pytest

from kittiwake.bridge import device as device_module
from kittiwake.bridge.publisher import Policy
from kittiwake_node.core.device_session import DeviceSession
from tests.support.sessions import ListJournal


class FakePort:
    """Bytes written by the link go straight to the device's session, whose answers are kept."""

    waiting_bytes = 0

    def __init__(self, device):
        self.device = device

    def try_write(self, data):
        self.device.feed(data, 0)
        return True


class Bench:
    """One DeviceLink against one DeviceSession, and a broker that confirms when told to."""

    def __init__(self, qos=1):
        self.journal = ListJournal()
        self.device = DeviceSession("dev-1", 1, self.journal, lambda op, body, now: (0, b""))
        self.sent = []
        self.statuses = []
        self.connected = True
        ids = itertools.count(1)

        def publish(message):
            self.sent.append((next(ids), message))
            return self.sent[-1][0]

        self.link = device_module.DeviceLink(
            "fake",
            Policy(qos=dict.fromkeys(("opaque", "event", "boot"), qos)),
            publish,
            lambda: self.connected,
            lambda name, is_online: self.statuses.append((name, is_online)),
        )
        self.link._port = FakePort(self.device)
        self.exchange()

    def exchange(self):
        for _ in range(50):
            self.link._pump()
            frame = self.device.next_output(0)
            if frame is None:
                return
            self.link._take(frame)
        raise AssertionError("the two never come to rest")

    def add(self, count):
        for number in range(count):
            self.journal.add(b"%d" % number)
        self.exchange()

    def confirm(self, publication_id):
        self.journal.allowed = self.lowest_unconfirmed(publication_id)
        assert self.link.on_published(publication_id)
        self.exchange()

    def lowest_unconfirmed(self, newly):
        self.confirmed = getattr(self, "confirmed", set()) | {newly}
        seq = 0
        while seq + 1 in self.confirmed:
            seq += 1
        return seq


def test_device_link_before_the_brokers_word_acknowledges_nothing():
    bench = Bench()
    bench.add(5)
    assert len(bench.sent) == 5
    assert bench.journal.acked == 0
    assert bench.statuses == [("dev-1", True)]


def test_device_link_confirmed_out_of_order_acknowledges_without_holes():
    bench = Bench()
    bench.add(5)
    for publication_id, acked in ((3, 0), (1, 1), (5, 1), (2, 3), (4, 5)):
        bench.confirm(publication_id)
        assert bench.journal.acked == acked


def test_device_link_while_the_broker_is_away_publishes_nothing_and_then_all_in_order():
    bench = Bench()
    bench.connected = False
    bench.add(4)
    assert bench.sent == []
    bench.connected = True
    bench.link.on_connected()
    assert [message.payload.count(b'"seq":%d,' % seq) for seq, (_, message) in enumerate(bench.sent)] == [1] * 4
    assert bench.journal.acked == 0


def test_device_link_after_a_new_session_does_not_publish_again_what_is_on_its_way():
    bench = Bench()
    bench.add(3)
    bench.link.session.reopen()
    bench.exchange()
    assert len(bench.sent) == 3
    assert bench.link.counts.repeats == 3
    for publication_id in (1, 2, 3):
        bench.confirm(publication_id)
    assert bench.journal.acked == 3


def test_device_link_at_qos_0_acknowledges_what_was_handed_over():
    bench = Bench(qos=0)
    bench.journal.allowed = 2
    bench.add(2)
    assert bench.journal.acked == 2


def test_device_link_that_acknowledged_too_early_would_be_caught(monkeypatch):
    # The mutation: a link that takes handing over for confirmation.
    def hand_over(self, seq, message):
        self._publish(message)
        self._in_flight.pop(seq, None)

    monkeypatch.setattr(device_module.DeviceLink, "_hand_over", hand_over)
    bench = Bench()
    with pytest.raises(AssertionError, match="the broker has confirmed 0"):
        bench.add(1)
