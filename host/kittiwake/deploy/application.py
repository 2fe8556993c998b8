"""The application that is on a board: where it lies, the configuration it has, and starting it again.

Knows slots and main.py; not what an application does. For commands that take a board from its node for a while.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from kittiwake import board_code
from kittiwake.deploy.slots import Slots
from kittiwake.errors import ConfigError, KittiwakeError, TargetError, UsageError
from kittiwake.target import names, open_target
from kittiwake.target.base import NodeConfig, Target


@dataclass(frozen=True)
class Application:
    """What a board starts.

    Args:
        slot: its folder; "" where it lies beside main.py.
        version: of the firmware.
        config: of its node; None when there is none.
    """

    slot: str
    version: str
    config: NodeConfig | None


def place(port: str, target: str) -> str:
    """Give the one of both that is named.

    Args:
        port: as `kittiwake ports` lists it, or a URL; "" for none.
        target: as `kittiwake targets` lists it; "" for none.

    Raises:
        UsageError: both are named, or neither; or a target as a port.
    """
    if bool(port) == bool(target):
        raise UsageError("name a port or a target, one of them", "--port /dev/ttyUSB0, say")
    if port in names():
        raise UsageError(f"{port} is not a port", f"name a target with --target {port}")
    return port or target


@contextlib.contextmanager
def borrowed(port: str, target: str) -> Iterator[Target]:
    """Open a board on a port, and start its node again in the end; or a target, which ends then.

    Args:
        port: as `kittiwake ports` lists it, or a URL; "" for none.
        target: as `kittiwake targets` lists it; "" for none.

    Raises:
        UsageError: both are named, or neither.
        KittiwakeError: of the port and the board.
    """
    with open_target(place(port, target)) as board, given_back(board) if port else contextlib.nullcontext():
        yield board


@contextlib.contextmanager
def borrowed_by_name(name: str) -> Iterator[Target]:
    """Open a target of any kind; of a board on a port, start the node again in the end.

    Args:
        name: a port, or a target's.

    Raises:
        KittiwakeError: of the port and the board.
    """
    with borrowed("", name) if name in names() else borrowed(name, "") as board:
        yield board


def kept_config(board: Target) -> NodeConfig:
    """Read the configuration of the application on a board; {} where there is none.

    Args:
        board: at its prompt.

    Raises:
        ConfigError: it is no JSON.
    """
    slots = Slots(board)
    text = slots.read(f"{slots.active}/node.json" if slots.active else "node.json")
    try:
        config: NodeConfig = json.loads(text) if text else {}
    except ValueError as error:
        raise ConfigError(f"the configuration on {board.name} is no JSON: {error}", "deploy one") from error
    return config


@contextlib.contextmanager
def given_back(board: Target) -> Iterator[None]:
    """Start a board's node again in the end, however it comes.

    Args:
        board: at its prompt.
    """
    try:
        yield
    except BaseException:
        # In the middle of an exchange, perhaps; and what went wrong first is what its reader wants to know.
        with contextlib.suppress(KittiwakeError):
            board.interrupt()
            start_again(board)
        raise
    start_again(board)


def find(board: Target) -> Application:
    """Look what a started board would run, and make its modules importable.

    Args:
        board: at its prompt.

    Returns:
        The application.

    Raises:
        KittiwakeError: there is no application on it.
        ConfigError: its configuration is no JSON.
    """
    slots = Slots(board)
    slot = slots.active or ""
    try:
        version = board.exec(board_code.source("deploy/node") + board_code.call("import_node", slot)).strip()
    except TargetError as error:
        why = f"no application starts on {board.name} ({error.last_line})"
        raise KittiwakeError(why, "kittiwake deploy") from error
    return Application(slot, version, kept_config(board) or None)


def start_again(board: Target, watch: bool = False) -> None:
    """Start what the board has, as its next reset would; a board that has nothing stays at its prompt. Idempotent.

    Args:
        board: at its prompt, or running its node.
        watch: as of `Target.start_node`.
    """
    if not board.node_is_running and board.exec("import os; print('main.py' in os.listdir())").strip() == "True":
        board.start_node(watch)
