"""A node's configuration file: TOML, checked by the firmware itself, so that host and board cannot disagree."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path

from kittiwake import board_code
from kittiwake.config import toml_lines
from kittiwake.errors import ConfigError, UsageError
from kittiwake.target.base import NodeConfig, Target

# How the firmware names a setting, "channels[0].source.kind", and what it says of one that there is not.
_PARTS = re.compile(r"[^.\[\]]+")
_UNKNOWN = "no such setting; there are: "


def read(path: Path) -> NodeConfig:
    """Read a node's configuration.

    Args:
        path: TOML.

    Raises:
        UsageError: it is not there.
        ConfigError: it is no TOML, or holds what JSON and a board cannot; names the line.
    """
    text = _text(path)
    try:
        # A tenth stays 0.1, as on the board: no setting of a node is a float.
        config = tomllib.loads(text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}", "see https://toml.io for the form") from error
    for at, value in _leaves(config):
        if isinstance(value, date | time):  # a datetime is a date
            raise ConfigError(
                f"{path}, line {_line(text, at)}: {_dotted(at)}: a date, and no setting is one", "write it in quotes"
            )
    return config


def checked(board: Target, config: NodeConfig, path: Path | None = None) -> NodeConfig:
    """Let the firmware on a started target check a configuration and fill in its defaults.

    Args:
        board: started.
        config: as it was read.
        path: of its file, whose line at fault is named; None where there is none.

    Returns:
        It, with every setting given.

    Raises:
        ConfigError: the firmware refuses it; its reason is the message.
    """
    board.exec(board_code.source("target/node_config"))
    reply = json.loads(board.exec(board_code.call("print_checked", json.dumps(config))))
    if "refused" in reply:
        raise _refused(reply["refused"], "" if path is None else str(path), "" if path is None else _text(path))
    full: NodeConfig = reply["config"]
    return full


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # editors on Windows begin a file with a mark
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", "name a node's configuration in TOML") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error


def _leaves(value: object, at: toml_lines.Path = ()) -> Iterator[tuple[toml_lines.Path, object]]:
    """Every value that is no table and no list, with its place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*at, number))
    else:
        yield at, value


def _refused(reason: str, name: str, text: str) -> ConfigError:
    """Add to the firmware's reason the line that it is about, and the setting that may be meant."""
    setting, _, detail = reason.partition(": ")
    at: toml_lines.Path = tuple(int(part) if part.isdecimal() else part for part in _PARTS.findall(setting))
    mend = ""
    if detail.startswith(_UNKNOWN) and at:
        near = difflib.get_close_matches(str(at[-1]), detail.removeprefix(_UNKNOWN).split(", "), 1)
        mend = f"did you mean {near[0]}?" if near else ""
    elif " is not one of: " in detail:
        value, _, known = detail.partition(" is not one of: ")
        near = difflib.get_close_matches(value.strip("'"), known.split(", "), 1)
        mend = f"did you mean {near[0]}?" if near else ""
    where = f"{name}, line {_line(text, at)}: " if text and _line(text, at) else f"{name}: " if name else ""
    return ConfigError(f"{where}{reason}", mend)


def _line(text: str, at: toml_lines.Path) -> int:
    """The line of a setting, or of the nearest table that it belongs to; 0 for neither."""
    lines = toml_lines.lines_by_key(text)
    while at and at not in lines:
        at = at[:-1]
    return lines.get(at, 0)


def _dotted(at: toml_lines.Path) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in at).lstrip(".")


def link_kind(config: NodeConfig) -> str:
    """Name the kind of a node's link.

    Args:
        config: of the node, checked or not.

    Returns:
        "stdio", "uart", "mqtt" or a target's own; "stdio" where nothing is said, for that is what a board is given.
    """
    link = config.get("link") or {}
    kind = link.get("kind", "stdio") if isinstance(link, dict) else str(link).partition(":")[0]
    return str(kind)
