"""The device's end of the link: sends journalled records in order, frees them when the gateway says so.

Sans-I/O. It knows frames, messages and a journal to read from; it knows no port and no clock: time comes in as
milliseconds that never go back. One task calls everything here.

The journal is the retransmission buffer. `_sent` runs ahead of `journal.acked` by the gateway's window, the last frame
perhaps a little more; a gateway that saw a hole, or made no progress for RESEND_MS, gets the records again from where
it stands. One that says nothing for SILENCE_MS is gone, and nothing is sent until it opens again.
"""

from ..errors import FrameError
from . import messages as m
from .frame import BODY_LIMIT_BYTES, OVERHEAD_BYTES, FrameDecoder, encode

if False:  # for mypy alone
    from kittiwake_types import Buffer, CommandHandler, SentJournal

RESEND_MS = 1000
STATUS_MS = 1000
ANNOUNCE_MS = 500  # no more often than this to a gateway whose session we do not know
LATE_MS = 5000  # what is made when the way has been down for so long is late, whenever it arrives
SILENCE_MS = 5000  # the gateway says something every second
_REPLIES_LIMIT = 2 * m.REQUESTS_IN_FLIGHT  # whatever arrives while the port takes nothing


class DeviceSession:
    """One device's side of one link.

    Args:
        device: device id, see `messages.is_device_id`.
        boot: boot count.
        journal: has `id`, `acked`, `next_seq`, `evicted` (three counts), `read(start, limit_bytes)` giving (records as
            bytes, sequence number after the last one), `ack(next_seq)` and `description(number)` giving JSON bytes.
        on_request: called as on_request(op, body, now_ms), gives (status, body) of the reply.
        body_limit_bytes: longest frame body this side can take and will send.
        versions: oldest and newest link version that it speaks.

    Attributes:
        resends: how often records were sent again.
        decoder: the FrameDecoder, for its counter.
        problem: why the port's connection must go; always "", a gateway that talks nonsense is only ignored.
    """

    problem = ""

    def __init__(
        self,
        device: str,
        boot: int,
        journal: "SentJournal",
        on_request: "CommandHandler",
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        versions: tuple[int, int] = m.VERSIONS,
    ) -> None:
        self._device = device
        self._boot = boot
        self._journal = journal
        self._on_request = on_request
        self._body_limit = body_limit_bytes
        self._max_body = body_limit_bytes
        self.decoder = FrameDecoder(body_limit_bytes)
        self._versions = versions
        self._version = versions[1]  # agreed with the gateway
        self._session = m.NO_SESSION
        self._window = 0
        self._sent = 0  # sequence number of the next record to send
        self._sent_end = 0  # after the last one ever sent in this session: what an ACK may speak of
        self._dry = -1  # `next_seq` when nothing was left to read from `_sent` on
        self._received = 0
        self._heard_ms = 0
        self._progress_ms = 0
        self._status_ms = 0
        self._announced_ms: int | None = None
        self._described: set[int] = set()
        self._replies: list[bytes] = []
        self._is_stalled = False
        self._flowed_ms: int | None = None  # when the way to the broker was last known to be there
        self._kept_replies: list[tuple[int, bytes]] = []  # (request, frame) by request: none is carried out twice
        self._forgotten = 0  # numbers of requests up to this one are done with
        self.resends = 0
        self._announce(0)

    @property
    def is_open(self) -> bool:
        """Whether a gateway has opened a session and still speaks."""
        return self._session != m.NO_SESSION

    @property
    def rejected(self) -> int:
        """Frames that could not be read."""
        return self.decoder.rejected

    def set_link(self, is_up: bool, now_ms: int) -> None:
        """A line is always there; who listens shows by what comes over it."""

    def goodbye(self) -> bytes:
        """What to write before an orderly end: nothing, the gateway misses us by itself."""
        return b""

    def update_lateness(self, now_ms: int) -> bool:
        """Note whether records flow, and say whether one made now is late.

        Args:
            now_ms: milliseconds that never go back.

        Returns:
            True when for LATE_MS there was no gateway, or none that had a broker.
        """
        flows = self.is_open and not self._is_stalled and now_ms - self._heard_ms < SILENCE_MS
        if flows or self._flowed_ms is None:
            self._flowed_ms = now_ms
        return now_ms - self._flowed_ms >= LATE_MS

    def feed(self, data: "Buffer", now_ms: int) -> None:
        """Take bytes from the port. Bad frames are counted, never raised; console text from the gateway is dropped."""
        self.decoder.feed(data)
        while True:
            event = self.decoder.next_event()
            if not event:
                return
            if event == FrameDecoder.FRAME:
                try:
                    if not m.is_readable(self.decoder.kind, self.decoder.version, self._version):
                        raise FrameError("frame-version", "%d" % self.decoder.version)
                    self._take(self.decoder.kind, self.decoder.payload, now_ms)
                except FrameError:
                    self.decoder.rejected += 1

    def next_output(self, now_ms: int) -> bytes | None:
        """The next frame to write, or None when there is nothing to say. Call until None while the port takes it."""
        if self._replies:
            return self._replies.pop(0)
        if self.is_open and now_ms - self._heard_ms >= SILENCE_MS:
            self._session = m.NO_SESSION
        if not self.is_open:
            return None
        if now_ms - self._status_ms >= STATUS_MS:
            self._status_ms = now_ms
            j = self._journal
            return self._frame(m.STATUS, m.pack_status(self._session, j.acked, j.next_seq, j.evicted))
        return self._next_records(now_ms)

    def _next_records(self, now_ms: int) -> bytes | None:
        journal = self._journal
        if self._sent < journal.acked:
            self._sent = journal.acked
        outstanding = self._sent - journal.acked
        if outstanding and now_ms - self._progress_ms >= RESEND_MS:
            self._progress_ms = now_ms
            back_to = max(journal.acked, self._received)
            if back_to < self._sent:
                self._rewind(back_to)
                outstanding = self._sent - journal.acked
        if outstanding >= self._window or self._sent >= journal.next_seq or self._dry == journal.next_seq:
            return None
        start = self._sent
        records, after = journal.read(start, self._max_body - m.RECORDS_HEAD_BYTES)
        if not records:
            # What stood here was evicted or is damaged; its absence is in the counts. `_sent` waits for the next
            # record: a frame has to begin where the one before ended, or the gateway sees a hole.
            self._dry = after
            return None
        number = records[10] | records[11] << 8
        if number not in self._described:
            self._described.add(number)
            return self._frame(m.DESCRIPTION, m.pack_description(self._session, number, journal.description(number)))
        if not outstanding:
            self._progress_ms = now_ms
        self._sent = after
        self._sent_end = max(self._sent_end, after)
        return self._frame(m.RECORDS, m.pack_records(self._session, start, records))

    def _rewind(self, seq: int) -> None:
        self._sent = seq
        self._dry = -1
        self._described.clear()
        self.resends += 1

    def _announce(self, session: int) -> None:
        j = self._journal
        limit, versions = self._body_limit, self._versions
        hello = m.pack_hello(session, limit, j.id, self._boot, j.acked, j.next_seq, self._device, versions)
        self._reply(encode(m.HELLO, hello))

    def _frame(self, kind: int, body: bytes) -> bytes:
        return encode(kind, body, self._version)

    def _reply(self, frame: bytes) -> None:
        # Beyond the limit the oldest goes: the gateway asks again for whatever it misses.
        if len(self._replies) >= _REPLIES_LIMIT:
            self._replies.pop(0)
        self._replies.append(frame)

    def _take(self, kind: int, payload: bytes, now_ms: int) -> None:
        if kind == m.OPEN:
            self._open(payload, now_ms)
        elif kind == m.ACK:
            session, acked, received, window, flags = m.unpack_ack(payload)
            if self._knows(session, now_ms):
                self._acked(acked, received, window, flags, now_ms)
        elif kind == m.REQUEST:
            session, request, op, body = m.unpack_request(payload)
            if self._knows(session, now_ms):
                self._request(request, op, body, now_ms)
        # Other kinds belong to a later version; OPEN settles on one that both ends know.

    def _open(self, payload: bytes, now_ms: int) -> None:
        session, low, high, max_body, window = m.unpack_open(payload)
        if session == m.NO_SESSION or window == 0 or max_body < m.FRAME_FLOOR_BYTES:
            raise FrameError("open", "session %d, window %d, frame %d" % (session, window, max_body))
        del self._replies[:]
        # A gateway of another protocol version still gets HELLO, which says which versions this device speaks.
        version = m.common_version(self._versions, (low, high))
        if not version:
            self._session = m.NO_SESSION
            self._announce(m.NO_SESSION)
            return
        self._version = version
        acked = self._journal.acked
        if session != self._session:
            del self._kept_replies[:]
            self._forgotten = 0
            self._sent_end = acked
        self.update_lateness(now_ms)
        self._is_stalled = False
        self._session = session
        self._window = window
        self._max_body = min(max_body, self._body_limit)
        self._sent = self._received = acked
        self._dry = -1
        self._described.clear()
        self._progress_ms = self._status_ms = self._heard_ms = now_ms
        self._announce(session)

    def _knows(self, session: int, now_ms: int) -> bool:
        if session == self._session and session != m.NO_SESSION:
            self._heard_ms = now_ms
            return True
        # We restarted, or it did: tell it, but not in a storm.
        if self._announced_ms is None or now_ms - self._announced_ms >= ANNOUNCE_MS:
            self._announced_ms = now_ms
            self._announce(m.NO_SESSION)
        return False

    def _acked(self, acked: int, received: int, window: int, flags: int, now_ms: int) -> None:
        journal = self._journal
        if received > self._sent_end or received < acked:
            # It speaks of records that this session never sent: believing it would free what no broker has.
            raise FrameError("ack-ahead", "acked %d, received %d, sent %d" % (acked, received, self._sent_end))
        self._window = window
        self._is_stalled = flags & m.STALLED != 0
        if acked > journal.acked:
            journal.ack(acked)
            self._progress_ms = now_ms
        if received > self._received:
            self._received = received
            self._sent = max(self._sent, received)
            self._progress_ms = now_ms
        if flags & m.REWIND and received < self._sent:
            self._rewind(received)

    def _request(self, request: int, op: int, body: bytes, now_ms: int) -> None:
        if request <= self._forgotten:
            return  # a late copy: the gateway has moved on
        for known, frame in self._kept_replies:
            if known == request:
                self._reply(frame)
                return
        status, body = self._on_request(op, body, now_ms)
        limit = self._max_body - OVERHEAD_BYTES - 9
        frame = self._frame(m.REPLY, m.pack_reply(self._session, request, status, bytes(body)[:limit]))
        self._kept_replies.append((request, frame))
        if len(self._kept_replies) > m.REQUESTS_IN_FLIGHT:
            self._kept_replies.sort()
            self._forgotten = self._kept_replies.pop(0)[0]
        self._reply(frame)
