"""What a board prints that will not: a program's refusal, "! CODE DETAIL", and the prompt of a node that ended."""

from __future__ import annotations

import re

from kittiwake.errors import RefusedError, TargetError

_MARK = "! "
_PROMPT = ">>> "
_LAST_LINES = 12


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


def check_not_at_prompt(text: str, mend: str) -> None:
    """Raise when a program that was started has ended: the friendly prompt is the last that its console said.

    Args:
        text: all that came from the console since the program's start.
        mend: of the error.

    Raises:
        TargetError: with the last lines before the prompt, without MicroPython's banner, as `traceback`.
    """
    lines = text.splitlines()
    if not lines or lines[-1] != _PROMPT:
        return
    printed = [line for line in lines[:-1] if line.strip() and not re.match(r'MicroPython v|Type "help', line)]
    last = printed[-1] if printed else "it printed nothing"
    raise TargetError(f"the node ended: {last}", mend, "\n".join(printed[-_LAST_LINES:]))
