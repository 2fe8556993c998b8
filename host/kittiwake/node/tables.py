"""The firmware's tables of settings, asked of the firmware itself. Knows targets; not what a setting means."""

from __future__ import annotations

import json
from typing import Any

from kittiwake import board_code
from kittiwake.target.base import Target

Tables = dict[str, dict[str, Any]]
"""Name of a table -> setting -> default; the names are those of settings.toml."""

# Settings that take the number or the name of a pin, whatever their default is.
PINS = ("pin", "scl", "sda", "sck", "ws", "sd")


def ask(board: Target) -> Tables:
    """Ask a started target.

    Args:
        board: started, the firmware's modules importable.

    Raises:
        TargetError: of the board.
    """
    board.exec(board_code.source("node/tables"))
    tables: Tables = json.loads(board.exec("print_tables()"))
    return tables
