"""What virtual and emulated boards need of the system: pseudo-terminals and file locks, which only POSIX has.

Nothing else imports them at its start, so that commands without such a board run anywhere.
"""

from __future__ import annotations

import importlib

from kittiwake.errors import KittiwakeError, UsageError

_MODULES = ("fcntl", "termios", "tty")


def problem(what: str) -> KittiwakeError | None:
    """Say why a part that needs pseudo-terminals cannot be had here.

    Args:
        what: stands first in the message.

    Returns:
        None when it can; else an error, not raised, with the mend.
    """
    try:
        for name in _MODULES:
            importlib.import_module(name)
    except ImportError:
        return UsageError(f"{what} needs pseudo-terminals, which this system has not", "use Linux, macOS, or WSL")
    return None
