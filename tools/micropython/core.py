"""A core's tables as a plugin for Debian's assembler and linker, which know one core of their family by themselves.

Knows binutils' plugin (2.40 and later: XTENSA_GNU_CONFIG) and QEMU's source; not what is compiled with it. The options
and their order are the board's, in its folder `plugin`.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from kittiwake.errors import KittiwakeError
from kittiwake.target import images
from tools.micropython import cache, source

_ASSEMBLER = "xtensa-lx106-elf-as"
_FIRST_VERSION = (2, 40)
_MEND = "install binutils-xtensa-lx106 2.40 or later (Debian 12 has it)"
# The core has windowed registers; the one that the assembler knows by itself has not.
_PROBE = "entry a1, 32\nretw\n"
_TIMEOUT_S = 60


def settings(board: images.Board, folder: Path, say: Callable[[str], None]) -> dict[str, str]:
    """Give what the board's makefile wants to know of its core.

    Args:
        board: with a folder `plugin`.
        folder: the cache, locked.
        say: takes a line of progress.

    Returns:
        XTENSA_TREE, the parts of QEMU's source; XTENSA_PLUGIN, the plugin.

    Raises:
        KittiwakeError: the assembler takes no plugins, or a part cannot be had.
    """
    _check_version()
    tree = source.core_tree(folder, say)
    library = plugin(board.folder / images.PLUGIN, tree, folder)
    _check_plugin(library)
    return {"XTENSA_TREE": str(tree), "XTENSA_PLUGIN": str(library)}


def plugin(options: Path, tree: Path, folder: Path) -> Path:
    """Compile the plugin, unless it was compiled from these files before and is whole.

    Args:
        options: the board's folder `plugin`.
        tree: the parts of QEMU's source.
        folder: the cache, locked.

    Returns:
        The shared object.

    Raises:
        KittiwakeError: it does not compile.
    """
    digest = hashlib.sha256(images.core_source_id().encode())
    for path in sorted(options.rglob("*.[ch]")):
        digest.update(path.read_bytes())
    place = folder / f"plugin-{digest.hexdigest()[:16]}"
    made_before = place / "plugin.so"
    facts = cache.facts(place)
    if facts is None or not made_before.is_file() or _sha256(made_before) != facts["sha256"]:
        with cache.workshop(folder) as work:
            result = work / "made"
            result.mkdir()
            command = ["gcc", "-shared", "-fPIC", "-O1", "-w", "-o", str(result / "plugin.so")]
            command += [f"-I{path}" for path in (options, tree / "target" / "xtensa", tree / "include")]
            finished = _run([*command, *map(str, sorted(options.glob("*.c")))])
            if finished.returncode != 0:
                raise KittiwakeError(f"the core's tables do not compile: {_first_line(finished)}", "set QEMU_DIR right")
            cache.publish(result, place, {"sha256": _sha256(result / "plugin.so")})
    return made_before


def _check_version() -> None:
    if not shutil.which(_ASSEMBLER):
        raise KittiwakeError(f"{_ASSEMBLER} is not there", _MEND)
    title = _first_line(_run([_ASSEMBLER, "--version"]))
    version = re.search(r"(\d+)\.(\d+)\S*$", title)
    if version and tuple(int(part) for part in version.groups()) < _FIRST_VERSION:
        raise KittiwakeError(f"{_ASSEMBLER} {version[0]} takes no core's tables", _MEND)


def _check_plugin(path: Path) -> None:
    environment = dict(os.environ, XTENSA_GNU_CONFIG=str(path))
    finished = _run([_ASSEMBLER, "-o", os.devnull, "-"], _PROBE, environment)
    if finished.returncode != 0:
        raise KittiwakeError(f"{_ASSEMBLER} does not take the core's tables: {_first_line(finished)}", _MEND)


def _run(
    command: list[str], text: str | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    pipe, joined = subprocess.PIPE, subprocess.STDOUT
    try:
        return subprocess.run(
            command, input=text, env=environment, stdout=pipe, stderr=joined, text=True, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KittiwakeError(f"{command[0]} does not run: {error}", "reinstall it") from error


def _first_line(finished: subprocess.CompletedProcess[str]) -> str:
    """The first line that names an error, else the first at all."""
    lines = finished.stdout.strip().splitlines() or ["it printed nothing"]
    return next((line for line in lines if "rror" in line), lines[0]).strip()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
