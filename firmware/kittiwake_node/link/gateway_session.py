"""The gateway's end of the link: opens a session, takes records in order without holes, hands back acknowledgements.

Sans-I/O, like its twin device_session.py: bytes and milliseconds in, events and bytes out. It knows no port, broker or
topic. A hole in the stream (a frame lost on the line) is answered with a rewind; a record seen before is dropped.
"""

from ..errors import FrameError
from . import gateway_messages as gm
from . import messages as m
from . import record as rec
from .frame import BODY_LIMIT_BYTES, FrameDecoder, encode
from .pending_requests import PendingRequests

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Final

    from kittiwake_types import Buffer, SessionEvent

OPEN_RETRY_MS = 500
KEEPALIVE_MS = 1000
SILENCE_MS = 4000  # a device that said nothing for this long is opened anew; it says something every second
REQUEST_RETRY_MS = 500
REWIND_RETRY_MS = 250
_DESCRIPTIONS_LIMIT = 256  # far more than a device keeps

# Events, as (name, …) tuples; see GatewaySession.feed.
RECORD: "Final" = "record"
OPENED: "Final" = "opened"
LOST: "Final" = "lost"
TEXT: "Final" = "text"
REPLY: "Final" = "reply"
STATUS: "Final" = "status"
REFUSED: "Final" = "refused"


class GatewaySession:
    """One gateway's side of one link.

    Args:
        new_session: called without arguments, gives a session number that was not used lately (random, 1 to 2^32 - 1).
        window: records that may be in flight, unacknowledged; bounds this side's memory.
        body_limit_bytes: longest frame body this side takes.
        versions: oldest and newest link version that it speaks.

    Attributes:
        device, journal, boot: of the device, after OPENED; None before.
        received: sequence number after the last record handed out.
        acked: sequence number after the last record the caller acknowledged.
        descriptions: channel descriptions by number, JSON bytes, of this session.
        window: records that the device may have in flight.
        duplicates, holes, damaged, held_back: counters; the last of records for which the caller had no room.
        decoder: the FrameDecoder, for its counter.
    """

    def __init__(
        self,
        new_session: "Callable[[], int]",
        window: int = 64,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        versions: tuple[int, int] = m.VERSIONS,
    ) -> None:
        self._new_session = new_session
        self._versions = versions
        self._version = versions[1]  # agreed with the device
        self.window = window
        self._body_limit = body_limit_bytes
        self.decoder = FrameDecoder(body_limit_bytes)
        self.device: str | None = None
        self.journal: int | None = None
        self.boot: int | None = None
        self.received = self.acked = 0
        self.descriptions: dict[int, bytes] = {}
        self.duplicates = self.holes = self.damaged = self.held_back = 0
        self._handed_to = 0  # sequence number after the newest record handed out in this journal, whatever the session
        self._room = 0  # records that may still be handed out in this `feed`
        self._session = new_session()
        self._is_open = False
        self._tried_ms: int | None = None
        self._heard_ms = 0
        self._said_ms = 0
        self._ack_due = False
        self._rewind_ms: int | None = None
        self._rewind_due = False
        self._is_stalled = False  # told to the device in every ACK
        self._pending = PendingRequests()

    @property
    def is_open(self) -> bool:
        """Whether the device has answered this session's OPEN."""
        return self._is_open

    def feed(self, data: "Buffer", now_ms: int, room: int = 1 << 29) -> "list[SessionEvent]":
        """Take bytes from the port.

        Args:
            data: as read.
            now_ms: milliseconds that never go back.
            room: records at most that are handed out for the first time; what is beyond stays with the device.

        Returns:
            A list of events, oldest first:
            ("opened", is_new_device_or_journal), ("record", Record, its bytes), ("text", bytes),
            ("reply", request, status, body), ("status", acked, next_seq, evicted), ("lost", reason),
            ("refused", reason) for a device that speaks no version we know.
        """
        events: "list[SessionEvent]" = []
        if len(self.descriptions) >= _DESCRIPTIONS_LIMIT:
            # What is still needed is asked for again, like any frame that is missing. Not amid these bytes: the records
            # that they hold are handed out together, and the caller looks up the description of each.
            self.descriptions.clear()
        self._room = room
        self.decoder.feed(data)
        while True:
            event = self.decoder.next_event()
            if not event:
                return events
            if event == FrameDecoder.TEXT:
                events.append((TEXT, self.decoder.text))
                continue
            try:
                if not m.is_readable(self.decoder.kind, self.decoder.version, self._version):
                    raise FrameError("frame-version", "%d" % self.decoder.version)
                self._take(self.decoder.kind, self.decoder.payload, now_ms, events)
            except FrameError:
                self.decoder.rejected += 1

    def next_output(self, now_ms: int) -> bytes | None:
        """Bytes to write now, or None. Call after `feed`, after `ack`, and at least every 100 ms."""
        if not self._is_open:
            if self._tried_ms is not None and now_ms - self._tried_ms < OPEN_RETRY_MS:
                return None
            self._tried_ms = now_ms
            return encode(m.OPEN, gm.pack_open(self._session, self._body_limit, self.window, self._versions))
        if now_ms - self._heard_ms >= SILENCE_MS:
            self.reopen()
            return self.next_output(now_ms)
        if self._ack_due or now_ms - self._said_ms >= KEEPALIVE_MS:
            flags = (m.REWIND if self._rewind_due else 0) | (m.STALLED if self._is_stalled else 0)
            self._ack_due = self._rewind_due = False
            self._said_ms = now_ms
            ack = gm.pack_ack(self._session, self.acked, self.received, self.window, flags)
            return encode(m.ACK, ack, self._version)
        for entry in self._pending.due():
            if entry.sent_ms is None or now_ms - entry.sent_ms >= REQUEST_RETRY_MS:
                entry.sent_ms = now_ms
                body = entry.body() if callable(entry.body) else entry.body
                return encode(m.REQUEST, gm.pack_request(self._session, entry.number, entry.op, body), self._version)
        return None

    def next_delay_ms(self, now_ms: int) -> int:
        """Milliseconds until `next_output` may have something to say of its own accord, at most 1000."""
        if not self._is_open:
            return 0 if self._tried_ms is None else max(0, OPEN_RETRY_MS - (now_ms - self._tried_ms))
        delay = KEEPALIVE_MS - (now_ms - self._said_ms)
        for entry in self._pending.due():
            delay = min(delay, 0 if entry.sent_ms is None else REQUEST_RETRY_MS - (now_ms - entry.sent_ms))
        return max(0, delay)

    def ack(self, next_seq: int) -> None:
        """Everything below `next_seq` is with the broker; the device may free it. Never goes back."""
        if next_seq > self.received:
            raise ValueError("ack of %d, received %d" % (next_seq, self.received))
        if next_seq > self.acked:
            self.acked = next_seq
            self._ack_due = True

    def set_window(self, window: int) -> None:
        """Let the device have so many records in flight from now on; it hears of it at once."""
        if window != self.window:
            self.window = window
            self._ack_due = True

    def set_stalled(self, is_stalled: bool) -> None:
        """Tell the device whether the broker takes nothing: what it makes then is marked as late."""
        if is_stalled != self._is_stalled:
            self._is_stalled = is_stalled
            self._ack_due = True

    def request(self, op: int, body: "bytes | Callable[[], bytes]" = b"") -> int:
        """Queue a request; it is repeated until the reply comes, and carried out once.

        Args:
            op: operation, see messages.
            body: bytes, or a function without arguments that gives them each time it is sent (the time, say).

        Returns:
            The number that its reply will carry.
        """
        return self._pending.add(op, body)

    def cancel(self, request: int) -> None:
        """Stop repeating a request.

        Args:
            request: its number.
        """
        self._pending.remove(request)

    def reopen(self) -> None:
        """Begin a new session: after the port was lost, or when the device has gone silent."""
        self._session = self._new_session()
        self._is_open = False
        self._tried_ms = None
        self._pending.clear()
        rejected, self.decoder = self.decoder.rejected, FrameDecoder(self._body_limit)
        self.decoder.rejected = rejected

    def _take(self, kind: int, payload: bytes, now_ms: int, events: "list[SessionEvent]") -> None:
        if kind == m.HELLO:
            self._hello(payload, now_ms, events)
            return
        if not self._is_open or len(payload) < 4:
            return
        session = payload[0] | payload[1] << 8 | payload[2] << 16 | payload[3] << 24
        if session != self._session:
            return
        self._heard_ms = now_ms
        if kind == m.RECORDS:
            self._records(payload, now_ms, events)
        elif kind == m.DESCRIPTION:
            _, number, text = gm.unpack_description(payload)
            self.descriptions[number] = text
        elif kind == m.STATUS:
            _, acked, next_seq, evicted = gm.unpack_status(payload)
            events.append((STATUS, acked, next_seq, evicted))
        elif kind == m.REPLY:
            _, request, status, body = gm.unpack_reply(payload)
            if self._pending.remove(request):
                events.append((REPLY, request, status, body))

    def _hello(self, payload: bytes, now_ms: int, events: "list[SessionEvent]") -> None:
        session, low, high, _, journal, boot, acked, _, device = gm.unpack_hello(payload)
        version = m.common_version(self._versions, (low, high))
        if not version:
            versions = (low, high, self._versions[0], self._versions[1])
            events.append((REFUSED, "device speaks link versions %d to %d, this gateway %d to %d" % versions))
            return
        if session != self._session:
            if session == m.NO_SESSION:
                # It restarted, or never heard our OPEN: open again at once.
                if self._is_open:
                    events.append((LOST, "device restarted"))
                    self.reopen()
                self._tried_ms = None
            return
        if self._is_open:
            return  # the answer to an OPEN that we repeated
        is_new = (device, journal) != (self.device, self.journal)
        self.device, self.journal, self.boot = device, journal, boot
        self._version = version
        self.received = self.acked = acked
        self._handed_to = acked if is_new else max(acked, self._handed_to)
        self.descriptions = {}
        self._is_open = True
        self._heard_ms = self._said_ms = now_ms
        self._ack_due = self._rewind_due = False
        self._rewind_ms = None
        events.append((OPENED, is_new))

    def _records(self, payload: bytes, now_ms: int, events: "list[SessionEvent]") -> None:
        _, start, raw = gm.unpack_records(payload)
        if start > self.received:
            self.holes += 1
            self._ask_rewind(now_ms)
            return
        offset = 0
        while offset < len(raw):
            try:
                record, after = rec.decode(raw, offset)
            except FrameError:
                # The frame's check held and the record's does not: it was damaged at rest. Nothing behind it in this
                # frame can be cut apart; the device counts it, and what follows comes in frames of its own.
                self.damaged += 1
                break
            if record.seq < self.received:
                self.duplicates += 1
            elif record.description not in self.descriptions:
                self.holes += 1
                self._ask_rewind(now_ms)
                return
            elif record.seq >= self._handed_to and self._room <= 0:
                # It comes again: what follows is a hole by then, and a device asks itself why nothing moves.
                self.held_back += 1
                break
            else:
                if record.seq >= self._handed_to:
                    self._handed_to = record.seq + 1
                    self._room -= 1
                self.received = record.seq + 1
                self._rewind_ms = None
                events.append((RECORD, record, raw[offset:after]))
            offset = after
        self._ack_due = True

    def _ask_rewind(self, now_ms: int) -> None:
        # Frames already under way behind the hole would each ask again: once is enough, unless the request was lost.
        if self._rewind_ms is None or now_ms - self._rewind_ms >= REWIND_RETRY_MS:
            self._rewind_ms = now_ms
            self._rewind_due = self._ack_due = True
