"""What each setting of node.toml means, in words; what it may be is the firmware's to say."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any


def read() -> dict[str, dict[str, Any]]:
    """Read the meanings.

    Returns:
        Table -> setting -> its meaning, or a table of `meaning` and `unit`.
    """
    return tomllib.loads(resources.files(__package__).joinpath("settings.toml").read_text(encoding="utf-8"))


def words(entry: str | dict[str, str]) -> str:
    """Give a setting's meaning as plain text.

    Args:
        entry: one of those that `read` gives.
    """
    text = entry if isinstance(entry, str) else f"{entry['unit']}: {entry['meaning']}"
    return text.replace("`", "")
