"""A user's script on a target: what it printed, and how it ended. Knows nothing of what the script does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from kittiwake.errors import TargetError
from kittiwake.target.base import Target

# The board prints the mark when the script is through, then the traceback if there is one: what it printed before an
# error is not lost.
_ON_BOARD = """
import sys as _kw_sys
try:
    exec(compile({source!r}, {name!r}, "exec"), {{"__name__": "__main__"}})
    print({mark!r})
except SystemExit as _kw_error:
    print({mark!r})
    if _kw_error.args and _kw_error.args[0]:
        print("SystemExit:", _kw_error.args[0])
except BaseException as _kw_error:
    print({mark!r})
    _kw_sys.print_exception(_kw_error)
"""


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
    output = target.exec(_ON_BOARD.format(source=source, name=name, mark=mark), timeout_s)
    printed, found, rest = output.partition(mark + "\n")
    if not found:
        raise TargetError(f"{target.name} lost the end of {name}'s output", "", output)
    return Outcome(printed, rest.strip())
