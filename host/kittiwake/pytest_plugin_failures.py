"""The pytest plugin's failures: what the board of a failed test said, in the report of it, and its state in files.

Knows pytest's reports and what can be kept of a board.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import pytest

from kittiwake.errors import KittiwakeError, TargetError
from kittiwake.hil import state
from kittiwake.hil.board import Board

FILE = "file:"
_CONSOLE_LINES = 64
_NAME_LENGTH = 100


class Failures:
    """Hooks that show of a failed test what its board said.

    Args:
        folder: where a board's state is written after a failure; None for nowhere.
    """

    def __init__(self, folder: Path | None):
        self._folder = folder

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the board's traceback and the end of its console."""
        result = yield
        if call.excinfo is None or not result.failed:
            return result
        error = call.excinfo.value
        if isinstance(error, TargetError) and error.traceback:
            result.sections.append(("What the board said", error.traceback))
        given = getattr(item, "funcargs", {}).values()  # no board that a test opened for itself: it knows what it does
        for board in {id(one): one for one in given if isinstance(one, Board)}.values():
            _add_console(result, board)
            if self._folder is not None:
                stem = re.sub(r"[^\w.-]+", "_", f"{item.nodeid}.{call.when}")[-_NAME_LENGTH:]
                files = state.dump(board, self._folder, stem)
                kept = [(f"{FILE}{what}", f"{self._folder.name}/{name}") for what, name in files.items()]
                item.user_properties.extend(kept)
                result.user_properties.extend(kept)
        return result


def _add_console(result: pytest.TestReport, board: Board) -> None:
    printed = (board.console or _node_text(board)).strip()
    if printed:
        result.sections.append((f"Console of {board.name}", "\n".join(printed.splitlines()[-_CONSOLE_LINES:])))


def _node_text(board: Board) -> str:
    try:
        return board.target.node_text()
    except KittiwakeError:
        return ""
