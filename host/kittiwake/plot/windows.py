"""Labelled windows: which stretches of a series a person called anomalous, from a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from kittiwake.errors import ConfigError, UsageError


def read_windows(path: Path, series_path: Path, times: Sequence[str] | None, count: int) -> list[tuple[int, int]]:
    """Read the windows of one series.

    Args:
        path: JSON: a list of [start, end], or an object of such lists by file name, as the Numenta Anomaly Benchmark's
            combined_windows.json; start and end are sample numbers, or times as they stand in the series' file.
        series_path: of the series; the entry whose name ends like it is taken.
        times: the series' times, one a sample, or None when it has none.
        count: samples of the series.

    Returns:
        (first, last) sample of each window.

    Raises:
        UsageError: the file is not there or names no such series.
        ConfigError: it is not of that form, or a time is not in the series.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", "name a JSON file of windows") from None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} is not JSON: {error}", "give a list of [start, end], or lists by file name"
        ) from error
    if isinstance(content, dict):
        content = _entry(content, path, series_path)
    try:
        pairs = [(first, last) for first, last in content]
    except (TypeError, ValueError):
        raise ConfigError(f"{path}: not a list of [start, end]", "give each window its start and its end") from None
    return [(_index(first, times, count, path), _index(last, times, count, path)) for first, last in pairs]


def _entry(content: dict[str, object], path: Path, series_path: Path) -> object:
    for parts in range(len(series_path.parts), 0, -1):
        name = "/".join(series_path.parts[-parts:])
        if name in content:
            return content[name]
    raise UsageError(f"{path} has no windows of {series_path.name}", "name the file that belongs to this series")


def _index(at: object, times: Sequence[str] | None, count: int, path: Path) -> int:
    if isinstance(at, int):
        return max(0, min(at, count - 1))
    if times is None:
        raise ConfigError(f"{path}: {at!r} is a time, and the series has no column `timestamp`", "give sample numbers")
    moment = _moment(at, path)
    for index, text in enumerate(times):
        if _moment(text, path) >= moment:
            return index
    return count - 1


def _moment(text: object, path: Path) -> datetime:
    try:
        return datetime.fromisoformat(str(text).strip())
    except ValueError:
        raise ConfigError(f"{path}: {text!r} is no time", "give ISO 8601, such as 2014-04-10 07:15:00") from None
