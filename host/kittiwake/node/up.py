"""A board that is kept running: emulated or virtual, its console and its link as ports that any program can open.

Knows targets and how a node says that it runs; not who opens the ports.
"""

from __future__ import annotations

from typing import TypedDict

from kittiwake.deploy import starting
from kittiwake.errors import UsageError
from kittiwake.node.relay import Relay
from kittiwake.target import names, open_target
from kittiwake.target.base import NodeConfig, Target
from kittiwake.target.qemu import QemuTarget

# A virtual board has no prompt to leave it at: it runs a node, whose samples are sent to it.
_DEFAULT: NodeConfig = {"device": "kittiwake", "channels": [{"name": "signal", "source": {"kind": "link"}}]}


class Ports(TypedDict):
    """Where a board that is up can be reached; "" for what it has not."""

    target: str
    console: str
    link: str
    device: str


class Up:
    """A board that is up until `stop`; as a context manager, it stops on leaving.

    Args:
        target: its name, one of `kittiwake targets`.
        config: of the node that it runs; None for a board as it comes from its maker: MicroPython, and no file.

    Raises:
        UsageError: it is no target that starts here.
    """

    def __init__(self, target: str, config: NodeConfig | None):
        if target not in names():
            raise UsageError(f"{target} is no virtual or emulated board", f"use one of {', '.join(names())}")
        self._is_emulated = target.startswith("qemu:")
        self._config = config if config is not None or self._is_emulated else _DEFAULT
        options = {"deploy": config is not None} if self._is_emulated else {}
        self._relay: Relay | None = None
        self._board: Target = open_target(target, **options)

    def start(self) -> Ports:
        """Start it, and its node where it has one.

        Returns:
            Where it is reached.

        Raises:
            TargetError, VerificationError: the node does not run; the message says why.
            KittiwakeError: the board does not start.
        """
        board, device = self._board, ""
        board.start()
        if self._config is not None:
            config = {**board.node_overrides(), **self._config}
            board.run_node(config, watch=True)
            device = starting.wait(board, config).device
        if isinstance(board, QemuTarget):
            board.release_console()
            board.set_strap(run_main=True)  # as a board does at each reset
            console, link = board.console_port, board.link_port
        else:
            # The virtual board needs its own end of the line held open, which makes that busy for others.
            self._relay = Relay(board.link_port)
            console, link = "", self._relay.port
        return {"target": board.name, "console": console, "link": link, "device": device}

    def cut_power(self) -> None:
        """Cut its power at this instant, and give it back: it boots by itself, as a board does."""
        if isinstance(self._board, QemuTarget):
            self._board.power_cycle()
        else:
            self._board.cut_power()
            self._board.run_node(self._config or {})

    def check(self) -> None:
        """Raise when it has ended by itself.

        Raises:
            TargetError: the emulator or the virtual board's node has ended.
        """
        if isinstance(self._board, QemuTarget):
            self._board.qmp("query-status")  # which nothing answers any more
        else:
            self._board.check_running()

    def __enter__(self) -> Up:
        return self

    def __exit__(self, *_: object) -> None:
        if self._relay is not None:
            self._relay.close()
        self._board.stop()
