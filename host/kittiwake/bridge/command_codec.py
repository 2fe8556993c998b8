"""Commands: a JSON request in, the link's operations it takes, a JSON answer out. Pure: no broker, no port, no clock.

A request is `{"id": …, "op": …, …}`. The id names the command for ever: what changes a device is carried out once for
it (the link's operation 8), however often the request arrives, across restarts of bridge and device.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import struct
from collections.abc import Callable, Generator
from dataclasses import dataclass

from kittiwake_node.link import messages as m

ID_LIMIT = 64
_PAYLOAD_LIMIT_BYTES = 16 * 1024
_PIECE_BYTES = 512
_TEXT_LIMIT_BYTES = 512
_SAMPLES_LIMIT = 256

# Yields (operation, body) to send, is sent (status, body) of the answer, and returns the result.
Program = Generator[tuple[int, bytes], tuple[int, bytes], dict]


class RequestError(Exception):
    """A request that cannot be: says why; `id` and `op` are as far as they could be read."""

    def __init__(self, why: str, id: object = None, op: object = None):
        super().__init__(why)
        self.id, self.op = id, op


class AnswerError(Exception):
    """The device does not do it: `status` is "refused" or "unknown", the text says why."""

    def __init__(self, status: str, why: str):
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Request:
    """A request that was understood: `arguments` are all its fields."""

    id: str
    op: str
    arguments: dict


def parse(payload: bytes, known: frozenset[str]) -> Request:
    """Read a request.

    Args:
        payload: of the message.
        known: operations there are.

    Raises:
        RequestError: it is none.
    """
    if len(payload) > _PAYLOAD_LIMIT_BYTES:
        raise RequestError(f"{len(payload)} bytes, at most {_PAYLOAD_LIMIT_BYTES}")
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise RequestError('not JSON: write {"id": "1", "op": "ping"}') from error
    if not isinstance(fields, dict):
        raise RequestError("not a JSON object")
    identity, op = fields.get("id"), fields.get("op")
    if isinstance(identity, int) and not isinstance(identity, bool) and abs(identity) < 1 << 63:
        identity = str(identity)
    if not isinstance(identity, str) or not 1 <= len(identity) <= ID_LIMIT:
        raise RequestError(f"id: 1 to {ID_LIMIT} characters that no other command has had", None, _short(op))
    if not isinstance(op, str) or op not in known:
        raise RequestError(f"op: there are {', '.join(sorted(known))}", identity, _short(op))
    return Request(identity, op, fields)


def key_of(device: str, identity: str) -> bytes:
    """The 8 bytes that name a command on the link."""
    return hashlib.blake2b(f"{device}\0{identity}".encode(), digest_size=m.KEY_BYTES).digest()


def program(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    """Begin to carry out a device's request.

    Args:
        request: whose op is in OPERATIONS.
        key: see `key_of`.
        now_ms: gives UTC in milliseconds.

    Raises:
        RequestError: an argument cannot be.
    """
    return _PROGRAMS[request.op](request, key, now_ms)


def _ping(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    text = _text(request, "text", "")

    def run() -> Program:
        return {"text": (yield from _ask(m.OP_PING, text.encode())).decode(errors="replace")}

    return run()


def _time(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    def run() -> Program:
        utc_ms = now_ms()
        yield from _ask(m.OP_TIME, struct.pack("<Q", utc_ms))
        return {"utc_ms": utc_ms}

    return run()


def _identify(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    def run() -> Program:
        return _json((yield from _ask(m.OP_IDENTIFY, b"")))

    return run()


def _config_get(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    def run() -> Program:
        raw = b""
        while True:
            answer = yield from _ask(m.OP_CONFIG_GET, struct.pack("<H", len(raw)))
            if len(answer) < 2:
                raise AnswerError("refused", "the answer cannot be read")
            size, piece = struct.unpack_from("<H", answer)[0], answer[2:]
            raw += piece
            if not piece or len(raw) >= size:
                break
        if not raw:
            raise AnswerError("refused", "this node has no settings file")
        return {"config": _json(raw)}

    return run()


def _config_set(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    config = request.arguments.get("config")
    if not isinstance(config, dict):
        raise RequestError("config: an object with the node's settings", request.id, request.op)
    raw = json.dumps(config, separators=(",", ":")).encode()

    def run() -> Program:
        for offset in range(0, len(raw), _PIECE_BYTES):
            yield from _ask(m.OP_CONFIG_PUT, struct.pack("<H", offset) + raw[offset : offset + _PIECE_BYTES])
        body = struct.pack("<HI", len(raw), binascii.crc32(raw))
        return {"text": (yield from _once(key, m.OP_CONFIG_SAVE, body)).decode(errors="replace")}

    return run()


def _stimulus(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    channel = _number(request, "channel", 0, 255, 0)
    start = _number(request, "start", 0, 0xFFFFFFFF, 0)
    samples = request.arguments.get("samples")
    if not isinstance(samples, list) or not 1 <= len(samples) <= _SAMPLES_LIMIT:
        raise RequestError(f"samples: 1 to {_SAMPLES_LIMIT} numbers", request.id, request.op)
    if not all(isinstance(x, int) and -32768 <= x <= 32767 for x in samples):
        raise RequestError("samples: whole numbers from -32768 to 32767", request.id, request.op)

    def run() -> Program:
        body = struct.pack(f"<BI{len(samples)}h", channel, start, *samples)
        answer = yield from _once(key, m.OP_STIMULUS, body)
        expected, room = struct.unpack_from("<II", answer) if len(answer) >= 8 else (None, None)
        return {"next": expected, "room": room}

    return run()


def _event(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    code, text = _number(request, "code", 0, 65535, 0), _text(request, "text", "")

    def run() -> Program:
        answer = yield from _once(key, m.OP_EVENT, struct.pack("<H", code) + text.encode())
        return {"seq": struct.unpack_from("<I", answer)[0] if len(answer) >= 4 else None}

    return run()


def _relearn(request: Request, key: bytes, now_ms: Callable[[], int]) -> Program:
    channel = _number(request, "channel", 0, 255, 0)

    def run() -> Program:
        answer = yield from _once(key, m.OP_RELEARN, bytes([channel]))
        return {"detectors": answer[0] if answer else None}

    return run()


def _ask(op: int, body: bytes) -> Generator[tuple[int, bytes], tuple[int, bytes], bytes]:
    status, answer = yield op, body
    if status == m.UNKNOWN:
        raise AnswerError("unknown", "this device's firmware does not know the operation; update it")
    if status != m.OK:
        raise AnswerError("refused", answer.decode(errors="replace") or "the device refuses")
    return answer


def _once(key: bytes, op: int, body: bytes) -> Generator[tuple[int, bytes], tuple[int, bytes], bytes]:
    return (yield from _ask(m.OP_ONCE, key + bytes([op]) + body))


def _text(request: Request, name: str, default: str) -> str:
    text = request.arguments.get(name, default)
    if not isinstance(text, str) or len(text.encode(errors="replace")) > _TEXT_LIMIT_BYTES:
        raise RequestError(f"{name}: a text of at most {_TEXT_LIMIT_BYTES} bytes", request.id, request.op)
    return text.encode(errors="replace").decode()


def _number(request: Request, name: str, low: int, high: int, default: int) -> int:
    number = request.arguments.get(name, default)
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise RequestError(f"{name}: a whole number from {low} to {high}", request.id, request.op)
    return number


def _json(raw: bytes) -> dict:
    try:
        value = json.loads(raw)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise AnswerError("refused", "the answer cannot be read")
    return value


def _short(value: object) -> object:
    return value[:ID_LIMIT] if isinstance(value, str) else None


_PROGRAMS = {
    "ping": _ping,
    "time": _time,
    "identify": _identify,
    "config_get": _config_get,
    "config_set": _config_set,
    "stimulus": _stimulus,
    "event": _event,
    "relearn": _relearn,
}
OPERATIONS = frozenset(_PROGRAMS)
