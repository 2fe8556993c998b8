"""Locks on boards, so that two runs never share one: the kernel frees them when their holder dies, however it dies.

Knows files; not what a board is. A lock is a file of this machine, which says who holds it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TypedDict

from kittiwake.errors import PortBusyError
from kittiwake.target import posix

_LOOK_S = 0.1
_FOLDER = "kittiwake-locks"


class Holder(TypedDict):
    """Who holds a board: process, its command, and since when (UTC)."""

    pid: int
    command: str
    since: str


class Lock:
    """The lock of one board; as a context manager, it is taken and given back.

    Args:
        board: what is locked, however it is called: a port, `id:SERIAL`, a URL.
        name: of the board, for messages.
    """

    def __init__(self, board: str, name: str):
        self._path = folder() / f"{hashlib.sha256(board.encode()).hexdigest()[:16]}.json"
        self._name = name
        self._descriptor = -1

    def take(self, wait_s: float = 0.0) -> None:
        """Take it, or wait for it.

        Args:
            wait_s: seconds.

        Raises:
            PortBusyError: another has it; the message says who.
            UsageError: this system has no such locks.
        """
        deadline = time.monotonic() + wait_s
        while not self._try():
            if time.monotonic() >= deadline:
                raise self._busy()
            time.sleep(_LOOK_S)

    def try_take(self) -> bool:
        """Take it when it is free.

        Returns:
            Whether it is held now.
        """
        return self._try()

    def release(self) -> None:
        """Give it back. Idempotent."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1

    def holder(self) -> Holder | None:
        """Tell who holds it; None when nobody does."""
        import fcntl

        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None  # what a holder that died has left
        except OSError:
            try:
                holder: Holder = json.loads(os.read(descriptor, 4096))
                return holder
            except ValueError:
                return {"pid": 0, "command": "a program that starts just now", "since": ""}
        finally:
            os.close(descriptor)

    def _try(self) -> bool:
        if self._descriptor >= 0:
            return True
        problem = posix.problem("a lock on a board")
        if problem is not None:
            raise problem
        import fcntl

        descriptor = _opened(self._path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder before may have removed the file between our opening and locking it.
            if os.stat(self._path).st_ino != os.fstat(descriptor).st_ino:
                raise FileNotFoundError(self._path)
        except OSError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        holder: Holder = {"pid": os.getpid(), "command": " ".join(sys.argv)[:500], "since": since}
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        self._descriptor = descriptor
        return True

    def _busy(self) -> PortBusyError:
        holder = self.holder()
        who = f"process {holder['pid']} ({holder['command']}) since {holder['since']}" if holder else "another program"
        return PortBusyError(f"{self._name} is held by {who}", "wait for its end, or take another board")

    def __enter__(self) -> Lock:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def folder() -> Path:
    """Name the folder of the locks, which all users of this machine share; made where it is not there."""
    place = Path(tempfile.gettempdir()) / _FOLDER
    try:
        place.mkdir(mode=0o1777)
        place.chmod(0o1777)  # whatever the umask
    except FileExistsError:
        pass
    return place


def _opened(path: Path) -> int:
    """Open a lock's file. A file of another user's is opened as it is: the kernel refuses to create over it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o666)
        return descriptor
