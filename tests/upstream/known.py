"""Which of MicroPython's own tests are known not to pass on which board, and why: `known.toml`."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

_ENTRIES = tomllib.loads(Path(__file__).with_name("known.toml").read_text(encoding="utf-8"))


def why(outcome, board, script):
    """Why a script is "skipped" or "failed" on a board; "" when it is not known to be."""
    for entry in _ENTRIES[outcome]:
        if _matches(board, entry["boards"]) and _matches(script, entry["scripts"]):
            return entry["why"]
    return ""


def failing(board):
    """The scripts that fail on a board."""
    return {script for entry in _ENTRIES["failed"] if _matches(board, entry["boards"]) for script in entry["scripts"]}


def reasons():
    """All that is said why."""
    return {entry["why"] for entries in _ENTRIES.values() for entry in entries}


def _matches(name, patterns):
    return any(fnmatch(name, pattern) for pattern in patterns)
