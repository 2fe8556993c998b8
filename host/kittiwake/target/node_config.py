"""A node's configuration file: TOML, checked by the firmware itself, so that host and board cannot disagree."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from kittiwake.errors import ConfigError, UsageError
from kittiwake.target.base import Target

_CHECK = """
import json
from kittiwake_node import node
from kittiwake_node.config import check
def _check(text):
    config = json.loads(text)
    reason = node.refusal(config)
    print(json.dumps({"refused": reason} if reason else {"config": check(config)}))
"""


def read(path: Path) -> dict:
    """Read a node's configuration.

    Args:
        path: TOML.

    Raises:
        UsageError: it is not there.
        ConfigError: it is no TOML; names the line.
    """
    try:
        # A tenth stays 0.1, as on the board: no setting of a node is a float.
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", "name a node's configuration in TOML") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}") from error


def checked(board: Target, config: dict) -> dict:
    """Let the firmware on a started target check a configuration and fill in its defaults.

    Raises:
        ConfigError: the firmware refuses it; its reason is the message.
    """
    board.exec(_CHECK)
    answer = json.loads(board.exec(f"_check({json.dumps(config)!r})"))
    if "refused" in answer:
        raise ConfigError(answer["refused"])
    return answer["config"]
