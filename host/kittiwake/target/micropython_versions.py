"""Which versions of MicroPython a board may run: those that every test has been run on. It knows no board."""

from __future__ import annotations

OLDEST, NEWEST = (1, 24), (1, 29)
SUPPORTED = f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}"


def is_too_old(version: str) -> bool:
    """Say whether a version lacks what the firmware needs.

    Args:
        version: as "1.27.0".
    """
    return _number(version) < OLDEST


def is_untried(version: str) -> bool:
    """Say whether a version is newer than all that were tried.

    Args:
        version: as "1.27.0".
    """
    return _number(version) > NEWEST


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
