"""Waiting for what other processes and tasks do: until it is so, never for a fixed time."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIMIT_S = 20.0


def until(
    condition: Callable[[], Any],
    what: str | Callable[[], str] = "what was waited for",
    limit_s: float = LIMIT_S,
    pause_s: float = 0.01,
) -> Any:
    """Wait until a condition holds.

    Args:
        condition: called again and again; may raise what ends the wait.
        what: does not come about, for the message; or a function that says it at that time.
        limit_s: after which it is an error.
        pause_s: between two calls.

    Returns:
        The first true value of the condition.

    Raises:
        AssertionError: it does not hold within the limit.
    """
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(_message(what, limit_s))
        time.sleep(pause_s)
    return value


async def until_async(
    condition: Callable[[], Any],
    what: str | Callable[[], str] = "what was waited for",
    limit_s: float = LIMIT_S,
    pause_s: float = 0.01,
) -> Any:
    """As `until`, while other tasks run."""
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(_message(what, limit_s))
        await asyncio.sleep(pause_s)
    return value


def until_still(path: Path, still_s: float) -> None:
    """Wait until a file has kept its size for so many seconds."""
    size, since = -1, 0.0
    while time.monotonic() - since < still_s:
        if (now := path.stat().st_size) != size:
            size, since = now, time.monotonic()
        time.sleep(0.02)


def _message(what: str | Callable[[], str], limit_s: float) -> str:
    return f"{what() if callable(what) else what}: not within {limit_s:g} s"
