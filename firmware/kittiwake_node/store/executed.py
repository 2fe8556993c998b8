"""Commands that were carried out, by key: a repeat is answered from here, also after a reset (docs/spec/files.md).

It knows a file system and keys; what a command does is its caller's. Written twice for a command that is carried out,
never for a repeat: first that it is about to be, then its reply. A reset in between leaves the first: a command whose
effect is a journal record was carried out if that record is there, any other is carried out again.
"""

import binascii
import struct

from ..link import record as rec

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import Buffer, FileSystem, Reply

_FILE = "executed.kwx"
_NEW = "executed.new"
_HEAD = b"KWX\x01"
_ENTRY = "<8sIBBB"
_ENTRY_BYTES = 15
_PENDING = 0
_DONE = 1
KEPT = 32
BODY_LIMIT_BYTES = 96


class Executed:
    """The last KEPT commands.

    Args:
        fs: file system, see journal.Journal.
        next_seq: the journal's, before anything is committed in this boot.
        ok: status of a reply that stands for "done".
    """

    def __init__(self, fs: "FileSystem", next_seq: int, ok: int) -> None:
        self._fs = fs
        self._entries: list[tuple[bytes, int, int, int, bytes]] = []  # (key, seq, state, status, body), oldest first
        for key, seq, state, status, body in self._load():
            if state == _PENDING:
                if seq == rec.SEQ_LIMIT or next_seq <= seq:
                    continue
                status, body = ok, struct.pack("<I", seq)
            self._entries.append((key, seq, _DONE, status, body))

    def once(self, key: bytes, seq: int, do: "Callable[[], Reply]") -> "Reply":
        """Carry out a command unless it was.

        Args:
            key: 8 bytes that name the command for ever.
            seq: number of the journal record that carrying it out will commit, rec.SEQ_LIMIT for none.
            do: called without arguments, gives (status, body).

        Returns:
            (status, body), the same for every repeat; at most BODY_LIMIT_BYTES of the body.

        Raises:
            OSError: the medium failed; the command was not carried out, or will be once more.
        """
        for entry in self._entries:
            if entry[0] == key:
                return entry[3], entry[4]
        if len(self._entries) >= KEPT:
            self._entries.pop(0)
        self._entries.append((key, seq, _PENDING, 0, b""))
        try:
            self._save()
            status, body = do()
        finally:
            self._entries.pop()
        body = bytes(body[:BODY_LIMIT_BYTES])
        self._entries.append((key, seq, _DONE, status, body))
        self._save()
        return status, body

    def _load(self) -> list[tuple[bytes, int, int, int, bytes]]:
        try:
            with self._fs.open(_FILE, "rb") as file:
                raw = file.read(len(_HEAD) + KEPT * (_ENTRY_BYTES + BODY_LIMIT_BYTES) + 4)
        except OSError:
            return []
        end = len(raw) - 4
        if end < 4 or raw[:4] != _HEAD or struct.unpack_from("<I", raw, end)[0] != _crc(raw[:end]):
            return []
        entries = []
        at = 4
        while at + _ENTRY_BYTES <= end:
            key, seq, state, status, size = struct.unpack_from(_ENTRY, raw, at)
            at += _ENTRY_BYTES
            entries.append((key, seq, state, status, raw[at : at + size]))
            at += size
        return entries

    def _save(self) -> None:
        raw = bytearray(_HEAD)
        for key, seq, state, status, body in self._entries:
            raw.extend(struct.pack(_ENTRY, key, seq, state, status, len(body)))
            raw.extend(body)
        raw.extend(struct.pack("<I", _crc(raw)))
        with self._fs.open(_NEW, "wb") as file:
            file.write(raw)
        self._fs.rename(_NEW, _FILE)


def _crc(raw: "Buffer") -> int:
    return binascii.crc32(raw) & 0xFFFFFFFF
