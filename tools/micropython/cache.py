"""The folder that everything is built into: one builder at a time, and nothing half-made under a final name.

Knows nothing of what is built. A result is made in a temporary folder beside its place and renamed when it is whole,
so a builder that is killed leaves only rubbish, which the next one removes.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from kittiwake.errors import KittiwakeError

_TEMPORARY = "tmp-"
# Of each board: other checkouts and branches share the cache.
_KEEP = 6


@contextlib.contextmanager
def locked(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the cache for one builder; wait while another has it. The system frees the lock when its holder dies.

    Args:
        folder: the cache; made when it is not there.
        say: takes a line of progress.

    Raises:
        KittiwakeError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise KittiwakeError(
            f"{folder} cannot be written: {error.strerror}", "set KITTIWAKE_CACHE to a folder of yours"
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            say("another build is under way; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in folder.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def workshop(folder: Path) -> Iterator[Path]:
    """Give a temporary folder inside the cache, and remove it afterwards."""
    path = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=folder))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def publish(result: Path, place: Path, facts: Mapping[str, Any]) -> None:
    """Give a finished folder its final name, in one step.

    Args:
        result: the folder, inside the cache.
        place: its name from now on; what is there is replaced.
        facts: written beside the result as build.json, last of all.
    """
    (result / "build.json").write_text(json.dumps(facts, indent=1) + "\n")
    result.chmod(0o755)
    if place.exists():
        rubbish = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=place.parent))
        os.rename(place, rubbish / place.name)
        shutil.rmtree(rubbish, ignore_errors=True)
    os.rename(result, place)


def facts(place: Path) -> dict[str, Any] | None:
    """Read what was written down about a result.

    Returns:
        Its facts; None when it is not there or not whole.
    """
    try:
        content: dict[str, Any] = json.loads((place / "build.json").read_text())
    except (OSError, ValueError):
        return None
    return content


def prune(folder: Path) -> None:
    """Remove the oldest results of each board, all but a few."""
    results: dict[str, list[Path]] = {}
    for path in folder.iterdir():
        if path.is_dir() and (path / "build.json").is_file():
            results.setdefault(path.name.rpartition("-")[0], []).append(path)
    for paths in results.values():
        for path in sorted(paths, key=lambda path: path.stat().st_mtime)[:-_KEEP]:
            shutil.rmtree(path, ignore_errors=True)
