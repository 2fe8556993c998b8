"""A board that prints more than anybody wants: the error that says so, with the end of what it printed."""

from __future__ import annotations

from kittiwake.errors import TargetError

_LAST_LINES = 12


def flood(name: str, limit_bytes: int, printed: bytes) -> TargetError:
    """Make the error of code that printed too much.

    Args:
        name: of the board, for the message.
        limit_bytes: what it was allowed.
        printed: what came.

    Returns:
        The error, not raised; the last lines are its `traceback`.
    """
    return TargetError(
        f"code on {name} printed more than {limit_bytes:,} bytes", "print less, or raise the limit", last_lines(printed)
    )


def last_lines(printed: bytes) -> str:
    """Give the end of what a board printed, as text.

    Args:
        printed: all that came.
    """
    return "\n".join(printed[-4096:].decode(errors="replace").splitlines()[-_LAST_LINES:])
