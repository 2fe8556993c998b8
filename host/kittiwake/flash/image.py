"""An image file that is fit for a board, or one line that says why it is not.

Knows files, digests and which check belongs to which board; not tools or ports.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from kittiwake.boards.description import FlashedBoard
from kittiwake.errors import ConfigError, UsageError, VerificationError
from kittiwake.flash import esp_image, formats, stm32_image
from kittiwake.flash.formats import Piece

_LISTS = ("SHA256SUMS", "sha256sums.txt", "SHA256SUMS.txt")
# As sha256sum writes it, and BSD's form.
_LINE = re.compile(r"^([0-9a-fA-F]{64})(?: [ *](.+))?$|^SHA256 \((.+)\) = ([0-9a-fA-F]{64})$")
_LARGEST_BYTES = 64 << 20


@dataclass(frozen=True)
class Image:
    """A checked image.

    Args:
        path: the file.
        kind: "bin", "dfu" or "hex".
        pieces: what belongs where, by address.
        sha256: of the file, hexadecimal.
        listed_in: the manifest that has this digest; None when there is none.
    """

    path: Path
    kind: str
    pieces: tuple[Piece, ...]
    sha256: str
    listed_in: Path | None

    @property
    def size(self) -> int:
        """Bytes that are written."""
        return sum(len(piece.data) for piece in self.pieces)


def read(path: Path, board: FlashedBoard, offset: int | None = None, manifest: Path | None = None) -> Image:
    """Read an image and check that it is for the board, whole, and what its manifest says.

    Args:
        path: the file.
        board: one that is flashed.
        offset: where a .bin is to be written, instead of where the board's file says.
        manifest: a list as sha256sum writes it; without it, FILE.sha256 and SHA256SUMS beside the file are looked for.

    Raises:
        UsageError: there is no such file, or the manifest does not list it.
        ConfigError: wrong format, board, chip or offset.
        VerificationError: cut off, damaged, or another digest than the manifest's.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ConfigError(f"{path} is too large for any board", "name the image")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", f"get one from {board.download_url}") from error
    digest = hashlib.sha256(content).hexdigest()
    listed_in = _check_digest(path, digest, manifest)
    kind, pieces = formats.pieces(content, path.name, board.flash.offset if offset is None else offset)
    if kind not in board.flash.images:
        raise ConfigError(
            f"{path.name} is a .{kind} file, and {board.name} takes {' or '.join(board.flash.images)}",
            f"get one from {board.download_url}",
        )
    if not pieces:
        raise VerificationError(f"{path.name} holds no data", "download it again")
    if board.flash.tools == ["esptool"]:
        esp_image.check(pieces[0], board, path.name)
    else:
        stm32_image.check(pieces, board, path.name)
    return Image(path, kind, tuple(pieces), digest, listed_in)


def _check_digest(path: Path, digest: str, manifest: Path | None) -> Path | None:
    if manifest is not None:
        stated = _stated(manifest, path.name)
        if stated is None:
            raise UsageError(f"{manifest} does not list {path.name}", "name the manifest that came with the image")
        _compare(path, digest, stated, manifest)
        return manifest
    for beside in (path.with_name(path.name + ".sha256"), *(path.with_name(name) for name in _LISTS)):
        stated = _stated(beside, path.name) if beside.is_file() else None
        if stated is not None:
            _compare(path, digest, stated, beside)
            return beside
    return None


def _compare(path: Path, digest: str, stated: str, manifest: Path) -> None:
    if digest != stated:
        raise VerificationError(
            f"{path.name} has SHA-256 {digest[:16]}…, and {manifest.name} says {stated[:16]}…", "download it again"
        )


def _stated(manifest: Path, name: str) -> str | None:
    try:
        lines = manifest.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{manifest} cannot be read: {error}", "name a list as sha256sum writes it") from error
    for line in lines:
        match = _LINE.match(line.strip())
        if match:
            plain, listed, bsd_listed, bsd = match.groups()
            listed = listed or bsd_listed
            # A digest alone is of the file that the manifest is named after.
            if listed is None or Path(listed).name == name:
                digest: str = plain or bsd
                return digest.lower()
    return None
