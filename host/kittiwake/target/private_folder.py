"""A folder for one board's files that does not outlive its owner: removed at the end, or by the next who makes one.

Knows folders and locks; not what lies in them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path

from kittiwake.target import posix

_STALE_S = 60  # a folder younger than this may not be locked yet


def private_folder(owner: object, prefix: str) -> tuple[Path, int]:
    """Make a folder for one board's files, and remove those whose owners died without doing so.

    Args:
        owner: when it is collected, the folder goes.
        prefix: of the folder's name; all that begin with it are made here.

    Returns:
        The folder, and a descriptor that holds its lock until it is closed; -1 on a system without such locks.
    """
    if posix.problem("") is not None:
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
        return folder, -1
    import fcntl

    remove_stale(Path(tempfile.gettempdir()), prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder, lock


def remove_stale(parent: Path, prefix: str) -> None:
    """Remove the folders whose owners are gone.

    Args:
        parent: where they lie.
        prefix: of their names.
    """
    import fcntl

    for folder in parent.glob(f"{prefix}*"):
        try:
            if time.time() - folder.stat().st_mtime < _STALE_S:
                continue
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # somebody else's, or going away just now
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # its owner lives
        finally:
            os.close(lock)
