"""What is to be deployed, read and judged before a board is changed.

Knows configurations, plans and what a board says of itself; not how anything gets onto it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kittiwake.boards import arch, catalog
from kittiwake.errors import ConfigError, UsageError
from kittiwake.target import available, micropython_versions, node_config, open_target
from kittiwake.target.base import Facts, NodeConfig


@dataclass(frozen=True)
class Deployment:
    """What is to be deployed.

    Args:
        target: a port, or the name of a target.
        board: as `kittiwake boards` lists it, for the places of link and journal; "" for the target's own.
        config: TOML; None to keep what the board has.
        models: plans that go with the application.
        start: start the node afterwards, and go back when it does not answer.
        link: the port of the link, when it is not the console's.
    """

    target: str
    board: str = ""
    config: Path | None = None
    models: tuple[Path, ...] = field(default=())
    start: bool = True
    link: str | None = None


def read_config(deployment: Deployment) -> NodeConfig | None:
    """Read the configuration, and have this machine's firmware judge it where it runs here.

    Args:
        deployment: names the file.

    Returns:
        It; None when the board's is to be kept.

    Raises:
        ConfigError: of the file, or of what is in it.
    """
    if deployment.config is None:
        return None
    config = node_config.read(deployment.config)
    # Where the firmware runs on this machine it judges its own configuration before a port is opened; elsewhere the
    # board does, before it is switched.
    if available("unix") is None:
        with open_target("unix") as judge:
            node_config.checked(judge, config, deployment.config)
    return config


def read_models(paths: tuple[Path, ...]) -> dict[str, bytes]:
    """Read plans.

    Args:
        paths: of the files.

    Returns:
        File name -> content.

    Raises:
        UsageError: one cannot be read.
    """
    models = {}
    for path in paths:
        try:
            models[path.name] = path.read_bytes()
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", "name a .kwm file") from error
    return models


def read_kept(text: bytes) -> NodeConfig:
    """Read a configuration that is on a board.

    Args:
        text: of its file.

    Raises:
        ConfigError: it is damaged.
    """
    try:
        config: NodeConfig = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"the board's configuration cannot be read: {error}", "give one with --config") from error
    return config


def read_old(text: bytes | None) -> NodeConfig:
    """Read what the application before has; {} where it has none, or one that is damaged, which is to be replaced.

    Args:
        text: of its file; None for no file.
    """
    try:
        return read_kept(text) if text else {}
    except ConfigError:
        return {}


def check_board(deployment: Deployment, facts: Facts, progress: Callable[[str], None]) -> None:
    """Refuse a board that is too old, or another one; warn of a MicroPython that nobody has tried.

    Args:
        deployment: names the port, and the board if it is known.
        facts: as `Target.facts` gives them.
        progress: is told a warning.

    Raises:
        ConfigError: it cannot be this board, or not with this MicroPython.
    """
    version = facts["implementation"].split()[-1]
    supported = f"{micropython_versions.SUPPORTED} are supported"
    if micropython_versions.is_too_old(version):
        raise ConfigError(f"the board runs MicroPython {version}; {supported}", "flash a later one: `kittiwake flash`")
    if micropython_versions.is_untried(version):
        progress(f"the board runs MicroPython {version}, which has not been tried; {supported}")
    if deployment.board:
        arch = catalog.find(deployment.board).mpy_arch
        if facts["arch"] != arch:
            raise ConfigError(
                f"the board on {deployment.target} is {facts['arch'] or 'without native code'}, "
                f"{deployment.board} is {arch}",
                "name the board that is there, or its port",
            )


def of_board(name: str) -> NodeConfig:
    """Give the places of link and journal on a board.

    Args:
        name: as `kittiwake boards` lists it; "" for none, which has no places.
    """
    if not name:
        return {}
    board = catalog.find(name)
    storage: dict[str, str] = {"kind": board.journal.kind}
    if board.journal.path is not None:
        storage["path"] = board.journal.path
    return {"link": {"kind": board.link.kind}, "storage": storage}


def of_chip(facts: Facts) -> NodeConfig:
    """Give the kernels for a chip whose best ones go into a node by themselves; the firmware's own default elsewhere.

    Those of `xtensa` take the plans of `viper`, and a board that refuses them falls back: nothing has to be chosen.

    Args:
        facts: as `Target.facts` gives them.
    """
    return {"kernel": "xtensa"} if arch.runs("xtensa", facts["arch"], facts["cpu"]) else {}
