"""What verbs that run kernels on a target share: opening it, and which kernels it runs best."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kittiwake.target import Target


def opened(target: str) -> Target:
    """Make a target, one that counts instructions where it is emulated.

    Args:
        target: its name.

    Returns:
        The target, not started.
    """
    from kittiwake.target import open_target

    return open_target(target, **({"count": True} if target.startswith("qemu:") else {}))


def fastest_kernel(board: Target) -> str:
    """Name the kernels that run best on a board.

    Args:
        board: started.
    """
    from kittiwake.boards import arch

    facts = board.facts()
    return arch.fastest_for_networks(facts["arch"], facts["cpu"])
