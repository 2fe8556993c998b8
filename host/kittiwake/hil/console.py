"""A board's console in the hands of another program, which writes what it likes and reads what the board prints.

Knows consoles; not what is said on them, and not which program it is.
"""

from __future__ import annotations

from kittiwake.errors import UsageError
from kittiwake.hil.board import Board
from kittiwake.ports import serial
from kittiwake.target.port import PortTarget
from kittiwake.target.qemu import QemuTarget
from kittiwake.target.serial_stream import SerialStream

_SOFT_RESET = b"\r\x04"
_WRITE_S = 10.0


def lend(board: Board) -> str:
    """Leave a started board at its friendly prompt and let its console go, until `start` or `reset`.

    Args:
        board: started.

    Returns:
        Path or URL of the console's port.

    Raises:
        UsageError: it has no console that others could use.
    """
    target = board.target
    if isinstance(target, QemuTarget):
        target.release_console()
        return target.console_port
    if isinstance(target, PortTarget):
        PortTarget.stop(target)  # not the end of the visit: what is on the board stays
        return serial.resolve(target.name)
    raise UsageError(f"{board.name} has no console for others", "name an emulated board, or one on a port")


class Console:
    """A board's console, lent and opened.

    Args:
        board: started; nothing else may be asked of it until `close`.

    Raises:
        UsageError: as of `lend`.
        KittiwakeError: its port cannot be opened.
    """

    def __init__(self, board: Board):
        self._board = board
        self._stream = SerialStream(lend(board))

    def read(self, timeout_s: float) -> bytes:
        """Wait for bytes.

        Args:
            timeout_s: seconds.

        Returns:
            Them; empty when none came in time.
        """
        return self._stream.read(timeout_s)

    def write(self, data: bytes) -> None:
        """Write all of it.

        Args:
            data: bytes; a line ends with a carriage return.
        """
        self._stream.write(data, _WRITE_S)

    def run_main(self) -> None:
        """Restart the interpreter, so that the board runs its main.py; what it prints is read like all else."""
        if isinstance(self._board.target, QemuTarget):
            self._board.target.set_strap(run_main=True)
        self.write(_SOFT_RESET)

    def close(self) -> None:
        """Close the port; `start` or `reset` takes the board back. Idempotent."""
        self._stream.close()
