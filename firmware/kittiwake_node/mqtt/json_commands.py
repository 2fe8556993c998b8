"""Commands as JSON, carried out on the board that speaks MQTT itself, and their responses as JSON.

Pure: JSON, a digest and what carries commands out are arguments. The forms are those of the gateway
(host/kittiwake/bridge/command_codec.py): `{"id": …, "op": …}` to `…/cmd`, and what came of it to `…/resp`.
"""

import binascii
import struct

from ..link import exact_json
from ..link import messages as m
from . import jsontext

if False:  # for mypy alone
    from collections.abc import Callable
    from typing import Any, TypeGuard

    from kittiwake_types import CommandHandler, Fields

_ID_LIMIT = 64
_TEXT_LIMIT_BYTES = 512
_SAMPLES_LIMIT = 256
_PIECE_BYTES = 512
_UPDATE_LIMIT = 1400  # of the text that stands for an offer, the longest of its steps


class _Refusal(Exception):
    """The response is not "ok". Args: status; why, in words."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


class JsonCommands:
    """Carries out commands that arrive as JSON.

    Args:
        device: device id.
        handle: called as handle(op, body, now_ms), gives (status, body): Commands.handle.
        parse_json: text or bytes to a value; raises ValueError.
        write_json: a value to text.
        digest: bytes to at least 8 bytes that name them.
    """

    def __init__(
        self,
        device: str,
        handle: "CommandHandler",
        parse_json: "Callable[[str | bytes], Any]",
        write_json: "Callable[[Any], str]",
        digest: "Callable[[bytes], bytes]",
    ) -> None:
        self._device = device
        self._handle = handle
        self._parse_json = parse_json
        self._write_json = write_json
        self._digest = digest
        self._now_ms = 0

    def respond(self, payload: bytes, now_ms: int) -> bytes:
        """Carry out a command.

        Args:
            payload: JSON, as it arrived.
            now_ms: milliseconds since boot.

        Returns:
            The response's payload: whatever arrives has one. Allocates.
        """
        self._now_ms = now_ms
        name = op = None
        result = ""
        status, why = "ok", None
        try:
            fields = self._parse(payload)
            name = _name(fields)
            op = fields.get("op")
            if op == "update":
                result = self._update(fields)
            elif not isinstance(op, str) or op not in _OPERATIONS:
                op = op[:_ID_LIMIT] if isinstance(op, str) else None
                raise _Refusal("invalid", "op: there are " + ", ".join(sorted(_OPERATIONS)))
            else:
                result = _OPERATIONS[op](self, fields, name)
        except _Refusal as refusal:
            status, why = refusal.status, refusal.why
        except ValueError:  # text of half a character, which JSON allows
            status, why = "refused", "the reply cannot be read"
        response: "Fields" = [("id", name), ("op", op), ("device", self._device), ("bridge", None), ("status", status)]
        if why is not None:
            response.append(("error", why))
        else:
            response.append(("result", jsontext.Raw(result)))
        return jsontext.dump(response).encode()

    def _parse(self, payload: bytes) -> "dict[str, Any]":
        try:
            fields = self._parse_json(payload)
            if not isinstance(fields, dict):
                raise _Refusal("invalid", "not a JSON object")
            if fields.get("op") == "config_set":
                fields["config"] = exact_json.parse(payload, self._parse_json).get("config")
        except (ValueError, MemoryError):  # a list in a list takes 48 bytes where it is written with two
            raise _Refusal("invalid", 'not JSON, or too much of it: write {"id": "1", "op": "ping"}')
        return fields

    def _ask(self, op: int, body: bytes) -> bytes:
        status, reply = self._handle(op, body, self._now_ms)
        if status == m.UNKNOWN:
            raise _Refusal("unknown", "this device's firmware does not know the operation; update it")
        if status != m.OK:
            raise _Refusal("refused", bytes(reply).decode() or "the device refuses")
        return bytes(reply)

    def _once(self, name: str, op: int, body: bytes) -> bytes:
        key = self._digest(("%s\0%s" % (self._device, name)).encode())[: m.KEY_BYTES]
        return self._ask(m.OP_ONCE, key + bytes([op]) + body)

    def _ping(self, fields: "dict[str, Any]", name: str) -> str:
        text = self._ask(m.OP_PING, _text(fields, "text").encode()).decode()
        return jsontext.dump([("text", text)])

    def _time(self, fields: "dict[str, Any]", name: str) -> str:
        # A gateway has a clock of its own; here whoever asks must say what time it is.
        utc_ms = _number(fields, "utc_ms", 1, (1 << 48) - 1, None)
        self._ask(m.OP_TIME, struct.pack("<Q", utc_ms))
        return jsontext.dump([("utc_ms", utc_ms)])

    def _identify(self, fields: "dict[str, Any]", name: str) -> str:
        return self._ask(m.OP_IDENTIFY, b"").decode()

    def _config_get(self, fields: "dict[str, Any]", name: str) -> str:
        raw = b""
        while True:
            reply = self._ask(m.OP_CONFIG_GET, struct.pack("<H", len(raw)))
            raw += reply[2:]
            if len(reply) <= 2 or len(raw) >= struct.unpack_from("<H", reply, 0)[0]:
                break
        if not raw:
            raise _Refusal("refused", "this node has no settings file")
        return '{"config":' + self._write_json(self._parse(raw)) + "}"

    def _config_set(self, fields: "dict[str, Any]", name: str) -> str:
        config = fields.get("config")
        if not isinstance(config, dict):
            raise _Refusal("invalid", "config: an object with the node's settings")
        raw = self._write_json(config).encode()
        for offset in range(0, len(raw), _PIECE_BYTES):
            self._ask(m.OP_CONFIG_PUT, struct.pack("<H", offset) + raw[offset : offset + _PIECE_BYTES])
        save = struct.pack("<HI", len(raw), binascii.crc32(raw) & 0xFFFFFFFF)
        return jsontext.dump([("text", self._once(name, m.OP_CONFIG_SAVE, save).decode())])

    def _stimulus(self, fields: "dict[str, Any]", name: str) -> str:
        head = struct.pack("<BI", _number(fields, "channel", 0, 255, 0), _number(fields, "start", 0, 0xFFFFFFFF, 0))
        samples = fields.get("samples")
        if not isinstance(samples, list) or not 1 <= len(samples) <= _SAMPLES_LIMIT:
            raise _Refusal("invalid", "samples: 1 to %d numbers" % _SAMPLES_LIMIT)
        for x in samples:
            if not _is_whole(x) or not -32768 <= x <= 32767:
                raise _Refusal("invalid", "samples: whole numbers from -32768 to 32767")
        reply = self._once(name, m.OP_STIMULUS, head + struct.pack("<%dh" % len(samples), *samples))
        expected, room = struct.unpack_from("<II", reply, 0)
        return jsontext.dump([("next", expected), ("room", room)])

    def _event(self, fields: "dict[str, Any]", name: str) -> str:
        code = _number(fields, "code", 0, 65535, 0)
        reply = self._once(name, m.OP_EVENT, struct.pack("<H", code) + _text(fields, "text").encode())
        return jsontext.dump([("seq", struct.unpack_from("<I", reply, 0)[0])])

    def _relearn(self, fields: "dict[str, Any]", name: str) -> str:
        reply = self._once(name, m.OP_RELEARN, bytes([_number(fields, "channel", 0, 255, 0)]))
        return jsontext.dump([("detectors", reply[0])])

    def _update(self, fields: "dict[str, Any]") -> str:
        """A step of a release's way here: what a gateway would ask over the link, and what it would be answered."""
        step, data = fields.get("step"), fields.get("data")
        op = _UPDATE_STEPS.get(step) if isinstance(step, str) else None
        if op is None or not isinstance(data, str) or len(data) > _UPDATE_LIMIT:
            raise _Refusal("invalid", "step: one of %s; data: base64" % ", ".join(sorted(_UPDATE_STEPS)))
        try:
            body = binascii.a2b_base64(data)
        except ValueError:
            raise _Refusal("invalid", "data: base64")
        reply = binascii.b2a_base64(self._ask(op, body))
        return jsontext.dump([("data", reply[:-1].decode())])


def _name(fields: "dict[str, Any]") -> str:
    name = fields.get("id")
    if _is_whole(name):
        name = str(name)
    if not isinstance(name, str) or not 1 <= len(name) <= _ID_LIMIT:
        raise _Refusal("invalid", "id: 1 to %d characters that no other command has had" % _ID_LIMIT)
    return name


def _text(fields: "dict[str, Any]", key: str) -> str:
    text = fields.get(key, "")
    if not isinstance(text, str) or len(text.encode()) > _TEXT_LIMIT_BYTES:
        raise _Refusal("invalid", "%s: a text of at most %d bytes" % (key, _TEXT_LIMIT_BYTES))
    return text


def _number(fields: "dict[str, Any]", key: str, low: int, high: int, default: int | None) -> int:
    number = fields.get(key, default)
    if not _is_whole(number) or not low <= number <= high:
        raise _Refusal("invalid", "%s: a whole number from %d to %d" % (key, low, high))
    return number


def _is_whole(value: object) -> "TypeGuard[int]":
    return isinstance(value, int) and not isinstance(value, bool)


_UPDATE_STEPS = {"offer": m.OP_UPDATE_OFFER, "piece": m.OP_UPDATE_PIECE, "progress": m.OP_UPDATE_PROGRESS}
_OPERATIONS = {
    "ping": JsonCommands._ping,
    "time": JsonCommands._time,
    "identify": JsonCommands._identify,
    "config_get": JsonCommands._config_get,
    "config_set": JsonCommands._config_set,
    "stimulus": JsonCommands._stimulus,
    "event": JsonCommands._event,
    "relearn": JsonCommands._relearn,
}
