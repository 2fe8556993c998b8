"""Whether a node runs that was just started: its console says so, and its link answers where that is at hand.

Knows what a node says when it runs, and which links can be asked from here; not what was deployed.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from kittiwake.errors import VerificationError
from kittiwake.ports import survey
from kittiwake.target.base import NodeConfig, Target
from kittiwake.target.node_config import link_kind

LIMIT_S = 30.0
# What firmware/kittiwake_node/node.py prints after its first turn; frames may come before it on the same console.
_RUNS = re.compile(r"kittiwake: (\S+) runs[\r\n]")
_LOOK_S, _STAYS_S = 0.05, 0.5


@dataclass(frozen=True)
class Running:
    """A node that runs.

    Args:
        device: its name.
        answers: whether its link was asked and answered; else its console alone says that it runs.
        kind: of its link.
    """

    device: str
    answers: bool
    kind: str


def wait(board: Target, config: NodeConfig, limit_s: float | None = None) -> Running:
    """Wait until a node that was just started, watched, runs; the console is free afterwards.

    Args:
        board: its `start_node` or `run_node` was called, with `watch`.
        config: of that node.
        limit_s: seconds for its console, and again for its link; None for LIMIT_S.

    Raises:
        TargetError: it has ended; `traceback` is what it printed.
        VerificationError: it says nothing, or its link does not answer.
        KittiwakeError: of the port.
    """
    limit_s = LIMIT_S if limit_s is None else limit_s
    kind = link_kind(config)
    try:
        device = _heard(board, limit_s)
    finally:
        board.release_console()
    # A broker is asked by nobody from here; nor is a UART whose other end is not known.
    can_ask = kind != "mqtt" and board.has_own_link == (kind != "stdio")
    if can_ask:
        name = survey.wait_for_node(board.link_port, limit_s, board.check_running)
        if name is None:
            runs = f"{device} runs, and" if device else "the node"
            raise VerificationError(f"{runs} does not answer on its link, {board.link_port}", "look at its wires")
        return Running(name, True, kind)
    if not device:
        why = "the node was started and does not say that it runs, and its link cannot be asked from here"
        raise VerificationError(f"{why} ({kind})", "look at its console; name the link's port with --link")
    return Running(device, False, kind)


def _heard(board: Target, limit_s: float) -> str:
    """The device's name once its console gives it, and it has not ended at once; "" when it says nothing."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        board.check_running()
        match = _RUNS.search(board.node_text())
        if match:
            until = time.monotonic() + _STAYS_S
            while time.monotonic() < until:
                board.check_running()
                time.sleep(_LOOK_S)
            return match[1]
        time.sleep(_LOOK_S)
    return ""
