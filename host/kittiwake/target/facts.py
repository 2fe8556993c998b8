"""What a board says of itself at its prompt."""

from __future__ import annotations

import json

from kittiwake import board_code
from kittiwake.target import mpy
from kittiwake.target.base import Facts, Target


def read(board: Target) -> Facts:
    """Ask a board what it is.

    Args:
        board: at its prompt.

    Returns:
        The facts.

    Raises:
        ConfigError: it runs another version of .mpy, or an unknown architecture.
        TargetError: it does not answer.
    """
    board.exec(board_code.source("target/facts"))
    implementation, mpy_word, machine, heap_free, cpuid, hz = json.loads(board.exec("print_facts()"))
    return {
        "implementation": implementation,
        "mpy": mpy_word,
        "arch": mpy.architecture(mpy_word, cpuid),
        "cpu": machine,
        "cpuid": cpuid,
        "mhz": hz / 1e6 or None,
        "heap_free": heap_free,
        "has_storage": True,
    }
