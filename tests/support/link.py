"""One end of the link alone: frames formed from docs/spec/link.md for it, and what it says, taken apart."""

from kittiwake_node.link import messages as m
from kittiwake_node.link.device_session import DeviceSession
from kittiwake_node.link.frame import FrameDecoder
from kittiwake_node.link.gateway_session import GatewaySession

from . import spec
from .sessions import ListJournal

SESSION = 0x01020304


def open_frame(session=SESSION, low=1, high=1, max_frame=1024, window=64):
    return spec.frame(17, spec.le(session, 4) + bytes([low, high]) + spec.le(max_frame, 2) + spec.le(window, 2))


def ack_frame(acked, received, session=SESSION, window=64, flags=0, version=1):
    body = spec.le(session, 4) + spec.le(acked, 4) + spec.le(received, 4) + spec.le(window, 2) + bytes([flags])
    return spec.frame(18, body, version)


def command_frame(request, op=1, body=b"", session=SESSION):
    return spec.frame(20, spec.le(session, 4) + spec.le(request, 4) + bytes([op]) + body)


def make_device(records=0, **settings):
    journal = ListJournal()
    for i in range(records):
        journal.add(b"%d" % i)
    done = []

    def on_command(op, body, now_ms):
        done.append((op, body))
        return m.OK, b""

    device = DeviceSession("dev-1", 3, journal, on_command, **settings)
    return device, journal, done


def frames_of(session, now_ms):
    decoder, out = FrameDecoder(), []
    while True:
        data = session.next_output(now_ms)
        if data is None:
            return out
        decoder.feed(data)
        while decoder.next_event():
            out.append((decoder.kind, decoder.payload))


def kinds_of(session, now_ms):
    return [kind for kind, _ in frames_of(session, now_ms)]


def hello_frame(session=SESSION, acked=0, next_seq=0, low=1, high=1, device=b"dev-1", journal=9, boot=1, version=1):
    body = spec.le(session, 4) + bytes([low, high]) + spec.le(1024, 2) + spec.le(journal, 8)
    body += spec.le(boot, 4) + spec.le(acked, 4) + spec.le(next_seq, 4) + device
    return spec.frame(1, body, version)


def records_frame(start, *records, session=SESSION):
    return spec.frame(2, spec.le(session, 4) + spec.le(start, 4) + b"".join(records))


def layout_frame(number=1, text=b"[]"):
    return spec.frame(6, spec.le(SESSION, 4) + spec.le(number, 2) + text)


def make_gateway(**hello):
    numbers = iter(range(SESSION, SESSION + 1000))
    gateway = GatewaySession(lambda: next(numbers))
    gateway.next_output(0)
    events = gateway.feed(hello_frame(**hello), 0)
    assert [e[0] for e in events] == ["opened"]
    gateway.feed(layout_frame(), 0)
    return gateway


def seqs_of(events):
    return [event[1].seq for event in events if event[0] == "record"]
