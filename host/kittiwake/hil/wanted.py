"""The MicroPython that a board of the bench is to have: asked for at its prompt, and flashed where it is not there.

Knows prompt, version and the flashing of boards that go into their loader by themselves.
"""

from __future__ import annotations

from pathlib import Path

from kittiwake.boards import catalog, description
from kittiwake.errors import ConfigError, TargetError
from kittiwake.flash import flashing
from kittiwake.flash.progress import Say
from kittiwake.hil.bench import WantedMicroPython
from kittiwake.target.port import PortTarget

_ASK = "import sys; v = sys.implementation.version; print('.'.join(map(str, v[:3])), *v[3:])"


def bring(port: str, wanted: WantedMicroPython, say: Say, always: bool = False) -> bool:
    """Have a board run what it is to run.

    Args:
        port: of the board, which nobody has open.
        wanted: as the bench says.
        say: is given lines of progress.
        always: flash it whatever it runs.

    Returns:
        Whether it was flashed; what was on it is gone then.

    Raises:
        ConfigError: boards of this kind are not flashed without a hand.
        KittiwakeError: it cannot be flashed, or the image is of another version.
    """
    if not always and version(port) == wanted.version:
        return False
    board = catalog.find(wanted.board)
    if not isinstance(board, description.FlashedBoard) or board.flash.tools != ["esptool"]:
        raise ConfigError(
            f"{wanted.board} is not flashed without a hand at it", "flash it before: see `kittiwake flash --help`"
        )
    flashing.flash(flashing.Flashing(wanted.board, port, Path(wanted.image)), say)
    there = version(port)
    if there != wanted.version:
        runs = f"runs MicroPython {there}" if there else "gives no prompt"
        mend = "mend `version` or `image` in the bench"
        raise TargetError(f"{wanted.image} was flashed, and the board at {port} {runs}, not {wanted.version}", mend)
    return True


def version(port: str) -> str | None:
    """Ask a board for the version of its MicroPython, as "1.28.0" or "1.29.0-preview".

    Args:
        port: of the board, which nobody has open.

    Returns:
        The version; None when no MicroPython answers.

    Raises:
        NoDeviceError, PortBusyError: of the port.
    """
    board = PortTarget(port)
    try:
        board.start()
        return "-".join(board.exec(_ASK).split())
    except TargetError:
        return None
    finally:
        board.stop()
