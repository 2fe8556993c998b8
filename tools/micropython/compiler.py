"""Compile mpy-cross and one board's firmware out of a MicroPython tree that stays untouched.

Knows MicroPython's makefiles; not where the tree came from.
"""

import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from kittiwake.errors import KittiwakeError
from kittiwake.target import images
from tools.micropython import cache, core

# Twice the slowest build seen, on one core of a small machine.
_TIMEOUT_S = 900
_JOBS = str(min(2, os.cpu_count() or 1))


def mpy_cross(tree: Path, folder: Path, say: Callable[[str], None]) -> Path:
    """Build the cross compiler that freezes modules, unless it was built from this source before.

    Args:
        tree: MicroPython's source.
        folder: the cache, locked.
        say: takes a line of progress.

    Returns:
        The program.

    Raises:
        KittiwakeError: it does not compile.
    """
    place = folder / f"mpy_cross-{hashlib.sha256(images.source_id().encode()).hexdigest()[:16]}"
    program = place / "mpy-cross"
    if cache.facts(place) is None or not program.is_file():
        say("building mpy-cross ...")
        with cache.workshop(folder) as work:
            _make(tree / "mpy-cross", work / "build", {}, "mpy-cross")
            result = work / "made"
            result.mkdir()
            (work / "build" / "mpy-cross").rename(result / "mpy-cross")
            cache.publish(result, place, {"source": images.source_id()})
    return program


def firmware(board: images.Board, tree: Path, cross: Path, say: Callable[[str], None]) -> bool:
    """Build one board's firmware and put it in its place in the cache.

    Args:
        board: whose; its folder has mpconfigboard.mk.
        tree: MicroPython's source.
        cross: mpy-cross.
        say: takes a line of progress.

    Returns:
        Whether that is still the firmware that is wanted: not when a source was edited meanwhile.

    Raises:
        KittiwakeError: it does not compile; the message ends with the compiler's own.
    """
    with cache.workshop(images.cache_dir()) as work:
        # Built from a copy, and named after it: an edit in the middle must not get under the name of what it edited.
        for folder in (board.folder, board.folder.parent / images.COMMON):
            shutil.copytree(folder, work / "boards" / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
        copy = dataclasses.replace(board, folder=work / "boards" / board.folder.name)
        settings = {"BOARD": board.name, "BOARD_DIR": str(copy.folder), "MICROPY_MPYCROSS": str(cross)}
        core_settings = core.settings(copy, images.cache_dir(), say) if board.needs_core else {}
        _make(tree / "ports" / "qemu", work / "build", settings | core_settings, board.name)
        made = work / "made"
        made.mkdir()
        (work / "build" / "firmware.elf").rename(made / "firmware.elf")
        facts = {
            "board": board.name,
            "source": images.source_id(),
            "sha256": hashlib.sha256((made / "firmware.elf").read_bytes()).hexdigest(),
            **core_settings,
        }
        cache.publish(made, images.image_dir(copy), facts)
        return images.image_dir(board) == images.image_dir(copy)


def _make(folder: Path, build: Path, settings: dict[str, str], name: str) -> None:
    command = ["make", "-C", str(folder), "-j", _JOBS, f"BUILD={build}"]
    command += [f"{setting}={value}" for setting, value in settings.items()]
    # A make that started this one, or a user's flags, must not reach into the build.
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ("MAKEFLAGS", "MFLAGS", "CFLAGS", "LDFLAGS", "V")
    }
    # MicroPython calls python3; a virtual environment's is as good, and SOURCE_DATE_EPOCH fixes the date it prints.
    clean.setdefault("SOURCE_DATE_EPOCH", "0")
    try:
        finished = subprocess.run(
            command, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise KittiwakeError(
            f"building {name} took more than {_TIMEOUT_S} s", "see what else loads the machine"
        ) from error
    if finished.returncode != 0:
        lines = finished.stdout.splitlines()
        # What make echoes begins with #, and may speak of errors that there are not.
        wrong = (
            line for line in lines if not line.startswith("#") and re.search("error|undefined|dangerous", line, re.I)
        )
        telling = next(wrong, lines[-1] if lines else "make said nothing")
        raise KittiwakeError(f"{name} does not compile: {telling.strip()}", f"see it whole with: {' '.join(command)}")
