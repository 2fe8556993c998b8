"""Start a process that dies with this one, however this one dies.

Knows processes only. Linux: the kernel kills the child (setpriv sets its parent-death signal). Elsewhere the child is
on its own; who starts it must end it.
"""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

# The kernel kills the child when the *thread* that started it ends: so one thread starts them all, and lasts.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kittiwake-start")


def guarded(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own: Ctrl-C in the terminal is for the command, which then ends its children.

    Args:
        command: program and arguments.
        options: as `subprocess.Popen` takes them.

    Returns:
        The process.

    Raises:
        OSError: it cannot be started.
    """
    guard = shutil.which("setpriv")
    if guard:
        command = [guard, "--pdeathsig", "KILL", *command]
    options.setdefault("start_new_session", True)
    return _starter.submit(_start, command, options).result()


def pipe(end: IO[bytes] | None) -> IO[bytes]:
    """Give a pipe of a process that was started with one.

    Args:
        end: its `stdin` or `stdout`.

    Raises:
        ValueError: it was started without.
    """
    if end is None:
        raise ValueError("the process was started without this pipe")
    return end


def _start(command: list[str], options: dict[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, **options)
