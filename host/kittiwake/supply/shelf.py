"""Releases in a folder, and which of them each device is to have.

Which one that is stands at the broker, in a retained message a device, so that it outlives this process and this
machine. Knows files and JSON; how a release gets to a device is updates.py's.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kittiwake.peers import json_text
from kittiwake.peers.complaints import Complaints
from kittiwake.supply.source import LIMIT_BYTES, Source
from kittiwake_node.errors import FrameError
from kittiwake_node.update import manifest

log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\.kwu")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MESSAGE_LIMIT_BYTES = 4096
_LEAD_BYTES = 8
_SIGNATURE_BYTES = 8 + 384


class Wanted(NamedTuple):
    """Which release a device is to have: its file's name, and the file's SHA-256 in hexadecimal, "" for any."""

    name: str
    sha256: str = ""


@dataclass(frozen=True)
class Stored:
    """A release as it lies in the folder: whoever has it takes it apart, and leaves the judging to the boards.

    Args:
        name: of its file.
        head: read.
        raw_head: its bytes.
        signatures: each with its key's id in front.
        tables: of each build.
        contents: SHA-256 -> content.
        sha256: of the file, in hexadecimal.
    """

    name: str
    head: manifest.Head
    raw_head: bytes
    signatures: tuple[bytes, ...]
    tables: tuple[bytes, ...]
    contents: dict[bytes, bytes]
    sha256: str

    def piece(self, build: int, entry: int, offset: int, size: int) -> bytes:
        """Give a piece of a file.

        Args:
            build: index of the build.
            entry: number of the file in its table; manifest.TABLE for the table itself.
            offset: of the first byte.
            size: bytes, less at the end.

        Returns:
            It; empty where there is none.
        """
        try:
            content = self.tables[build] if entry == manifest.TABLE else self._content(self.tables[build], entry)
        except (IndexError, KeyError, FrameError):
            return b""
        return content[offset : offset + size]

    def _content(self, table: bytes, entry: int) -> bytes:
        at, digest = 0, b""
        for _ in range(entry + 1):
            _, _, digest, at = manifest.read_entry(table, at)
        return self.contents[digest]


class Shelf:
    """The folder.

    Args:
        folder: with releases; "" for none.
        url: that those are fetched from that it lacks; "" for none.
    """

    def __init__(self, folder: str, url: str = ""):
        self._folder = Path(folder) if folder else None
        self._source = Source(url, self._folder) if url and self._folder else None
        self._kept: dict[str, tuple[tuple[int, int], Stored]] = {}
        self._complaints = Complaints(log)

    @property
    def is_there(self) -> bool:
        """Whether there is a folder."""
        return self._folder is not None

    def find(self, wanted: Wanted) -> Stored | None:
        """Give a release, read anew when its file has changed.

        Args:
            wanted: which one.

        Returns:
            It; None where there is none that can be read, which is logged, or where it is another file.
        """
        stored = self._read(wanted.name)
        return stored if stored is not None and wanted.sha256 in ("", stored.sha256) else None

    def ask(self, wanted: Wanted) -> tuple[bool, str]:
        """Have a release fetched that was not found.

        Args:
            wanted: which one.

        Returns:
            Whether it may come yet, and why it is not here.
        """
        if self._source is not None:
            return bool(wanted.sha256), self._source.ask(*wanted)
        return False, f"{wanted.name} is not in the folder of releases" + ", or is another" * bool(wanted.sha256)

    def _read(self, name: str) -> Stored | None:
        if self._folder is None or not _NAME.fullmatch(name):
            return None
        path = self._folder / name
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            kept = self._kept.get(name)
            if kept is not None and kept[0] == stamp:
                return kept[1]
            if stat.st_size > LIMIT_BYTES:
                raise FrameError("size", f"{stat.st_size} bytes")
            stored = parse(name, path.read_bytes())
        except (OSError, FrameError) as error:
            self._complaints.tell(f"release {path} cannot be used: {error}")
            return None
        self._kept[name] = (stamp, stored)
        return stored


def wanted_of(payload: bytes) -> Wanted | None:
    """Read which release a device is to have.

    Args:
        payload: of the retained message: `{"file": "press-1.4.kwu"}`, with `sha256` or without; empty for none.

    Returns:
        It; with no name for none; None when it is no such message.
    """
    if not payload:
        return Wanted("")
    try:
        fields = json_text.read(payload, _MESSAGE_LIMIT_BYTES)
    except json_text.Refusal:
        return None
    if not isinstance(fields, dict):
        return None
    name, sha256 = fields.get("file"), fields.get("sha256", "")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return None
    if not isinstance(sha256, str) or sha256 and not _SHA256.fullmatch(sha256):
        return None
    return Wanted(name, sha256)


def parse(name: str, raw: bytes) -> Stored:
    """Take a release apart.

    Args:
        name: of its file.
        raw: its content.

    Raises:
        FrameError: it is none, or cut off; hashes and signatures are not looked at.
    """
    if raw[:4] != manifest.MAGIC or len(raw) < _LEAD_BYTES:
        raise FrameError("lead", "it does not begin as a release")
    end = _LEAD_BYTES + int.from_bytes(raw[4:6], "little")
    raw_head = raw[_LEAD_BYTES:end]
    head = manifest.read_head(raw_head)
    signatures = []
    for _ in range(raw[6]):
        signatures.append(raw[end : end + _SIGNATURE_BYTES])
        end += _SIGNATURE_BYTES
    tables = []
    for build in head.builds:
        tables.append(raw[end : end + build.table_bytes])
        end += build.table_bytes
    contents: dict[bytes, bytes] = {}
    for table in tables:
        at = 0
        while at < len(table):
            _, size, digest, at = manifest.read_entry(table, at)
            if digest not in contents:
                contents[digest] = raw[end : end + size]
                end += size
    if end != len(raw) or not signatures:
        raise FrameError("end", f"{len(raw)} bytes, and it lists {end}")
    return Stored(name, head, raw_head, tuple(signatures), tuple(tables), contents, hashlib.sha256(raw).hexdigest())
