"""Which emulated boards there are, and where their firmwares lie once built: the agreement of builder and target.

Knows folders, names and hashes; not how a firmware is built (tools/micropython does) or run (qemu.py does). Standard
library only: the builder runs it before anything is installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kittiwake.errors import ConfigError, NoDeviceError

# MicroPython's source as Debian packages it; the suite is where the builder looks for it.
SOURCE_PACKAGE = "micropython"
SOURCE_VERSION = "1.25.0+ds-1"
SOURCE_SUITE = "trixie"
# QEMU's source as Debian packages it, before its own changes: it has the tables of the cores that QEMU emulates.
CORE_PACKAGE = "qemu"
CORE_ARCHIVE = "qemu_7.2+dfsg.orig.tar.xz"
CORE_SHA256 = "91aca71520040edc40b8d437aa3004dae614f58e286cf653ee8996c07af2962f"
CORE_SUITE = "bookworm"
# Raise it when the builder makes something else of the same inputs.
_RECIPE = 1

_ROOT = Path(__file__).resolve().parents[3]
_CHECKOUT = _ROOT / "boards"
# What a wheel brings in their place, and where firmwares come from without a checkout: see `installed`.
_WHEEL = Path(__file__).resolve().parents[1] / "_boards"
INSTALLED = "kittiwake_boards"
# The folder of what the boards share, beside theirs.
COMMON = "qemu-common"
# What of a user's MicroPython checkout goes into a firmware.
_CHECKOUT_PARTS = ("py", "extmod", "shared", "ports/qemu", "mpy-cross", "lib/littlefs", "lib/libm", "tools")
# What of QEMU's source is used: the cores' tables and headers, and Berkeley SoftFloat.
CORE_PARTS = ("target/xtensa", "include/hw/xtensa", "tests/fp/berkeley-softfloat-3")
# The folder of a board whose assembler takes the core's tables as a plugin.
PLUGIN = "plugin"


@dataclass(frozen=True)
class Board:
    """One emulated board, as its board.toml describes it.

    Args:
        name: of its folder, e.g. "qemu-virt".
        folder: where its definition is.
        target: its name as a target, e.g. "qemu:virt".
        description: all of board.toml.
    """

    name: str
    folder: Path
    target: str
    description: dict[str, Any]

    @property
    def needs_core(self) -> bool:
        """Whether it is built with tables out of QEMU's source."""
        return (self.folder / PLUGIN).is_dir()


@dataclass(frozen=True)
class Image:
    """A built firmware.

    Args:
        firmware: the ELF file that the emulator loads.
        facts: what the builder wrote down about it: board, source, sha256; of some cores, what assembles for them.
    """

    firmware: Path
    facts: dict[str, Any]


def cache_dir(of: str = "micropython") -> Path:
    """Tell where things are kept that can be made again: in $KITTIWAKE_CACHE, else in the user's cache folder.

    Args:
        of: which things: "micropython" for built firmwares.
    """
    folder = os.environ.get("KITTIWAKE_CACHE")
    if folder:
        return Path(folder).expanduser() / of
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "kittiwake" / of


def is_checkout() -> bool:
    """Whether this package lies in a checkout, which builds its firmwares, and not in a wheel's place."""
    return _CHECKOUT.is_dir()


def boards() -> dict[str, Board]:
    """List the emulated boards of this checkout, or of the wheel that is installed.

    Returns:
        Name -> board, by name.

    Raises:
        ConfigError: a board.toml cannot be read; the mend names it.
    """
    described = {}
    place = _CHECKOUT if _CHECKOUT.is_dir() else _WHEEL
    for path in sorted(place.glob("qemu-*/board.toml")):
        try:
            description = tomllib.loads(path.read_text())
            described[path.parent.name] = Board(
                path.parent.name, path.parent, description["qemu"]["target"], description
            )
        except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
            raise ConfigError(f"{path} does not describe a board: {error}", "mend the file") from error
    return described


def by_target() -> dict[str, Board]:
    """List the emulated boards by their names as targets."""
    return {board.target: board for board in boards().values()}


def traced() -> dict[str, Board]:
    """Describe the images that can tell which lines they run, each by the name of the board that it stands in for."""
    return {
        name: Board(image, board.folder.with_name(image), board.target, board.description)
        for name, board in boards().items()
        if (image := board.description["qemu"].get("traced"))
    }


def every() -> dict[str, Board]:
    """Describe all that is built: the boards, and their images that can tell which lines they run."""
    return {**boards(), **{board.name: board for board in traced().values()}}


def source_id() -> str:
    """Name the MicroPython source that firmwares are built from: Debian's version, or a checkout by MICROPY_DIR.

    A checkout is told by the names, sizes and times of its files: reading them all would take longer than looking.

    Raises:
        ConfigError: MICROPY_DIR is set and is no MicroPython tree.
    """
    folder = os.environ.get("MICROPY_DIR")
    if not folder:
        return f"{SOURCE_PACKAGE}-{SOURCE_VERSION}"
    root = Path(folder).expanduser().resolve()
    if not (root / "ports" / "qemu" / "Makefile").is_file():
        raise ConfigError(f"MICROPY_DIR={folder} has no ports/qemu", "name a checkout of MicroPython, 1.25 or later")
    return _checkout_id(root, _CHECKOUT_PARTS)


def core_source_id() -> str:
    """Name the QEMU source that cores' tables are taken from: Debian's archive, or a tree by QEMU_DIR.

    Raises:
        ConfigError: QEMU_DIR is set and lacks a part that is used.
    """
    folder = os.environ.get("QEMU_DIR")
    if not folder:
        return CORE_SHA256
    root = Path(folder).expanduser().resolve()
    for part in CORE_PARTS:
        if not (root / part).is_dir():
            raise ConfigError(f"QEMU_DIR={folder} has no {part}", "name QEMU's source, 7.2, as it is released")
    return _checkout_id(root, CORE_PARTS)


def _checkout_id(root: Path, parts: tuple[str, ...]) -> str:
    digest = hashlib.sha256(str(root).encode())
    for part in parts:
        for path in sorted((root / part).rglob("*")):
            # What a build of the user's own leaves there is no source.
            if path.is_file() and not any(folder.startswith("build") for folder in path.relative_to(root).parts):
                status = path.stat()
                digest.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return f"checkout-{digest.hexdigest()[:16]}"


def key(board: Board) -> str:
    """Digest everything in this checkout that decides what a board's firmware is, and the source's name.

    Returns:
        16 hexadecimal digits.
    """
    sources = [source_id()] + ([core_source_id()] if board.needs_core else [])
    digest = hashlib.sha256("\0".join([str(_RECIPE), *sources]).encode() + b"\n")
    for folder in (board.folder, board.folder.parent / COMMON):
        for path in sorted(folder.rglob("*")):
            # board.toml and texts are for people and for the target; they do not reach the compiler.
            if path.is_file() and path.suffix not in (".toml", ".md", ".pyc"):
                digest.update(f"{folder.name}/{path.relative_to(folder)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def image_dir(board: Board) -> Path:
    """Name the folder that a board's firmware is built into, whether it is there or not."""
    return cache_dir() / f"{board.name}-{key(board)}"


def installed() -> list[Path]:
    """List the folders that firmwares may have been installed into: by `kittiwake targets --install`, or by pip."""
    places = [cache_dir(INSTALLED)]
    spec = importlib.util.find_spec(INSTALLED)
    if spec is not None and spec.origin is not None:
        places.append(Path(spec.origin).parent)
    return places


def find_image(board: Board) -> Image | None:
    """Look for a board's firmware: in a checkout as built from the present inputs, else as it is installed.

    Returns:
        The image when it is there and whole; None when it has to be built or installed.
    """
    folders = [image_dir(board)] if is_checkout() else [place / board.name for place in installed()]
    return next((image for folder in folders if (image := read_image(folder)) is not None), None)


def read_image(folder: Path) -> Image | None:
    """Read the firmware in a folder.

    Args:
        folder: that holds firmware.elf and build.json.

    Returns:
        The image when it is there and whole, else None.
    """
    try:
        facts = json.loads((folder / "build.json").read_text())
        whole = hashlib.sha256((folder / "firmware.elf").read_bytes()).hexdigest() == facts["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Image(folder / "firmware.elf", facts) if whole else None


def image(board: Board) -> Image:
    """Give a board's firmware.

    Raises:
        NoDeviceError: it has not been built, or is not installed.
    """
    image = find_image(board)
    if image is None:
        if not is_checkout():
            mend = "pip install kittiwake-boards, or `kittiwake targets --install WHEEL`"
            raise NoDeviceError(f"the firmware of {board.target} is not installed", mend)
        raise NoDeviceError(f"the firmware of {board.target} is not built", "run `make boards`")
    return image


def without_emulator(board: Board) -> NoDeviceError:
    """Make the error of a board whose emulator is not installed."""
    qemu = board.description["qemu"]
    mend = "run `make boards`" if is_checkout() else f"sudo apt-get install {qemu['package']}"
    return NoDeviceError(f"{qemu['system']} is not there", mend)
