"""An emulated board with a debugger's port: GDB sees MicroPython's own C code while a script runs.

Knows QEMU's argument for it and how GDB is told where to attach; neither scripts nor GDB's protocol.
"""

from __future__ import annotations

import shlex

from kittiwake.errors import UsageError
from kittiwake.target import images, open_target
from kittiwake.target.base import Target


def open_with_port(name: str, port: int) -> Target:
    """Make an emulated board that waits for a debugger on a port of this machine, and runs meanwhile.

    Args:
        name: of the target.
        port: TCP, on loopback.

    Returns:
        The target, not started.

    Raises:
        UsageError: it is not emulated.
    """
    if not name.startswith("qemu:"):
        raise UsageError(f"{name} has no port for a debugger", "name an emulated board with --target qemu:BOARD")
    return open_target(name, arguments=["-gdb", f"tcp:127.0.0.1:{port}"])


def command(name: str, port: int) -> str:
    """Write the line that starts GDB on such a board.

    Args:
        name: of the target.
        port: as of `open_with_port`.

    Returns:
        A shell's line.
    """
    firmware = next(images.image(board).firmware for board in images.boards().values() if board.target == name)
    return f"gdb-multiarch -ex 'target remote 127.0.0.1:{port}' {shlex.quote(str(firmware))}"
