"""The pytest plugin's numbers: figures of tests into reports, and held against those of an earlier run.

Knows pytest's reports; boards only by what the plugin noted of them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path

import pytest

from kittiwake.hil.report import Entry, grown, write

_FIGURE = "figure:"


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


class JsonReport:
    """Hooks that write the report of the run.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path):
        self._path = path
        self._tests: dict[str, Entry] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in what a step of a test came to."""
        properties = dict(report.user_properties)
        if "board" not in properties:
            return
        entry = self._tests.setdefault(report.nodeid, _entry(report, properties))
        entry["seconds"] = round(entry["seconds"] + report.duration, 3)
        for key, value in properties.items():
            if key.startswith(_FIGURE) and isinstance(value, int | float):
                entry["figures"][key.removeprefix(_FIGURE)] = value
        if not report.passed:
            entry["outcome"] = report.outcome
        if report.failed:
            entry["console"] += "\n".join(text for name, text in report.sections if name.startswith("Console of"))
            entry["why"] += report.longreprtext
        elif report.skipped and isinstance(report.longrepr, tuple):
            entry["why"] = report.longrepr[2].removeprefix("Skipped: ")

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        write(self._path, {"tests": list(self._tests.values())})


def _entry(step: pytest.TestReport, properties: Mapping[str, object]) -> Entry:
    return {
        "test": step.nodeid,
        "board": str(properties["board"]),
        "micropython": str(properties.get("micropython", "")),
        "cpu": str(properties.get("cpu", "")),
        "outcome": step.outcome,
        "seconds": 0.0,
        "figures": {},
        "console": "",
        "why": "",
    }
