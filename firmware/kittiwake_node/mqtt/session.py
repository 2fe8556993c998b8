"""The device's own end of MQTT: journalled records out in order, freed when the broker has confirmed them, commands in.

Sans-I/O, with the methods that DeviceSession has, so that the node turns the same loop over either. It knows packets,
publications and a journal to read from; it knows no socket and no clock. One task calls everything here.

The journal is the retransmission buffer: what is in flight is kept as numbers, and formed anew after a reconnection. A
record's packet id follows from its sequence number, so a repeat is the same packet to the broker, across resets too.
"""

from ..errors import FrameError
from ..link import channel_description
from ..link import record as rec
from . import packets

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any

    from kittiwake_types import SentJournal

    from .packets import Login
    from .publication import Publisher

LATE_MS = 5000  # as over a gateway: what is made when the way has been down for so long is late
HANDSHAKE_MS = 30000  # from the connection to CONNACK; a TLS handshake on a small chip takes seconds
CONFIRM_MS = 60000  # a broker that confirms nothing for so long has forgotten
_RECORD_IDS = 65000
_STATUS_ID = 65001
_SUBSCRIBE_ID = 65002
_FIRST_RESPONSE_ID = 65100
_RESPONSE_IDS = 400
_RESPONSES_LIMIT = 8
_OUTBOX_LIMIT_BYTES = 8192
_COMMANDS_LIMIT_BYTES = 4096  # of commands that wait, each with 40 beside its payload
_STAY_MS = 2000  # a connection that lasted so long may be made anew at once
_CHUNK_BYTES = 1000
_ONLINE = b"online"
_OFFLINE = b"offline"


class MqttSession:
    """One device's session with a broker.

    Args:
        login: a Login.
        publisher: a publication.Publisher.
        journal: as of DeviceSession.
        parse_json: gives the value of a JSON text, raises ValueError.
        respond: called as respond(payload, now_ms) with a command's payload, gives that of the response.

    Attributes:
        problem: why the connection is of no use and must go, "" while it is; `set_link` clears it.
        resends: how often records had to be sent again.
        rejected: packets that could not be read.
        is_open: the broker has accepted us.
    """

    def __init__(
        self,
        login: "Login",
        publisher: "Publisher",
        journal: "SentJournal",
        parse_json: "Callable[[str | bytes], Any]",
        respond: "Callable[[bytes, int], bytes]",
    ) -> None:
        self._login = login
        self._publisher = publisher
        self._journal = journal
        self._parse_json, self._respond = parse_json, respond
        self._reader = packets.PacketReader()
        self._is_up = False
        self.is_open = False
        self.problem = ""
        self.resends = 0
        self.rejected = 0
        self._outbox: list[bytes] = []  # packets that go before any record
        self._responses: list[tuple[int, int]] = []  # (id of the command, id of its response), unconfirmed
        self._response_id = 0
        self._commands: list[tuple[int, bytes]] = []  # (id, payload) of those that wait for a response's confirmation
        self._has_passed_over = False  # commands that there was no room for; the broker keeps them
        self._flight: list[list[int]] = []  # [id, number after it, whether it is confirmed], in order
        self._next = 0  # sequence number to read from
        self._sent_end = 0  # after the last record ever sent in this boot: below it, a record is a repeat
        self._chunk = b""
        self._chunk_at = 0
        self._chunk_after = 0
        self._description: int | None = None
        self._channels: "list[channel_description.Described]" = []
        self._opened_ms = self._heard_ms = self._spoke_ms = self._progress_ms = 0
        self._is_pinging = False
        self._flowed_ms: int | None = None

    def update_lateness(self, now_ms: int) -> bool:
        """Note whether records flow, and say whether one made now is late.

        Args:
            now_ms: milliseconds that never go back.

        Returns:
            True when for LATE_MS there was no broker.
        """
        if self.is_open or self._flowed_ms is None:
            self._flowed_ms = now_ms
        return now_ms - self._flowed_ms >= LATE_MS

    def set_link(self, is_up: bool, now_ms: int) -> None:
        """The connection stands, or it does not; call every turn."""
        if is_up == self._is_up:
            return
        self._is_up = is_up
        self.problem = ""
        self._reader.reset()
        for waiting in (self._outbox, self._responses, self._commands):
            del waiting[:]
        self._has_passed_over = False
        if is_up:
            self._opened_ms = self._heard_ms = self._spoke_ms = now_ms
            self._is_pinging = False
            login = self._login
            status = self._publisher.topic("status")
            packet = packets.connect(
                login.client_id, login.keepalive_s, status, _OFFLINE, login.username, login.password
            )
            self._outbox.append(packet)
            return
        self.update_lateness(now_ms)
        self.is_open = False
        self.resends += bool(self._flight)
        del self._flight[:]
        self._chunk = b""

    def feed(self, data: bytes, now_ms: int) -> None:
        """Take bytes from the connection. What is no MQTT is a `problem`, never raised."""
        if self.problem:
            return
        self._heard_ms = now_ms
        self._is_pinging = False
        self._reader.feed(data)
        try:
            while not self.problem:
                if not self.is_open and self._reader.kind not in (0, packets.CONNACK):
                    # What is no broker need not be waited for: its first byte tells.
                    raise FrameError("mqtt-order", "packet of type %d before CONNACK" % self._reader.kind)
                packet = self._reader.next_packet()
                if packet is None:
                    return
                self._take(packet[0], packet[1], packet[2], now_ms)
        except FrameError as error:
            self.rejected += 1
            self.problem = str(error)

    def next_output(self, now_ms: int) -> bytes | None:
        """The next packet to write, or None when there is nothing to say. Call until None while the port takes it."""
        if not self._is_up or self.problem:
            return None
        self._watch(now_ms)
        if self.problem:
            return None
        packet = None
        if self._outbox:
            packet = self._outbox.pop(0)
        elif self.is_open:
            packet = self._next_record(now_ms)
            if packet is None and self._ping_is_due(now_ms):
                self._is_pinging = True
                packet = packets.PING
        if packet is not None:
            self._spoke_ms = now_ms
        return packet

    def goodbye(self) -> bytes:
        """What to write before an orderly end: the status, and that there is no need for the will."""
        if not self.is_open:
            return b""
        return packets.publish(self._publisher.topic("status"), _OFFLINE, _STATUS_ID, False, True) + packets.GOODBYE

    def _watch(self, now_ms: int) -> None:
        if not self.is_open:
            if now_ms - self._opened_ms >= HANDSHAKE_MS:
                self.problem = "the broker does not answer"
        elif now_ms - self._heard_ms >= 1500 * self._login.keepalive_s:
            self.problem = "the broker is silent"
        elif self._flight and now_ms - self._progress_ms >= CONFIRM_MS:
            self.problem = "the broker confirms nothing"
        elif self._has_passed_over and not self._responses and now_ms - self._opened_ms >= _STAY_MS:
            # A broker sends what was not confirmed again, but over a new connection only [4.4].
            self.problem = "more commands wait at the broker"

    def _ping_is_due(self, now_ms: int) -> bool:
        half_ms = 500 * self._login.keepalive_s
        return now_ms - self._spoke_ms >= half_ms or (now_ms - self._heard_ms >= half_ms and not self._is_pinging)

    def _next_record(self, now_ms: int) -> bytes | None:
        journal = self._journal
        if len(self._flight) >= self._login.window:
            return None
        if not self._chunk:
            start = max(self._next, journal.acked)
            if start >= journal.next_seq:
                return None
            self._chunk, self._chunk_after = journal.read(start, _CHUNK_BYTES)
            self._chunk_at = 0
            self._next = self._chunk_after
            if not self._chunk:
                return None
        try:
            record, after = rec.decode(self._chunk, self._chunk_at)
        except FrameError:  # the medium changed under the journal's own check: the rest of the piece goes unread
            self._chunk = b""
            self.rejected += 1
            return None
        self._chunk_at = after
        is_last = after >= len(self._chunk)
        end_seq = self._chunk_after if is_last else record.seq + 1
        if is_last:
            self._chunk = b""
        topic, payload = self._publisher.form(record, self._describe(record.description))
        is_repeat = record.seq < self._sent_end
        self._sent_end = max(self._sent_end, record.seq + 1)
        if not self._flight:
            self._progress_ms = now_ms
        packet_id = record.seq % _RECORD_IDS + 1
        self._flight.append([packet_id, end_seq, False])
        return packets.publish(topic, payload, packet_id, is_repeat)

    def _describe(self, number: int) -> "list[channel_description.Described]":
        if number != self._description:
            self._description = number
            self._channels = channel_description.read(self._journal.description(number), self._parse_json)
        return self._channels

    def _take(self, kind: int, flags: int, body: bytes, now_ms: int) -> None:
        if kind == packets.CONNACK:
            _, code = packets.read_connack(body)
            if code != packets.ACCEPTED:
                self.problem = "the broker refuses: %s" % packets.REFUSALS.get(code, "code %d" % code)
                return
            self._open(now_ms)
        elif kind == packets.PUBACK:
            self._confirmed(packets.read_id(body), now_ms)
        elif kind == packets.PUBLISH:
            self._command(flags, body, now_ms)
        elif kind == packets.SUBACK:
            self.rejected += not packets.is_granted(body)  # no commands then; the records matter more
        elif kind != packets.PINGRESP:
            raise FrameError("mqtt-type", "%d" % kind)

    def _open(self, now_ms: int) -> None:
        self.is_open = True
        self.update_lateness(now_ms)
        self._next = self._journal.acked
        self._progress_ms = now_ms
        topic = self._publisher.topic
        self._outbox.append(packets.publish(topic("status"), _ONLINE, _STATUS_ID, False, True))
        self._outbox.append(packets.subscribe(_SUBSCRIBE_ID, topic("cmd")))

    def _confirmed(self, packet_id: int, now_ms: int) -> None:
        for i, (command_id, response_id) in enumerate(self._responses):
            if response_id == packet_id:
                # Only now: a command whose response is not with the broker is asked again after a cut.
                self._outbox.append(packets.puback(command_id))
                del self._responses[i]
                if self._commands:
                    self._answer(*self._commands.pop(0), now_ms)
                return
        flight = self._flight
        for entry in flight:
            if entry[0] == packet_id and not entry[2]:
                entry[2] = True
                self._progress_ms = now_ms
                break
        end_seq = 0
        while flight and flight[0][2]:
            end_seq = flight.pop(0)[1]
        if end_seq:
            self._journal.ack(end_seq)

    def _command(self, flags: int, body: bytes, now_ms: int) -> None:
        topic, payload, command_id = packets.read_publish(flags, body)
        if topic != self._publisher.topic("cmd").encode():
            if command_id:
                self._outbox.append(packets.puback(command_id))
            return
        if len(self._responses) >= _RESPONSES_LIMIT or sum([len(p) for p in self._outbox]) > _OUTBOX_LIMIT_BYTES:
            if command_id and sum([len(p) + 40 for _, p in self._commands]) + len(payload) <= _COMMANDS_LIMIT_BYTES:
                self._commands.append((command_id, payload))
            else:
                self._has_passed_over |= command_id != 0
            return
        if command_id and command_id in [number for number, _ in self._responses]:
            return
        self._answer(command_id, payload, now_ms)

    def _answer(self, command_id: int, payload: bytes, now_ms: int) -> None:
        response = self._respond(payload, now_ms)
        self._response_id = (self._response_id + 1) % _RESPONSE_IDS
        response_id = _FIRST_RESPONSE_ID + self._response_id
        if command_id:
            self._responses.append((command_id, response_id))
        self._outbox.append(packets.publish(self._publisher.topic("resp"), response, response_id))
