"""A watchdog that the node has started goes on at the prompt, where nobody feeds it: here it is kept fed.

Knows `machine.WDT` and `machine.Timer`, and in which setting a node says that it has one. Making a WDT once more gives
one that runs another timeout, or leaves it as it is, depending on the port; none of them can be stopped.
"""

from __future__ import annotations

from kittiwake import board_code
from kittiwake.target.base import Target


def keep_fed(board: Target, path: str) -> None:
    """Feed a board's watchdog by a timer, when the node of this configuration has one.

    Args:
        board: at its prompt.
        path: of the node's configuration on it; one that is not there has no watchdog.
    """
    board.exec(board_code.source("deploy/watchdog"))
    board.exec(board_code.call("keep_fed", path))
