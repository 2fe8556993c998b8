"""Waiting for what other processes and tasks do: until it is so, never for a fixed time."""

import asyncio
import time

LIMIT_S = 20.0


def until(condition, what="what was waited for", limit_s=LIMIT_S, pause_s=0.01):
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


async def until_async(condition, what="what was waited for", limit_s=LIMIT_S, pause_s=0.01):
    """As `until`, while other tasks run."""
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise AssertionError(_message(what, limit_s))
        await asyncio.sleep(pause_s)
    return value


def _message(what, limit_s):
    return f"{what() if callable(what) else what}: not within {limit_s:g} s"
