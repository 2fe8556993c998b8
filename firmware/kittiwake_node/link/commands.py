"""Commands that change a node for good: settings, events of the operator's, and anything that must be done only once.

Pure: files, the journal and what checks settings come in as arguments. Replies are (status, body) as messages.py has
them (docs/spec/link.md). One task calls everything here.
"""

import binascii
import struct

from . import messages as m
from . import record as rec

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import CommandHandler, Executed, Reply, SettingsFile

_PIECE_BYTES = 512
_SETTINGS_LIMIT_BYTES = 8192


class Commands:
    """Carries out the commands it knows, and hands on the others.

    Args:
        settings: has `read(offset, limit_bytes)` and `replace(data)`, see io.settings_file.
        executed: has `once(key, seq, do)`, see store.executed.
        refusal: called with the bytes of new settings, gives why they cannot be, "" when they can.
        log_event: called as log_event(body, now_ms), commits an event record; whether it is safe.
        next_seq: called without arguments, gives the number that this record would get.
        others: called as others(op, body, now_ms) with every other command, gives (status, body).
    """

    def __init__(
        self,
        settings: "SettingsFile",
        executed: "Executed",
        refusal: "Callable[[bytes], str]",
        log_event: "Callable[[bytes, int], bool]",
        next_seq: "Callable[[], int]",
        others: "CommandHandler",
    ) -> None:
        self._settings = settings
        self._executed = executed
        self._refusal = refusal
        self._log_event = log_event
        self._next_seq = next_seq
        self._others = others
        self._new = bytearray()

    def handle(self, op: int, body: bytes, now_ms: int) -> "Reply":
        """Carry out a command. Returns (status, body). A medium that fails is a reply, not an exception."""
        try:
            if op == m.OP_ONCE and len(body) > m.KEY_BYTES:
                return self._once(body, now_ms)
            if op == m.OP_EVENT and len(body) >= 2:
                seq = self._next_seq()
                if self._log_event(body, now_ms):
                    return m.OK, struct.pack("<I", seq)
                return m.REFUSED, b"the journal takes no more"
            if op == m.OP_CONFIG_GET and len(body) >= 2:
                size, piece = self._settings.read(struct.unpack_from("<H", body, 0)[0], _PIECE_BYTES)
                return m.OK, struct.pack("<H", size) + piece
            if op == m.OP_CONFIG_PUT and len(body) >= 2:
                return self._put(struct.unpack_from("<H", body, 0)[0], body[2:])
            if op == m.OP_CONFIG_SAVE and len(body) >= 6:
                size, crc = struct.unpack_from("<HI", body, 0)
                return self._save(size, crc)
        except OSError:
            return m.REFUSED, b"the medium failed"
        except MemoryError:
            self._new = bytearray()  # a peer's settings must not take what the node samples with
            return m.REFUSED, b"the heap is too small for that"
        return self._others(op, body, now_ms)

    def _once(self, body: bytes, now_ms: int) -> "Reply":
        op = body[m.KEY_BYTES]
        if op == m.OP_ONCE:
            return m.REFUSED, b"once is once"
        arguments = body[m.KEY_BYTES + 1 :]
        seq = self._next_seq() if op == m.OP_EVENT else rec.SEQ_LIMIT
        return self._executed.once(bytes(body[: m.KEY_BYTES]), seq, lambda: self.handle(op, arguments, now_ms))

    def _put(self, offset: int, piece: bytes) -> "Reply":
        if offset > len(self._new) or offset + len(piece) > _SETTINGS_LIMIT_BYTES:
            return m.REFUSED, b"not the next piece, or too long"
        if offset < len(self._new):
            self._new = self._new[:offset]
        self._new.extend(piece)
        return m.OK, struct.pack("<H", len(self._new))

    def _save(self, size: int, crc: int) -> "Reply":
        if len(self._new) != size or binascii.crc32(self._new) & 0xFFFFFFFF != crc:
            return m.REFUSED, b"pieces are missing"
        raw = bytes(self._new)
        reason = self._refusal(raw)
        if reason:
            return m.REFUSED, reason.encode()
        if not self._settings.replace(raw):
            return m.REFUSED, b"this node has no settings file"
        self._new = bytearray()
        return m.OK, b"in force from the next start"
