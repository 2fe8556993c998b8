"""The link of a running node on each target: opened, spoken to badly, cut, resumed; what it reports of itself."""

import itertools
import random
import struct

import pytest

from kittiwake_node.link import anomaly, messages, payload, record
from tests.support.hil import LINKED_NODE, Gateway
from tests.support.waiting import until

UTC_MS = 1_767_323_045_678


@pytest.fixture
def gateway(node):
    with Gateway(node.link_port, node) as gateway:
        gateway.open()
        yield gateway


def samples(start, values):
    return struct.pack("<BI", 0, start) + struct.pack(f"<{len(values)}h", *values)


def test_link_node_says_who_it_is(gateway):
    assert (gateway.session.device, gateway.session.boot) == ("kw-hil", 1)
    status, body = gateway.ask(messages.OP_IDENTIFY)
    assert status == messages.OK and b"micropython" in body.lower()
    gateway.until(lambda: gateway.records, "no record")
    first = gateway.records[0]
    assert (first.type, first.seq, first.boot) == (record.BOOT, 0, 1)


def test_link_ping_brings_back_every_byte(gateway):
    chance = random.Random(3)
    for body in (bytes(range(256)), b"\x03\xc0\xdb" * 100, chance.randbytes(900)):
        assert gateway.ask(messages.OP_PING, body) == (messages.OK, body)


def test_link_unknown_command_is_answered_with_an_error(gateway):
    assert gateway.ask(200, b"x")[0] == messages.UNKNOWN


def test_link_samples_come_back_as_summary_and_alert(gateway):
    chance = random.Random(4)
    values = [round(chance.gauss(0, 50)) for _ in range(99)] + [5000]
    taken, room = struct.unpack("<II", gateway.ask(messages.OP_STIMULUS, samples(0, values))[1])
    assert taken == 100 and room <= 256
    gateway.until(lambda: {r.type for r in gateway.records} >= {record.SUMMARY, record.ANOMALY}, "no summary and alert")
    summary = next(payload.unpack_summary(r.payload) for r in gateway.records if r.type == record.SUMMARY)
    assert (summary["n"], summary["sum"], summary["max"]) == (100, sum(values), 5000)
    alert = [anomaly.unpack_anomaly(r.payload) for r in gateway.records if r.type == record.ANOMALY][-1]
    assert (alert["index"], alert["x"], alert["sum"]) == (99, 5000, sum(values[-20:]))


def test_link_samples_out_of_turn_are_not_taken(gateway):
    assert gateway.ask(messages.OP_STIMULUS, samples(7, [1, 2]))[1][:4] == bytes(4)
    assert gateway.ask(messages.OP_STIMULUS, struct.pack("<BI", 5, 0))[0] == messages.REFUSED
    assert struct.unpack_from("<I", gateway.ask(messages.OP_STIMULUS, samples(0, [1, 2]))[1]) == (2,)


def test_link_garbage_is_counted_and_the_session_goes_on(gateway):
    chance = random.Random(5)
    for _ in range(8):
        # Without 0x03: on a port shared with the prompt that byte is Ctrl-C, and is meant to be heard.
        gateway.write(bytes(chance.choice(range(4, 256)) for _ in range(200)) + b"\xc0")
        assert gateway.ask(messages.OP_PING, b"still here") == (messages.OK, b"still here")
    rejected = []

    def is_reported():
        rejected[:] = [
            payload.unpack_health(r.payload)["frames_rejected"] for r in gateway.records if r.type == record.HEALTH
        ]
        return rejected and rejected[-1] > 0

    gateway.until(is_reported, "rejected frames are not in the health record")


def test_link_gateway_that_comes_back_resumes_at_what_it_acknowledged(node):
    with Gateway(node.link_port, node) as first:
        first.acks = False
        first.open()
        first.until(lambda: len(first.records) >= 3, "no records")
        first.session.ack(2)
        first.ask(messages.OP_PING)
    with Gateway(node.link_port, node) as second:
        second.open()
        second.until(lambda: len(second.records) >= 2, "no records after the return")
    assert second.records[0].seq == 2
    assert [r.payload for r in second.records[:1]] == [r.payload for r in first.records if r.seq == 2]


def test_link_node_goes_on_with_nobody_listening(node):
    visits = itertools.count(1)

    def types():
        with Gateway(node.link_port, node) as gateway:
            gateway.acks = False  # each gateway gets all records there are
            gateway.open()
            gateway.ask(messages.OP_TIME, struct.pack("<Q", UTC_MS))
            visit = next(visits)
            times = lambda: sum(r.type == record.TIME for r in gateway.records)  # noqa: E731
            gateway.until(lambda: times() == visit, "no record of the time")
        seqs = [r.seq for r in gateway.records]
        assert seqs == list(range(len(seqs)))
        return [r.type for r in gateway.records]

    def was_alone_for_two_health_records():
        # What stands before the last time that a gateway told was recorded before that gateway came.
        *_, alone, _ = cut(types(), record.TIME)
        return alone.count(record.HEALTH) >= 2

    until(was_alone_for_two_health_records, "two health records of the time alone", 30, pause_s=2.5)


def cut(entries, mark):
    """The pieces between marks, the one before the first and the one after the last with them."""
    pieces = [[]]
    for entry in entries:
        if entry == mark:
            pieces.append([])
        else:
            pieces[-1].append(entry)
    return pieces


def test_link_health_record_tells_the_free_heap(gateway, node):
    gateway.until(lambda: any(r.type == record.HEALTH for r in gateway.records), "no health record")
    health = next(payload.unpack_health(r.payload) for r in gateway.records if r.type == record.HEALTH)
    # The STM32F205 is the smallest: z-score, summaries, journal and link leave it a fifth of its 96 KiB at least.
    assert 20_000 < health["heap_free"] < 4_000_000
    assert health["journal_limit_bytes"] > 3_000
    assert health["storage_state"] == payload.STORAGE_STATES.index("ok") or health["storage_state"] == "ok"


@pytest.mark.board("unix", "qemu:*")
def test_link_node_cut_off_and_started_again_is_another_boot_of_the_same_journal(node):
    with Gateway(node.link_port, node) as gateway:
        gateway.open()
        gateway.until(lambda: gateway.records, "no record")
        journal, boot = gateway.session.journal, gateway.session.boot
        node.cut_power()
        node.run_node(LINKED_NODE)
        gateway.until(lambda: gateway.session.is_open and gateway.session.boot == boot + 1, "no second boot")
        assert gateway.session.journal == journal
        gateway.until(lambda: any(r.type == record.BOOT and r.boot == boot + 1 for r in gateway.records), "no record")
    # What was acknowledged may come again after a cut, the same as before: the cursor is not written for every ack.
    copies = {}
    for r in gateway.records:
        assert copies.setdefault(r.seq, (r.boot, r.type, r.payload)) == (r.boot, r.type, r.payload)
    assert sorted(copies) == list(range(len(copies)))
