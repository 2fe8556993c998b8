"""The pytest plugin's numbers: figures of tests into reports, and held against those of an earlier run.

Knows pytest's reports; boards only by what the plugin noted of them.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest

from kittiwake.hil import page
from kittiwake.hil.report import Entry, grown, write
from kittiwake.pytest_plugin_failures import FILE

ROW, TARGET = "test", "target"
_FIGURE = "figure:"
_REPEAT = "__pytest_repeat_step_number"


class Numbers(dict[str, float]):
    """What the fixture `figures` gives: a name of its own, since another project's fixture may have that name, too."""


class Figures:
    """Hooks that note the figures of each test, and fail one whose figures have grown.

    Args:
        baseline: of an earlier run, by test.
        percent: by which a figure may have grown.
    """

    def __init__(self, baseline: Mapping[str, Mapping[str, float]], percent: float):
        self._baseline = baseline
        self._percent = percent

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Run the test, then look at its figures."""
        found = getattr(item, "funcargs", {}).get("figures")
        figures = found if isinstance(found, Numbers) else Numbers()
        try:
            yield
        finally:
            item.user_properties.extend((f"{_FIGURE}{name}", figure) for name, figure in figures.items())
        if worse := grown(figures, self._baseline.get(item.nodeid, {}), self._percent):
            pytest.fail("; ".join(worse), pytrace=False)


class RunReport:
    """Hooks that write the report of the run.

    Args:
        json: of the file with all of it; None for none.
        html: of the page; None for none.
        baseline: of an earlier run, by test.
    """

    def __init__(self, json: Path | None, html: Path | None, baseline: Mapping[str, Mapping[str, float]]):
        self._json, self._html, self._baseline = json, html, baseline
        self._tests: dict[str, Entry] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a step of a test came to."""
        properties = dict(report.user_properties)
        if ROW not in properties:
            return
        entry = self._tests.setdefault(report.nodeid, _entry(report, properties))
        entry["board"] = str(properties.get("board", entry["board"]))
        entry["seconds"] = round(entry["seconds"] + report.duration, 3)
        for key, value in properties.items():
            if key.startswith(_FIGURE) and isinstance(value, int | float):
                entry["figures"][key.removeprefix(_FIGURE)] = value
            elif key.startswith(FILE):
                entry["files"][key.removeprefix(FILE)] = str(value)
        if not report.passed:
            entry["outcome"] = report.outcome
        if report.failed:
            entry["console"] += "\n".join(text for name, text in report.sections if name.startswith("Console of"))
            entry["why"] += report.longreprtext
        elif report.skipped and isinstance(report.longrepr, tuple):
            entry["why"] = report.longrepr[2].removeprefix("Skipped: ")

    def pytest_sessionfinish(self) -> None:
        """Write the files."""
        entries = list(self._tests.values())
        if self._json is not None:
            write(self._json, {"tests": entries})
        if self._html is not None:
            page.write(self._html, entries, self._baseline)


def row_of(item: pytest.Item, board: str) -> str:
    """Name a test without its board, and without the number of its repeat (pytest-repeat).

    Args:
        item: a test that takes a board.
        board: that it was asked for by.
    """
    name, bracket, words = item.nodeid.partition("[")
    parameters: Mapping[str, object] = getattr(item, "callspec").params  # noqa: B009 (pytest does not type it)
    words = words.removesuffix("]")
    if _REPEAT in parameters:
        words = re.sub(r"(^|-)\d+-\d+$", "", words)
    rest = re.sub(rf"(^|-){re.escape(board)}(?=-|$)", "", words, count=1).removeprefix("-")
    return f"{name}[{rest}]" if bracket and rest else name


def _entry(step: pytest.TestReport, properties: Mapping[str, object]) -> Entry:
    return {
        "test": step.nodeid,
        "row": str(properties[ROW]),
        "board": str(properties[TARGET]),
        "micropython": str(properties.get("micropython", "")),
        "cpu": str(properties.get("cpu", "")),
        "outcome": step.outcome,
        "seconds": 0.0,
        "figures": {},
        "console": "",
        "why": "",
        "files": {},
    }
