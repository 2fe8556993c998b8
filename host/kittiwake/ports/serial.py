"""Serial ports as byte streams: by path, `id:SERIAL`, `auto`, `socket://HOST:PORT` or `rfc2217://HOST:PORT`.

Knows how to find, lock and open a port, and says in one line why it could not; not what the bytes mean.
"""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from kittiwake.errors import KittiwakeError, NoDeviceError, PortBusyError, PortLostError, UsageError
from kittiwake.ports import rfc2217

# More than this waiting to be written means that the device does not read: try_write then refuses.
WRITE_LIMIT_BYTES = 64 * 1024
_READ_BYTES = 64 * 1024
_OPEN_TIMEOUT_S = 15.0
_URLS = ("socket://", "rfc2217://")
_GONE = (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR)
_FORMS = "use a path, id:SERIAL, auto, socket://HOST:PORT or rfc2217://…"
_BUSY = (errno.EBUSY, errno.EAGAIN)


@dataclass(frozen=True)
class PortInfo:
    """A serial port of this machine: its path, and what the adapter says of itself (None where it says nothing)."""

    path: str
    serial_number: str | None
    product: str | None
    manufacturer: str | None
    vid: int | None
    pid: int | None

    def as_dict(self) -> dict[str, str | int | None]:
        """Give the fields as JSON-ready values."""
        return asdict(self)


class Port:
    """An open port; made by `open_port`. Reads and writes belong to the event loop that opened it.

    Args:
        name: the path or URL, for messages.
        reader, writer: the streams beneath.
    """

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.name = name
        self._reader = reader
        self._writer = writer
        self._lost: PortLostError | None = None

    async def read(self) -> bytes:
        """Wait for bytes.

        Returns:
            At least one byte, as they came.

        Raises:
            PortLostError: the other end went away: unplugged, closed, or dead.
        """
        if self._lost is not None:
            raise self._lost
        try:
            data = await self._reader.read(_READ_BYTES)
        except OSError as error:
            raise self._lose(error) from error
        if not data:
            raise self._lose("the other end closed it")
        return data

    def try_write(self, data: bytes) -> bool:
        """Queue bytes to be written, without waiting.

        Returns:
            False, and nothing was queued, when WRITE_LIMIT_BYTES wait already: the device does not read.

        Raises:
            PortLostError: the other end went away.
        """
        if self._lost is not None:
            raise self._lost
        if self.waiting_bytes > WRITE_LIMIT_BYTES:
            return False
        try:
            self._writer.write(data)
        except OSError as error:
            raise self._lose(error) from error
        return True

    async def write(self, data: bytes) -> None:
        """Write bytes, waiting for room as long as it takes.

        Raises:
            PortLostError: the other end went away.
        """
        while not self.try_write(data):
            await self.drain()

    async def drain(self) -> None:
        """Wait until the queue of bytes to be written has shrunk.

        Raises:
            PortLostError: the other end went away.
        """
        try:
            await self._writer.drain()
        except OSError as error:
            raise self._lose(error) from error

    @property
    def waiting_bytes(self) -> int:
        """Bytes queued and not yet given to the system."""
        return self._writer.transport.get_write_buffer_size()

    async def close(self) -> None:
        """Close the port and free its lock. Idempotent; what is still queued may be dropped."""
        if self._lost is None:
            self._lost = PortLostError(f"{self.name} is closed")
        self._writer.transport.abort()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass  # it was lost before it was closed: that was reported where it was read

    def _lose(self, why: object) -> PortLostError:
        self._lost = PortLostError(f"{self.name} was lost: {why}")
        return self._lost


class BlockingPort(Protocol):
    """An open port whose reads and writes wait, as `open_blocking` gives it."""

    def read(self, size: int, /) -> bytes:
        """Wait for bytes; TimeoutError or fewer than `size` when they do not come in time."""

    def write(self, data: bytes, /) -> int | None:
        """Write all of it; TimeoutError when the port does not take it in time."""

    def close(self) -> None:
        """Close and unlock it."""


async def open_port(name: str, baudrate: int = 115200) -> Port:
    """Open a port and lock it against other programs (flock, as mpremote and esptool take it).

    Bytes that had arrived before are discarded, as a terminal line does when it is set up.

    Args:
        name: as `resolve` takes it.
        baudrate: of the line; without meaning for a socket:// URL or a pseudo-terminal.

    Returns:
        The open port.

    Raises:
        NoDeviceError: it is not there or nothing answers.
        PortBusyError: another program holds it.
        UsageError: the name has no such form.
        KittiwakeError: permission, or not a serial port.
    """
    import serialx  # 60 ms to import: not for commands that open no port

    path = resolve(name)
    options = {"transport_cls": rfc2217.tolerant_transport()} if path.startswith("rfc2217://") else {}
    try:
        async with asyncio.timeout(_OPEN_TIMEOUT_S):
            reader, writer = await serialx.open_serial_connection(path, baudrate=baudrate, exclusive=True, **options)
    except (OSError, ValueError, serialx.SerialException) as error:  # TimeoutError is an OSError
        raise explain(path, error) from error
    return Port(path, reader, writer)


def open_blocking(
    name: str, baudrate: int = 115200, read_timeout_s: float = 0.05, write_timeout_s: float = 10.0
) -> BlockingPort:
    """Open a port for reads and writes that wait, and lock it as `open_port` does; for a board's console.

    Args:
        name: as `resolve` takes it.
        baudrate: of the line.
        read_timeout_s: how long `read(n)` waits for the first byte; it returns what there is then.
        write_timeout_s: how long `write(data)` waits for the port to take all of it.

    Returns:
        An open serial port (`read`, `write`, `close`).

    Raises:
        As `open_port`.
    """
    import serialx

    path = resolve(name)
    try:
        port: BlockingPort = rfc2217.opened(
            path, baudrate=baudrate, exclusive=True, read_timeout=read_timeout_s, write_timeout=write_timeout_s
        )
    except (OSError, ValueError, serialx.SerialException) as error:
        raise explain(path, error) from error
    return port


def resolve(name: str) -> str:
    """Turn a port's name into a path or URL that can be opened now. Ask again after a device was re-plugged.

    Args:
        name: "auto" (the only USB serial port), a path, COMn, "id:SERIAL" (an adapter's serial number), or a URL.

    Returns:
        A path or URL.

    Raises:
        NoDeviceError: auto found none, or no adapter has that serial number.
        UsageError: auto found several, or the URL has a scheme that is not known here.
    """
    if name == "auto":
        boards = [port for port in list_ports() if port.vid is not None]
        if not boards:
            raise NoDeviceError("no USB serial port is plugged in", "plug the board in, or name a port")
        if len(boards) > 1:
            choices = ", ".join(f"id:{port.serial_number}" if port.serial_number else port.path for port in boards)
            raise UsageError("several boards are plugged in", f"name one of {choices}")
        return boards[0].path
    if name.startswith("id:"):
        serial_numbers = {port.serial_number: port.path for port in list_ports() if port.serial_number}
        if name[3:] not in serial_numbers:
            there = ", ".join(sorted(serial_numbers)) or "none"
            raise NoDeviceError(f"no adapter has the serial number {name[3:]!r}", f"plugged in: {there}")
        return serial_numbers[name[3:]]
    if "://" in name and not name.startswith(_URLS):
        raise UsageError(f"{name!r} is not a port", _FORMS)
    # Not a path: what a target is called, most likely. Windows' ports have no slash, and no files.
    if os.name == "posix" and "://" not in name and "/" not in name and not Path(name).exists():
        raise UsageError(f"{name!r} is not a port", _FORMS)
    return name


def list_ports() -> list[PortInfo]:
    """List the serial ports of this machine, in the order of their paths; never opens one."""
    import serialx

    ports = [
        PortInfo(str(info.device), info.serial_number, info.product, info.manufacturer, info.vid, info.pid)
        for info in serialx.list_serial_ports()
    ]
    return sorted(ports, key=lambda port: port.path)


def explain(path: str, error: Exception) -> KittiwakeError:
    """Say in one line why a port could not be opened, and what to do about it."""
    number = getattr(error, "errno", None)
    if path.startswith(_URLS):
        if isinstance(error, ValueError):
            return UsageError(f"{path!r} is not HOST:PORT", "write socket://192.0.2.1:4000, say")
        why = "no answer in time" if isinstance(error, TimeoutError) else getattr(error, "strerror", None) or str(error)
        return NoDeviceError(f"nothing answers at {path}: {why}", "check that the port's server runs there")
    if number in _GONE:
        return NoDeviceError(f"{path} is not there", "plug the board in; `kittiwake ports` lists what is")
    if number in _BUSY:
        return PortBusyError(f"{path} is in use{holder(path)}", "close the other program, then try again")
    if number in (errno.EACCES, errno.EPERM):
        return KittiwakeError(f"no permission to open {path}", _permission_mend(path))
    if number in (errno.ENOTTY, errno.EINVAL, errno.EISDIR):
        return UsageError(f"{path} is not a serial port", "name the board's port; `kittiwake ports` lists them")
    return KittiwakeError(f"{path} could not be opened: {error}", "re-plug the board, then try again")


def holder(path: str) -> str:
    """Name another process that has the port open, locked or not, where /proc tells (Linux, own processes or root).

    Returns:
        " by NAME (process N)", or nothing.
    """
    real = os.path.realpath(path)
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(os.readlink(link) == real for link in (process / "fd").iterdir()):
                return f" by {(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
    return ""


def _permission_mend(path: str) -> str:
    try:
        import grp

        group = grp.getgrgid(os.stat(path).st_gid).gr_name
    except (ImportError, KeyError, OSError):
        return "run as a user who may open it"
    return f"sudo usermod -aG {group} $USER, then log in again"
