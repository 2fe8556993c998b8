"""A watchdog that the node has started goes on at the prompt, where nobody feeds it: here it is kept fed.

Knows `machine.WDT` and `machine.Timer`, and in which setting a node says that it has one. Making a WDT once more gives
one that runs another timeout, or leaves it as it is, depending on the port; none of them can be stopped.
"""

from __future__ import annotations

from kittiwake.target.base import Target

# The timer dies with the interpreter, so this is done again after each restart. Where a watchdog was not running yet it
# is now, and the node that starts next wants it anyway.
_KEEP_FED = """
def _kw_keep_fed(path):
    global _kw_dog, _kw_feeder
    try:
        import json, machine
        with open(path) as file:
            seconds = json.load(file).get("watchdog_s", 0)
        if seconds:
            try:
                _kw_feeder = machine.Timer(-1)
            except ValueError:
                _kw_feeder = machine.Timer(0)
            _kw_dog = machine.WDT(timeout=1000 * seconds)
            _kw_feeder.init(period=250 * seconds, callback=lambda timer: _kw_dog.feed())
    except (ImportError, OSError, ValueError, AttributeError):
        pass
"""


def keep_fed(board: Target, path: str) -> None:
    """Feed a board's watchdog by a timer, when the node of this configuration has one.

    Args:
        board: at its prompt.
        path: of the node's configuration on it; one that is not there has no watchdog.
    """
    board.exec(_KEEP_FED)
    board.exec(f"_kw_keep_fed({path!r})")
