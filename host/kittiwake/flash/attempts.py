"""Trying again at a lower speed where the line may be at fault.

Knows speeds and which errors another try may mend; not tools.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from kittiwake.errors import KittiwakeError, PortBusyError, PortLostError, UsageError
from kittiwake.flash.progress import Progress

# Another try changes nothing about these.
_FINAL = (PortLostError, PortBusyError, UsageError)


class Attempt(TypedDict):
    """How often something was tried: `baudrate` that it was done at, and `tries`."""

    baudrate: int
    tries: int


def run(once: Callable[[int], KittiwakeError | None], baudrate: int, slow_baudrate: int, progress: Progress) -> Attempt:
    """Try at one speed, then at a slower one.

    Args:
        once: takes a baudrate; gives None when it is done, else what went wrong.
        baudrate: of the first try.
        slow_baudrate: of the second; there is none when the first is as slow.
        progress: told of the second try.

    Returns:
        `baudrate` that it was done at, and `tries`.

    Raises:
        KittiwakeError: what `once` gave last.
    """
    error = once(baudrate)
    if error is None:
        return {"baudrate": baudrate, "tries": 1}
    if baudrate <= slow_baudrate or isinstance(error, _FINAL):
        raise error
    progress.enter(f"trying again at {slow_baudrate} baud, since at {baudrate} it failed {progress.where}")
    error = once(slow_baudrate)
    if error is not None:
        raise error
    return {"baudrate": slow_baudrate, "tries": 2}
