"""A user's script on a target: what it printed, and how it ended. Knows nothing of what the script does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from kittiwake import board_code
from kittiwake.errors import TargetError
from kittiwake.target.base import Target


@dataclass(frozen=True)
class Outcome:
    """How a script ended.

    Attributes:
        printed: what it printed.
        traceback: of the exception that ended it; "" when it ended by itself.
    """

    printed: str
    traceback: str


def run(target: Target, source: str, name: str, timeout_s: float) -> Outcome:
    """Run a script on a started target, in a namespace of its own.

    Args:
        target: started.
        source: of the script, in the board's Python.
        name: of the script, for its traceback.
        timeout_s: seconds after which the board is taken to hang.

    Returns:
        The Outcome.

    Raises:
        TargetError: the board died or does not answer.
    """
    mark = f"kw-{secrets.token_hex(8)}"
    target.exec(board_code.source("runs/script"))
    try:
        output = target.exec(board_code.call("run_script", source, name, mark), timeout_s)
    except TargetError as error:
        if "within" not in error.message:
            raise
        raise TargetError(
            f"{name} did not end within {timeout_s:g} s on {target.name}",
            "give it longer with --timeout",
            error.traceback,
        ) from error
    printed, ended, rest = output.partition(mark + "\n")
    if not ended:
        raise TargetError(f"{target.name} lost the end of {name}'s output", "", output)
    return Outcome(printed, rest.strip())
