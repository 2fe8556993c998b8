"""The files of a LittleFS partition's image, read and never written. It knows no journal."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

from kittiwake.errors import KittiwakeError, UsageError

if TYPE_CHECKING:
    from littlefs import LittleFS

_MAGIC = b"littlefs"
_MAGIC_AT = 8  # behind the revision and the first tag of the first metadata block
_SIZES_AT = _MAGIC_AT + len(_MAGIC) + 4  # version, block size, block count
_BLOCK_SIZES = tuple(1 << power for power in range(7, 18))
_USUAL = 4096
_FILE_SUFFIX = ".kwj"
_FETCH = "name a journal; `kittiwake journal pull` fetches one"
_LARGEST_BYTES = 1 << 30
_IO_ERROR = -5


def load(path: Path) -> dict[str, bytes | None]:
    """Read every file of an image.

    Args:
        path: of the image, a raw dump of the partition; or of a folder with a journal's files; or of one such file.

    Returns:
        Path within the file system -> content; None stands for a file that LittleFS cannot read.

    Raises:
        UsageError: it is not there, or is no partition with LittleFS on it.
        KittiwakeError: littlefs-python is not installed, or the file cannot be read.
    """
    if path.is_dir():
        return _folder(path)
    if is_part(path):
        return {_place_of(path): _read(path)}
    try:
        size = path.stat().st_size
        if not 0 < size <= _LARGEST_BYTES:
            raise UsageError(f"{path} has {size} bytes", "name a raw dump of a partition")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", _FETCH) from None
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be read: {error.strerror}") from error
    return files_of(raw, str(path))


def _folder(folder: Path) -> dict[str, bytes | None]:
    """The files of a journal that was in a folder of a board's file system: `journal` in it, or that folder itself."""
    root = folder if (folder / "journal").is_dir() else folder.absolute().parent
    inside = [path for name in ("journal", "tail-*") for path in sorted(root.glob(f"{name}/*")) if path.is_file()]
    if root != folder and folder.absolute().name != "journal":
        inside = []
    if not any(path.suffix == _FILE_SUFFIX for path in inside):
        raise UsageError(f"{folder} holds no file of a journal", "name the folder that `journal` and its .kwj are in")
    return {path.relative_to(root).as_posix(): _read(path) for path in inside}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", _FETCH) from None
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be read: {error.strerror}") from error


def _place_of(path: Path) -> str:
    """Where in a journal a file of it stands: its name says so, and a tail's folder."""
    folder = path.absolute().parent.name
    return f"{folder if folder.startswith('tail-') else 'journal'}/{path.name}"


def is_part(path: Path) -> bool:
    """Whether a path names one file of a journal, and not the whole of it.

    Args:
        path: as `load` takes it.
    """
    return path.suffix == _FILE_SUFFIX and not path.is_dir()


def files_of(raw: bytes, name: str) -> dict[str, bytes | None]:
    """Read every file of an image in memory.

    Args:
        raw: the image.
        name: what errors call it.

    Returns:
        As `load`.

    Raises:
        UsageError: as `load`.
        KittiwakeError: littlefs-python is not installed.
    """
    try:
        from littlefs import LittleFS, LittleFSError, UserContext
    except ImportError:
        raise KittiwakeError("littlefs-python is not installed", "pip install 'kittiwake[journal]'") from None

    class Memory(UserContext):
        def __init__(self) -> None:
            self.buffer = bytearray(raw)

        # An image is only read: what would change it fails, as on a medium that is write protected.
        def prog(self, cfg: object, block: int, off: int, data: bytes) -> int:
            return _IO_ERROR

        def erase(self, cfg: object, block: int) -> int:
            return _IO_ERROR

    if not any(raw) or raw.count(0xFF) == len(raw):
        raise UsageError(f"{name} is blank", "the device has not used this partition yet")
    for block_bytes in _candidates(raw):
        try:
            # Mounted apart: the constructor would format what it cannot mount.
            system = LittleFS(
                context=Memory(), mount=False, block_size=block_bytes, block_count=len(raw) // block_bytes
            )
            system.mount()
        except LittleFSError:
            continue
        return _read_all(system, LittleFSError)
    raise UsageError(f"{name} has no LittleFS", "name a raw dump of the whole partition that the journal is in")


def _candidates(raw: bytes) -> list[int]:
    """Sizes that a block may have: what the superblock says first, for one of its two copies may be half written."""
    stated = []
    for start in (0, *_BLOCK_SIZES):
        if raw[start + _MAGIC_AT : start + _SIZES_AT - 4] == _MAGIC and len(raw) >= start + _SIZES_AT + 12:
            stated.append(struct.unpack_from("<I", raw, start + _SIZES_AT + 4)[0])
    usual = [_USUAL, *_BLOCK_SIZES]
    sizes = [size for size in dict.fromkeys(stated + usual) if size in _BLOCK_SIZES]
    return [size for size in sizes if len(raw) % size == 0 and len(raw) >= 2 * size]


def _read_all(system: LittleFS, error_type: type[Exception]) -> dict[str, bytes | None]:
    contents: dict[str, bytes | None] = {}
    for folder, _, names in system.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}".lstrip("/")
            try:
                with system.open(path, "rb") as file:
                    contents[path] = file.read()
            except error_type:
                contents[path] = None
    return contents
