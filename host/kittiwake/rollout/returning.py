"""Releases that boards may be taken back to: read from their files. It knows no roll-out."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kittiwake.errors import UsageError
from kittiwake.release import container
from kittiwake.rollout.members import Back


def back_to(path: Path) -> Back:
    """Read what boards are to run.

    Args:
        path: of a release's file.

    Raises:
        UsageError: it cannot be read, or may not take the place of a later one.
        VerificationError: it is damaged.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name a release, .kwu") from error
    head = container.read(raw, str(path)).head
    if not head.allows_downgrade:
        raise UsageError(f"{path} may not take the place of a later release", "make it with --downgrade")
    return Back(path.name, head.counter, hashlib.sha256(raw).hexdigest())
