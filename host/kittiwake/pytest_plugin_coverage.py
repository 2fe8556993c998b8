"""The pytest plugin's coverage: the lines that ran on boards, as data of coverage.py.

Knows pytest's sessions and coverage.py's data; boards only by the lines that they tell.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kittiwake.errors import UsageError
from kittiwake.hil.traced import Traced, with_silent_lines

if TYPE_CHECKING:
    from coverage import CoverageData

_SILENT = "kittiwake_silent"


class Coverage:
    """Hooks that write what boards told of their lines.

    Args:
        path: of the data's file; it is replaced. A worker's lies beside it until the end of the run.
        worker: of pytest-xdist, which this process is; "" for none.

    Raises:
        UsageError: coverage.py is not installed.
    """

    def __init__(self, path: Path, worker: str):
        try:
            import coverage
        except ImportError as error:
            raise UsageError("coverage.py is not installed", "pip install 'kittiwake[coverage]'") from error
        self._kind = coverage.CoverageData
        self._path, self._worker = path.absolute(), worker
        self._data = self._new(self._path.with_name(f"{path.name}.{worker}") if worker else self._path)
        self._silent: set[str] = set()

    def add(self, board: Traced) -> None:
        """Take in what a board told. In the data its name is the context.

        Args:
            board: stopped.
        """
        if not board.can_trace:
            self._silent.add(board.name)
            return
        self._data.set_context(board.name)
        for file, lines in board.lines.items():
            told = with_silent_lines(file.read_text(encoding="utf-8"), lines)
            self._data.add_lines({str(file): told})  # none, too: a file that never ran is one to see

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the data; the first process of several, when the others have ended, that of all."""
        if self._worker:
            getattr(session.config, "workeroutput")[_SILENT] = sorted(self._silent)  # noqa: B009 (xdist's)
        else:
            for path in sorted(self._path.parent.glob(f"{self._path.name}.gw*")):
                part = self._kind(basename=str(path))
                part.read()
                self._data.update(part)
                part.close()
                path.unlink()
        self._data.write()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear from a worker whose lines are not known."""
        self._silent.update(getattr(node, "workeroutput", {}).get(_SILENT, []))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was measured, and how to see it."""
        for name in sorted(self._silent):
            terminalreporter.write_line(f"{name}: its MicroPython has no sys.settrace, so its lines are not known")
        ran = sum(bool(self._data.lines(file)) for file in self._data.measured_files())
        where = f"coverage report --data-file={self._path}"
        terminalreporter.write_line(f"lines of {ran} files ran on boards: {where}" if ran else "no lines ran on boards")

    def _new(self, path: Path) -> CoverageData:
        path.unlink(missing_ok=True)
        return self._kind(basename=str(path))
