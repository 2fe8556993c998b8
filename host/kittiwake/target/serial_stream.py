"""A serial port as the REPL wants it: reads that wait so long and no longer, writes of everything.

Knows ports and time; not what the bytes mean.
"""

from __future__ import annotations

import time

from kittiwake.errors import NoDeviceError, PortLostError, TargetError
from kittiwake.ports import serial

_LOOK_S = 0.1


class SerialStream:
    """A serial port as the REPL wants it.

    Args:
        name: as `kittiwake.ports.serial.resolve` takes it.
        baudrate: of the line.

    Raises:
        As `kittiwake.ports.serial.open_port`.
    """

    def __init__(self, name: str, baudrate: int = 115200):
        self._name = name
        self._port = serial.open_blocking(name, baudrate)

    def read(self, timeout_s: float) -> bytes:
        """Wait for bytes.

        Args:
            timeout_s: seconds.

        Returns:
            Them; empty when none came in time.

        Raises:
            PortLostError: the board or its adapter went away.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                data = bytes(self._port.read(65536))
            except TimeoutError:
                data = b""
            except OSError as error:
                raise PortLostError(f"{self._name} was lost: {error}", "plug it in again") from error
            if data or time.monotonic() >= deadline:
                return data

    def write(self, data: bytes, timeout_s: float) -> None:
        """Write all of it; the port's own limit of time applies.

        Args:
            data: bytes.
            timeout_s: not used here.

        Raises:
            TargetError: the board does not take it in time.
            PortLostError: the board or its adapter went away.
        """
        try:
            self._port.write(data)
        except TimeoutError as error:
            raise TargetError(f"{self._name} takes no input", "reset the board") from error
        except OSError as error:
            raise PortLostError(f"{self._name} was lost: {error}", "plug it in again") from error

    def close(self) -> None:
        """Close and unlock it. Idempotent."""
        try:
            self._port.close()
        except OSError:
            pass  # it was unplugged: nothing is left to close


def opened_within(limit_s: float, name: str, baudrate: int) -> SerialStream:
    """Open the port of a board that was just given power: on USB it takes a while to come back.

    Args:
        limit_s: seconds that it may take.
        name: as of `SerialStream`.
        baudrate: likewise.

    Returns:
        The open port.

    Raises:
        NoDeviceError: it does not come back.
    """
    deadline = time.monotonic() + limit_s
    while True:
        try:
            return SerialStream(name, baudrate)
        except NoDeviceError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_LOOK_S)
