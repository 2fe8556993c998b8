"""Files of slots: held against a hash, each other or a release's table, and copied, a bounded piece at a time.

Pure: the file system and the buffer come in as arguments. Each generator yields between two pieces.
"""

from . import manifest, slots

if False:  # for mypy alone
    from collections.abc import Callable, Generator, Iterable

    from kittiwake_types import File, FileSystem, Hash

    from .manifest import Build

    Work = Generator[None, None, None]
    Verdict = Generator[None, None, bool]


TABLE = "table"
SETTINGS = "node.json"
TEMPLATE = "template.json"
_KEYS_LIMIT_BYTES = 4 * 384


class Refusal(Exception):
    """The release cannot be taken: says why."""


def is_whole(
    fs: "FileSystem", path: str, size: int, digest: bytes, sha256: "Callable[[], Hash]", buffer: bytearray
) -> "Verdict":
    """Whether a file on the medium is what a hash says; one that is not there is not.

    Args:
        fs: file system with the slots.
        path: of the file.
        size: bytes that it must have.
        digest: SHA-256 that it must have.
        sha256: makes a hash, as hashlib.sha256.
        buffer: for a piece; written to.
    """
    try:
        file = fs.open(path, "rb")
    except OSError:
        return False
    with file:
        if file.seek(0, 2) != size:
            return False
        file.seek(0)
        sha = sha256()
        while True:
            count = file.readinto(buffer)
            if not count:
                return sha.digest() == digest
            sha.update(memoryview(buffer)[:count])
            yield


def is_same(fs: "FileSystem", path: str, other: str, buffer: bytearray) -> "Verdict":
    """Whether two files have the same content; allocates as much again as the buffer.

    Args:
        fs: file system with the slots.
        path: of a file that is there.
        other: of one that may be.
        buffer: for a piece; written to.

    Raises:
        OSError: of the medium.
    """
    try:
        copy = fs.open(other, "rb")
    except OSError:
        return False
    with copy, fs.open(path, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if copy.read(len(buffer)) != memoryview(buffer)[:count]:
                return False
            if not count:
                return True
            yield


def copy(fs: "FileSystem", path: str, target: str, buffer: bytearray) -> "Work":
    """Copy a file.

    Args:
        fs: file system with the slots.
        path: of a file that is there.
        target: of the copy, whose folder is there.
        buffer: for a piece; written to.

    Raises:
        OSError: of the medium.
    """
    with fs.open(path, "rb") as source, fs.open(target, "wb") as file:
        while True:
            count = source.readinto(buffer)
            if not count:
                return
            file.write(memoryview(buffer)[:count])
            yield


def make_folders(fs: "FileSystem", path: str) -> None:
    """Make the folders that lead to a file.

    Args:
        fs: file system with the slots.
        path: of the file.
    """
    parts = path.split("/")[:-1]
    for end in range(1, len(parts) + 1):
        try:
            fs.mkdir("/".join(parts[:end]))
        except OSError:
            pass  # it is there; where it cannot be made, opening the file says so


def place(path: str) -> str:
    """Where a file of the table lies in its slot: what a board has of its own is added to the settings later."""
    return TEMPLATE if path == SETTINGS else path


def entry(file: "File", at: int) -> "tuple[str, int, bytes, int]":
    """Read a file's entry from the medium; as manifest.read_entry.

    Args:
        file: of the table.
        at: where the entry begins.
    """
    file.seek(at)
    raw = file.read(manifest.ENTRY_HEAD_BYTES + manifest.PATH_LIMIT_BYTES)
    path, size, digest, length = manifest.read_entry(raw, 0)
    return path, size, digest, at + length


def judge(
    fs: "FileSystem",
    file: "File",
    build: "Build",
    target: str,
    kept: "Callable[[set[str]], Iterable[tuple[str, int]]]",
    elsewhere: str,
) -> "Generator[None, None, set[str]]":
    """Hold a table against the head, refuse what has no room, and have strangers leave the slot.

    Args:
        fs: file system with the slots.
        file: of the table.
        build: that the head describes.
        target: the slot that the release goes to.
        kept: called with the places that the release brings; gives path and size of what stays beside them.
        elsewhere: path of a file that takes no room of the file system; "" for none.

    Returns:
        The places that the release brings.

    Raises:
        Refusal: says why.
        FrameError: it is no table.
    """
    stat = fs.statvfs("")
    block, room = stat[0], stat[3]
    yield
    sizes: "dict[str, int]" = {}
    count = total = need = 0
    last = b""
    at = 0
    while at < build.table_bytes:
        path, size, _, at = entry(file, at)
        name = path.encode()
        if name <= last:
            raise Refusal("its table is out of order")
        last = name
        count += 1
        total += size
        if path == elsewhere:
            continue
        sizes[place(path)] = size
        need += 1 + size // block
        if path == manifest.KEYS and not 0 < size <= _KEYS_LIMIT_BYTES:
            raise Refusal("its keys are none, or too many")
        yield
    if count != build.files or total != build.size_bytes:
        raise Refusal("its table does not list what its head says")
    if elsewhere and (sizes or path != elsewhere):
        raise Refusal("it brings something beside MicroPython's image")
    brought = set(sizes)
    for path, size in kept(brought):
        sizes[path] = size
        need += 1 + size // block
        yield
    if elsewhere:
        sizes[slots.IMAGE] = 0
    sizes[TABLE] = build.table_bytes
    need += 1 + build.table_bytes // block
    strangers = []
    for path, size in slots.walk(fs, target):
        blocks = 1 + size // block
        if size == sizes.get(path):
            need -= blocks  # the same file, most likely
        else:
            room += blocks
        if path not in sizes:
            strangers.append(path)
        yield
    if need > room:
        raise Refusal("it takes %d KiB, and %d are free" % (need * block >> 10, max(0, room) * block >> 10))
    for path in strangers:
        slots.remove(fs, target + "/" + path)
        yield
    return brought
