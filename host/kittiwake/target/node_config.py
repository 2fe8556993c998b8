"""A node's configuration file: TOML, checked by the firmware itself, so that host and board cannot disagree."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from kittiwake import board_code
from kittiwake.errors import ConfigError, UsageError
from kittiwake.target.base import NodeConfig, Target


def read(path: Path) -> NodeConfig:
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


def checked(board: Target, config: NodeConfig) -> NodeConfig:
    """Let the firmware on a started target check a configuration and fill in its defaults.

    Args:
        board: started.
        config: as it was read.

    Returns:
        It, with every setting given.

    Raises:
        ConfigError: the firmware refuses it; its reason is the message.
    """
    board.exec(board_code.source("target/node_config"))
    reply = json.loads(board.exec(board_code.call("print_checked", json.dumps(config))))
    if "refused" in reply:
        raise ConfigError(reply["refused"])
    full: NodeConfig = reply["config"]
    return full


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
