"""MicroPython's unix port on this machine: where its program is, and whether it can be a board.

Knows names of programs and what one says of itself; runs nothing of ours on it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from kittiwake import board_code
from kittiwake.errors import KittiwakeError, NoDeviceError
from kittiwake.target import micropython_versions

_VARIABLE = "KITTIWAKE_MICROPYTHON"
_TIMEOUT_S = 20
_MEND = (
    "install kittiwake[demo] where a wheel of it exists (Linux x86-64, macOS arm64), elsewhere put micropython "
    f"{micropython_versions.OLDEST[0]}.{micropython_versions.OLDEST[1]} or later on PATH (Debian 13: apt-get install "
    f"micropython), or name one in {_VARIABLE}"
)


def find_micropython() -> str | None:
    """Find the program: KITTIWAKE_MICROPYTHON, beside this Python (where the wheel puts it), or on PATH.

    Returns:
        Its path, or None.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        return shutil.which(named)
    beside = os.pathsep.join([str(Path(sys.executable).parent), str(Path(sys.prefix) / "bin")])
    return shutil.which("micropython", path=beside) or shutil.which("micropython")


def program() -> str:
    """Give the program's path.

    Raises:
        NoDeviceError: it is not there.
    """
    path = find_micropython()
    if path is None:
        raise _absent()
    return path


def problem() -> KittiwakeError | None:
    """Say why it cannot be a board: it is absent, not MicroPython, or without LittleFS.

    Returns:
        An error, not raised, with the mend; None when it can.
    """
    path = find_micropython()
    if path is None:
        return _absent()
    probe = board_code.source("target/probe") + "print_probe()"
    try:
        probed = subprocess.run([path, "-c", probe], capture_output=True, text=True, timeout=_TIMEOUT_S)
        version, has_littlefs = json.loads(probed.stdout)
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired):
        return NoDeviceError(f"{path} is not a MicroPython that runs here", _MEND)
    if not has_littlefs:
        number = ".".join(str(part) for part in version)
        return NoDeviceError(f"{path} (MicroPython {number}) has no vfs.VfsLfs2", _MEND)
    return None


def _absent() -> NoDeviceError:
    named = os.environ.get(_VARIABLE)
    problem = f"{_VARIABLE} names {named!r}, which is" if named else "MicroPython's unix port is"
    return NoDeviceError(f"{problem} not there", _MEND)
