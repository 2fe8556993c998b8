"""The file of a release, `.kwu`: laid out, and read back with every hash in it checked.

Knows the form (docs/spec/release.md); neither boards nor what an application is. What a head and a table are is the
firmware's own code, so that both sides read the same.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kittiwake.errors import ConfigError, UsageError, VerificationError
from kittiwake.release import keys
from kittiwake_node.errors import FrameError
from kittiwake_node.update import manifest, signature

SIGNATURES_LIMIT = 4
_LEAD = "<4sHBB"
_KEY_ID_BYTES = 8


@dataclass(frozen=True)
class File:
    """A file of an application: where it lies in its slot, and its content."""

    path: str
    content: bytes


@dataclass(frozen=True)
class Signature:
    """A signature, and which key's it is."""

    key_id: bytes
    content: bytes


@dataclass(frozen=True)
class Release:
    """A release that was read.

    Args:
        head: parsed.
        raw_head: its bytes.
        signatures: over these.
        tables: of each build.
        contents: SHA-256 -> content, of every file of every build.
    """

    head: manifest.Head
    raw_head: bytes
    signatures: tuple[Signature, ...]
    tables: tuple[bytes, ...]
    contents: Mapping[bytes, bytes]

    def files(self, build: int) -> list[File]:
        """List the files of a build.

        Args:
            build: its index.
        """
        return [File(path, self.contents[digest]) for path, _, digest in entries(self.tables[build])]

    def signer(self, modulus: bytes) -> Signature | None:
        """Give the good signature of a key, None where there is none.

        Args:
            modulus: of the public key.
        """
        for candidate in self.signatures:
            if candidate.key_id == keys.id_of(modulus) and signature.verify(
                modulus, signed_digest(self.raw_head), candidate.content
            ):
                return candidate
        return None


def signed_digest(raw_head: bytes) -> bytes:
    """Give the SHA-256 that is signed: of the format's name and the head."""
    return hashlib.sha256(manifest.MAGIC + raw_head).digest()


def table_of(files: Mapping[str, bytes]) -> bytes:
    """Lay out a build's table, by path.

    Args:
        files: path in the slot -> content.

    Raises:
        ConfigError: a path is none that an application may have, or there are too many.
    """
    if len(files) > manifest.FILES_LIMIT:
        raise ConfigError(f"{len(files)} files, and a release takes {manifest.FILES_LIMIT}", "leave models out")
    for path in files:
        if not manifest.is_path(path.encode()):
            raise ConfigError(f"{path!r} cannot be a file of an application", "letters, digits, '-', '_', '.' and '/'")
    return b"".join(
        manifest.pack_entry(path, len(files[path]), hashlib.sha256(files[path]).digest())
        for path in sorted(files, key=str.encode)
    )


def entries(table: bytes) -> Iterable[tuple[str, int, bytes]]:
    """Go through a table: path, size in bytes, SHA-256.

    Raises:
        FrameError: it is none.
    """
    at, last = 0, ""
    while at < len(table):
        path, size, digest, at = manifest.read_entry(table, at)
        if path.encode() <= last.encode():
            raise FrameError("table", f"{path} after {last}")
        last = path
        yield path, size, digest


def pack(raw_head: bytes, signatures: Iterable[Signature], builds: Iterable[Mapping[str, bytes]]) -> bytes:
    """Lay out a release.

    Args:
        raw_head: of it.
        signatures: over that head.
        builds: of each, path in the slot -> content; the head names the digests of their tables.

    Returns:
        The file: the same bytes for the same arguments.
    """
    every, signed = list(builds), list(signatures)
    contents: dict[bytes, bytes] = {}
    for files in every:
        for path in sorted(files, key=str.encode):
            contents.setdefault(hashlib.sha256(files[path]).digest(), files[path])
    return b"".join(
        [
            struct.pack(_LEAD, manifest.MAGIC, len(raw_head), len(signed), 0),
            raw_head,
            *(each.key_id + each.content for each in signed),
            *(table_of(files) for files in every),
            *contents.values(),
        ]
    )


def read(raw: bytes, name: str) -> Release:
    """Read a release, and hold every hash in it.

    Args:
        raw: of the file.
        name: of it, for messages.

    Raises:
        VerificationError: it is none, is cut off or damaged; says where. Signatures are not looked at.
    """
    try:
        return _read(raw)
    except FrameError as error:
        raise VerificationError(f"{name} is no whole release: {error}", "get it again") from error


def load(path: Path) -> Release:
    """Read a release's file, and hold every hash in it.

    Args:
        path: of the file.

    Raises:
        UsageError: it cannot be read.
        VerificationError: see `read`.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a release, .kwu") from error
    return read(raw, str(path))


def _read(raw: bytes) -> Release:
    pieces = _Pieces(raw)
    magic, head_bytes, count, zero = struct.unpack(_LEAD, pieces.take(struct.calcsize(_LEAD), "lead"))
    if magic != manifest.MAGIC or not 1 <= count <= SIGNATURES_LIMIT or zero:
        raise FrameError("lead", "it does not begin as one")
    raw_head = pieces.take(head_bytes, "head")
    head = manifest.read_head(raw_head)
    signatures = tuple(
        Signature(pieces.take(_KEY_ID_BYTES, "signature"), pieces.take(signature.BYTES, "signature"))
        for _ in range(count)
    )
    tables = []
    for build in head.builds:
        tables.append(pieces.take(build.table_bytes, "table"))
        if hashlib.sha256(tables[-1]).digest() != build.digest:
            raise FrameError("table", "its SHA-256 is another one")
    contents: dict[bytes, bytes] = {}
    for build, table in zip(head.builds, tables, strict=True):
        listed = list(entries(table))
        if len(listed) != build.files or sum(size for _, size, _ in listed) != build.size_bytes:
            raise FrameError("table", "it does not list what the head says")
        for path, size, digest in listed:
            if digest not in contents:
                content = pieces.take(size, path)
                if hashlib.sha256(content).digest() != digest:
                    raise FrameError(path, "its SHA-256 is another one")
                contents[digest] = content
            if len(contents[digest]) != size:
                raise FrameError(path, "its size is another one")
    if pieces.rest:
        raise FrameError("end", f"{pieces.rest} bytes too many")
    return Release(head, raw_head, signatures, tuple(tables), contents)


class _Pieces:
    def __init__(self, raw: bytes):
        self._raw, self._at = raw, 0

    @property
    def rest(self) -> int:
        return len(self._raw) - self._at

    def take(self, size: int, what: str) -> bytes:
        if size > self.rest:
            raise FrameError(what, "cut off")
        self._at += size
        return self._raw[self._at - size : self._at]
