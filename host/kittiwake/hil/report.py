"""The report of a run: which test did what on which board, with figures, as JSON; figures against earlier ones.

Knows names and numbers; not pytest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from kittiwake.errors import ConfigError


class Entry(TypedDict):
    """One test on one board; why it failed or was skipped, and what its board printed when it failed.

    `row` is the test's name without board and number of its repeat; `files` is what was kept of the board at a failure,
    as paths from the page's folder.
    """

    test: str
    row: str
    board: str
    micropython: str
    cpu: str
    outcome: str
    seconds: float
    figures: dict[str, float]
    console: str
    why: str
    files: dict[str, str]


class Report(TypedDict):
    """All of a run."""

    tests: list[Entry]


def write(path: Path, report: Report) -> None:
    """Write a report.

    Args:
        path: of the file; it is replaced.
        report: what it holds.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", "name another file") from error


def read_figures(path: Path) -> dict[str, dict[str, float]]:
    """Read the figures of an earlier report.

    Args:
        path: of the file.

    Returns:
        Test -> name -> figure.

    Raises:
        ConfigError: it is no report.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return {entry["test"]: dict(entry["figures"]) for entry in report["tests"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is no report of an earlier run: {error}", "make one with --hil-json") from error


def grown(figures: Mapping[str, float], baseline: Mapping[str, float], percent: float) -> list[str]:
    """List the figures that are larger than they may be.

    Args:
        figures: of a test.
        baseline: of the same test in an earlier run; names that it has not are new and pass.
        percent: by which a figure may have grown.

    Returns:
        A line for each; empty when none has grown by more.
    """
    return [
        f"{name} is {figure:,g}, {100 * (figure - baseline[name]) / baseline[name]:.1f} % more than {baseline[name]:,g}"
        if baseline[name]
        else f"{name} is {figure:,g} and was 0"
        for name, figure in figures.items()
        if name in baseline and figure > baseline[name] * (1 + percent / 100)
    ]
