"""What the firmware on a target refuses, as its programs in board_code print it: "! CODE DETAIL"."""

from __future__ import annotations

from kittiwake.errors import RefusedError

_MARK = "! "


def raise_if_refused(reply: str, by: str = "") -> str:
    """Hand a reply on, unless it is a refusal.

    Args:
        reply: what a program printed.
        by: stands before the firmware's reason, as "unix refuses"; "" for the reason alone.

    Returns:
        The reply, without white space around it.

    Raises:
        RefusedError: it is a refusal.
    """
    text = reply.strip()
    if not text.startswith(_MARK):
        return text
    code, _, detail = text.removeprefix(_MARK).partition(" ")
    reason = f"{code}: {detail}" if detail else code
    raise RefusedError(f"{by}: {reason}" if by else reason, code)
