"""A release's manifest: the signed head, and the table of files that each build has (docs/spec/release.md).

Pure: bytes in, fields out, whoever sent them; whether the signature is good is signature.py's. Every `read_*` raises
FrameError on bytes that are no manifest, and on nothing else.
"""

import struct

from ..errors import FrameError

if False:  # for mypy alone
    from kittiwake_types import Buffer

MAGIC = b"KWU1"
FORM = 1
HEAD_LIMIT_BYTES = 600
BUILDS_LIMIT = 16
FILES_LIMIT = 400
SIZE_LIMIT_BYTES = 1 << 24
PATH_LIMIT_BYTES = 80
DIGEST_BYTES = 32
DOWNGRADE = 1  # flag: may take the place of a later release
KEEPS = 2  # flag: leaves the application that runs, but for what it brings
IMAGE = 4  # flag, beside KEEPS: brings MicroPython's own image
KEYS = "keys"
"""File with the public keys that a board trusts from when the release has proved itself."""
IMAGE_FILE = "micropython.bin"
"""MicroPython's image where a release brings one: the only file, and in no slot."""
# What a slot holds beside its application.
MARKS = ("ready", "trial", "tried", "head", "table", "template.json", "image")
NO_BUILD = -1
TABLE = 0xFFFF
"""Number that stands for the table where files are asked for by their number in it."""

_HEAD = "<BBIHBBBBBB"
_BUILD = "<HII32s"
_ENTRY = "<I32sB"
ENTRY_HEAD_BYTES = 37
# Each of these runs what those before it run.
_CORTEX_M = ("armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp")


class Build:
    """One application, for one kind of board.

    Attributes:
        arch: as mpy-cross names it.
        chips: names of chips as `sys.implementation` has them behind "with"; empty for any.
        files: how many it has.
        size_bytes: of them together.
        table_bytes: of its table.
        digest: SHA-256 of its table.
    """

    def __init__(
        self, arch: str, chips: "tuple[str, ...]", files: int, size_bytes: int, table_bytes: int, digest: bytes
    ) -> None:
        self.arch = arch
        self.chips = chips
        self.files = files
        self.size_bytes = size_bytes
        self.table_bytes = table_bytes
        self.digest = digest


class Head:
    """What is signed.

    Attributes:
        flags: DOWNGRADE, KEEPS and IMAGE, those that are set.
        counter: which release is the later one.
        trial_s: seconds that a new application has to prove itself.
        oldest, newest: MicroPython's versions, (major, minor).
        version: a name for people.
        notes: what they ought to know.
        builds: of Build, the most particular first.
    """

    def __init__(
        self,
        flags: int,
        counter: int,
        trial_s: int,
        oldest: tuple[int, int],
        newest: tuple[int, int],
        version: str,
        notes: str,
        builds: "list[Build]",
    ) -> None:
        self.flags = flags
        self.counter = counter
        self.trial_s = trial_s
        self.oldest = oldest
        self.newest = newest
        self.version = version
        self.notes = notes
        self.builds = builds

    @property
    def allows_downgrade(self) -> bool:
        """Whether it may take the place of a later release."""
        return bool(self.flags & DOWNGRADE)

    @property
    def keeps_application(self) -> bool:
        """Whether it leaves the application that runs, but for what it brings."""
        return bool(self.flags & KEEPS)

    @property
    def brings_image(self) -> bool:
        """Whether it brings MicroPython's own image."""
        return bool(self.flags & IMAGE)

    def build_for(self, arch: str, machine: str) -> int:
        """Choose the build of a board.

        Args:
            arch: what it runs, as mpy-cross names it.
            machine: what MicroPython says that it runs on: "Generic ESP32 module with ESP32".

        Returns:
            Index of the first one that it runs, NO_BUILD when there is none.
        """
        chip = machine.split(" with ")[-1]
        for number, build in enumerate(self.builds):
            if _runs(arch, build.arch) and (not build.chips or chip in build.chips):
                return number
        return NO_BUILD


def _runs(arch: str, made_for: str) -> bool:
    if arch in _CORTEX_M and made_for in _CORTEX_M:
        return _CORTEX_M.index(made_for) <= _CORTEX_M.index(arch)
    return arch == made_for


def pack_head(head: Head) -> bytes:
    """The bytes behind `read_head`. Allocates.

    Raises:
        FrameError: they would be too many.
    """
    versions = head.oldest + head.newest
    fixed = (FORM, head.flags, head.counter, head.trial_s) + versions + (len(head.builds), 0)
    out = [struct.pack(_HEAD, *fixed), _pack_text(head.version), _pack_text(head.notes)]
    for b in head.builds:
        out.append(_pack_text(b.arch) + _pack_text("\n".join(b.chips)))
        out.append(struct.pack(_BUILD, b.files, b.size_bytes, b.table_bytes, b.digest))
    raw = b"".join(out)
    if len(raw) > HEAD_LIMIT_BYTES:
        raise FrameError("head", "%d bytes, at most %d" % (len(raw), HEAD_LIMIT_BYTES))
    return raw


def read_head(raw: bytes) -> Head:
    """Read a head. Allocates at most some KiB.

    Args:
        raw: all of it and nothing else.

    Raises:
        FrameError: it is none; says what is wrong.
    """
    if not struct.calcsize(_HEAD) <= len(raw) <= HEAD_LIMIT_BYTES:
        raise FrameError("head", "%d bytes" % len(raw))
    form, flags, counter, trial_s, a, b, c, d, count, zero = struct.unpack_from(_HEAD, raw, 0)
    if form != FORM or flags & ~(DOWNGRADE | KEEPS | IMAGE) or flags & (KEEPS | IMAGE) == IMAGE or zero:
        raise FrameError("head", "form %d, flags %d" % (form, flags))
    if not counter or not trial_s or not 1 <= count <= BUILDS_LIMIT:
        raise FrameError("head", "counter %d, %d s of trial, %d builds" % (counter, trial_s, count))
    version, at = _read_text(raw, struct.calcsize(_HEAD))
    notes, at = _read_text(raw, at)
    builds = []
    for _ in range(count):
        arch, at = _read_text(raw, at)
        chips, at = _read_text(raw, at)
        if len(raw) < at + struct.calcsize(_BUILD):
            raise FrameError("head", "cut off")
        files, size, table, digest = struct.unpack_from(_BUILD, raw, at)
        at += struct.calcsize(_BUILD)
        if not 1 <= files <= FILES_LIMIT or size > SIZE_LIMIT_BYTES or flags & IMAGE and not (files == 1 and size):
            raise FrameError("head", "%d files of %d bytes" % (files, size))
        if not files * (ENTRY_HEAD_BYTES + 1) <= table <= files * (ENTRY_HEAD_BYTES + PATH_LIMIT_BYTES):
            raise FrameError("head", "a table of %d bytes" % table)
        builds.append(Build(arch, tuple(chips.split("\n")) if chips else (), files, size, table, digest))
    if at != len(raw):
        raise FrameError("head", "%d bytes too many" % (len(raw) - at))
    if not version:
        raise FrameError("head", "no version")
    return Head(flags, counter, trial_s, (a, b), (c, d), version, notes, builds)


def pack_entry(path: str, size: int, digest: bytes) -> bytes:
    """One file in a table: the bytes behind `read_entry`. Allocates."""
    raw = path.encode()
    return struct.pack(_ENTRY, size, digest, len(raw)) + raw


def read_entry(raw: "Buffer", at: int) -> tuple[str, int, bytes, int]:
    """Read one file of a table. Allocates.

    Args:
        raw: of the table, from `at` on an entry or more.
        at: where it begins.

    Returns:
        (path, size in bytes, SHA-256, where the next one begins).

    Raises:
        FrameError: it is none, or its path leads where no file of an application may be.
    """
    if len(raw) < at + ENTRY_HEAD_BYTES:
        raise FrameError("table", "cut off")
    size, digest, length = struct.unpack_from(_ENTRY, raw, at)
    at += ENTRY_HEAD_BYTES
    name = bytes(raw[at : at + length])
    if len(name) < length or size > SIZE_LIMIT_BYTES:
        raise FrameError("table", "cut off, or a file of %d bytes" % size)
    if not is_path(name):
        raise FrameError("path", "%r" % name)
    return name.decode(), size, digest, at + length


def is_path(raw: bytes) -> bool:
    """Whether bytes name a file that an application may have: within its slot, and none of the slot's marks."""
    if not 1 <= len(raw) <= PATH_LIMIT_BYTES:
        return False
    for byte in raw:
        if not (48 <= byte < 58 or 65 <= byte < 91 or 97 <= byte < 123 or byte in b"-_./"):
            return False
    parts = raw.split(b"/")
    for part in parts:
        if not part or part[0] == 46:  # a dot: hidden, this folder or the one above
            return False
    return len(parts) <= 4 and parts[0].decode() not in MARKS


def _pack_text(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > 255:
        raise FrameError("head", "a text of %d bytes" % len(raw))
    return bytes((len(raw),)) + raw


def _read_text(raw: bytes, at: int) -> tuple[str, int]:
    end = at + 1 + raw[at] if at < len(raw) else at + 1
    if end > len(raw):
        raise FrameError("head", "cut off")
    try:
        return bytes(raw[at + 1 : end]).decode(), end
    except (UnicodeError, ValueError):
        raise FrameError("head", "a text that is no UTF-8")
