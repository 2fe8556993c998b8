"""Files of slots: held against a hash or against each other, and copied, a bounded piece at a time.

Pure: the file system and the buffer come in as arguments. Each generator yields between two pieces.
"""

if False:  # for mypy alone
    from collections.abc import Callable, Generator

    from kittiwake_types import FileSystem, Hash

    Work = Generator[None, None, None]
    Verdict = Generator[None, None, bool]


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
