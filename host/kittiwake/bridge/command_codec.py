"""Commands: JSON in, the requests on the link that they take, JSON out. Pure: no broker, no port, no clock.

A command is `{"id": …, "op": …, …}`. The id names it for ever: what changes a device is carried out once for
it (the link's operation 8), however often the request arrives, across restarts of bridge and device.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import struct
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from kittiwake.peers import json_text
from kittiwake_node.link import messages as m

ID_LIMIT = 64
_PAYLOAD_LIMIT_BYTES = 16 * 1024
_REPLY_LIMIT_BYTES = 65535
_PIECE_BYTES = 512
_TEXT_LIMIT_BYTES = 512
_SAMPLES_LIMIT = 256

Result = dict[str, object]
# The requests that a command takes: yields (operation, body) to send, is sent (status, body) of the reply, and returns
# the result.
Exchange = Generator[tuple[int, bytes], tuple[int, bytes], Result]
_Step = Generator[tuple[int, bytes], tuple[int, bytes], bytes]
# Begins an exchange; once more after a session was lost.
Start = Callable[[], Exchange]


class CommandError(Exception):
    """A command that cannot be: says why; `id` and `op` are as far as they could be read."""

    def __init__(self, why: str, id: str | None = None, op: str | None = None):
        super().__init__(why)
        self.id, self.op = id, op


class ReplyError(Exception):
    """The device does not do it: `status` is "refused" or "unknown", the text says why."""

    def __init__(self, status: str, why: str):
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Command:
    """A command that was understood: `arguments` are all its fields."""

    id: str
    op: str
    arguments: Mapping[str, object]


def parse(payload: bytes, known: frozenset[str]) -> Command:
    """Read a command.

    Args:
        payload: of the message.
        known: operations there are.

    Returns:
        The command; its arguments are not checked yet.

    Raises:
        CommandError: it is none.
    """
    try:
        fields = json_text.read(payload, _PAYLOAD_LIMIT_BYTES)
    except json_text.Refusal as refusal:
        raise CommandError(f'{refusal}: write {{"id": "1", "op": "ping"}}') from refusal
    if not isinstance(fields, dict):
        raise CommandError("not a JSON object")
    identity, op = fields.get("id"), fields.get("op")
    if isinstance(identity, int) and not isinstance(identity, bool) and abs(identity) < 1 << 63:
        identity = str(identity)
    if not isinstance(identity, str) or not 1 <= len(identity) <= ID_LIMIT:
        raise CommandError(f"id: 1 to {ID_LIMIT} characters that no other command has had", None, _short(op))
    if not isinstance(op, str) or op not in known:
        raise CommandError(f"op: there are {', '.join(sorted(known))}", identity, _short(op))
    if op == "config_set":
        # A tenth stays 0.1: no setting of a node is a float.
        exact = json_text.read(payload, _PAYLOAD_LIMIT_BYTES, parse_float=str)
        fields["config"] = exact.get("config") if isinstance(exact, dict) else None
    return Command(identity, op, fields)


def key_of(device: str, identity: str) -> bytes:
    """Give the 8 bytes that name a command on the link.

    Args:
        device: device id.
        identity: the command's id.
    """
    return hashlib.blake2b(f"{device}\0{identity}".encode(), digest_size=m.KEY_BYTES).digest()


def start_of(device: str, command: Command, now_ms: Callable[[], int | None]) -> Start:
    """Check a device's command, and give what carries it out.

    Args:
        device: device id.
        command: whose op is in OPERATIONS.
        now_ms: gives UTC in milliseconds, None while it is not known.

    Returns:
        What begins its exchange, as often as there are sessions; the device does it once.

    Raises:
        CommandError: an argument cannot be.
    """
    return _STARTS[command.op](command, key_of(device, command.id), now_ms)


def _ping(command: Command, key: bytes, now_ms: Callable[[], int | None]) -> Start:
    text = _text(command, "text", "")

    def run() -> Exchange:
        return {"text": (yield from _request(m.OP_PING, text.encode())).decode(errors="replace")}

    return run


def _time(command: Command, key: bytes, now_ms: Callable[[], int | None]) -> Start:
    def run() -> Exchange:
        utc_ms = now_ms()
        if utc_ms is None:
            raise ReplyError("refused", "the gateway does not know the time")
        yield from _request(m.OP_TIME, struct.pack("<Q", utc_ms))
        return {"utc_ms": utc_ms}

    return run


def _identify(command: Command, key: bytes, now_ms: Callable[[], int | None]) -> Start:
    def run() -> Exchange:
        return _json((yield from _request(m.OP_IDENTIFY, b"")))

    return run


def _config_get(command: Command, key: bytes, now_ms: Callable[[], int | None]) -> Start:
    def run() -> Exchange:
        raw = b""
        while True:
            reply = yield from _request(m.OP_CONFIG_GET, struct.pack("<H", len(raw)))
            if len(reply) < 2:
                raise ReplyError("refused", "the reply cannot be read")
            size, piece = struct.unpack_from("<H", reply)[0], reply[2:]
            raw += piece
            if not piece or len(raw) >= size:
                break
        if not raw:
            raise ReplyError("refused", "this node has no settings file")
        return {"config": _json(raw)}

    return run


def _config_set(command: Command, key: bytes, now_ms: Callable[[], int | None]) -> Start:
    config = command.arguments.get("config")
    if not isinstance(config, dict):
        raise CommandError("config: an object with the node's settings", command.id, command.op)
    raw = json.dumps(config, separators=(",", ":")).encode()

    def run() -> Exchange:
        for offset in range(0, len(raw), _PIECE_BYTES):
            yield from _request(m.OP_CONFIG_PUT, struct.pack("<H", offset) + raw[offset : offset + _PIECE_BYTES])
        body = struct.pack("<HI", len(raw), binascii.crc32(raw))
        return {"text": (yield from _once(key, m.OP_CONFIG_SAVE, body)).decode(errors="replace")}

    return run


def _stimulus(command: Command, key: bytes, now_ms: Callable[[], int | None]) -> Start:
    channel = _number(command, "channel", 0, 255, 0)
    start = _number(command, "start", 0, 0xFFFFFFFF, 0)
    samples = command.arguments.get("samples")
    if not isinstance(samples, list) or not 1 <= len(samples) <= _SAMPLES_LIMIT:
        raise CommandError(f"samples: 1 to {_SAMPLES_LIMIT} numbers", command.id, command.op)
    if not all(isinstance(x, int) and -32768 <= x <= 32767 for x in samples):
        raise CommandError("samples: whole numbers from -32768 to 32767", command.id, command.op)

    def run() -> Exchange:
        body = struct.pack(f"<BI{len(samples)}h", channel, start, *samples)
        reply = yield from _once(key, m.OP_STIMULUS, body)
        expected, room = struct.unpack_from("<II", reply) if len(reply) >= 8 else (None, None)
        return {"next": expected, "room": room}

    return run


def _event(command: Command, key: bytes, now_ms: Callable[[], int | None]) -> Start:
    code, text = _number(command, "code", 0, 65535, 0), _text(command, "text", "")

    def run() -> Exchange:
        reply = yield from _once(key, m.OP_EVENT, struct.pack("<H", code) + text.encode())
        return {"seq": struct.unpack_from("<I", reply)[0] if len(reply) >= 4 else None}

    return run


def _relearn(command: Command, key: bytes, now_ms: Callable[[], int | None]) -> Start:
    channel = _number(command, "channel", 0, 255, 0)

    def run() -> Exchange:
        reply = yield from _once(key, m.OP_RELEARN, bytes([channel]))
        return {"detectors": reply[0] if reply else None}

    return run


def _request(op: int, body: bytes) -> _Step:
    status, reply = yield op, body
    if status == m.UNKNOWN:
        raise ReplyError("unknown", "this device's firmware does not know the operation; update it")
    if status != m.OK:
        raise ReplyError("refused", reply.decode(errors="replace") or "the device refuses")
    return reply


def _once(key: bytes, op: int, body: bytes) -> _Step:
    return (yield from _request(m.OP_ONCE, key + bytes([op]) + body))


def _text(command: Command, name: str, default: str) -> str:
    text = command.arguments.get(name, default)
    if not isinstance(text, str) or len(text.encode(errors="replace")) > _TEXT_LIMIT_BYTES:
        raise CommandError(f"{name}: a text of at most {_TEXT_LIMIT_BYTES} bytes", command.id, command.op)
    return text.encode(errors="replace").decode()


def _number(command: Command, name: str, low: int, high: int, default: int) -> int:
    number = command.arguments.get(name, default)
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise CommandError(f"{name}: a whole number from {low} to {high}", command.id, command.op)
    return number


def _json(raw: bytes) -> Result:
    try:
        value = json_text.read(raw, _REPLY_LIMIT_BYTES)
    except json_text.Refusal:
        value = None
    if not isinstance(value, dict):
        raise ReplyError("refused", "the reply cannot be read")
    return value


def _short(value: object) -> str | None:
    return value[:ID_LIMIT] if isinstance(value, str) else None


_STARTS = {
    "ping": _ping,
    "time": _time,
    "identify": _identify,
    "config_get": _config_get,
    "config_set": _config_set,
    "stimulus": _stimulus,
    "event": _event,
    "relearn": _relearn,
}
OPERATIONS = frozenset(_STARTS)
