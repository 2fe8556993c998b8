"""Ports over a pty, a TCP socket and RFC 2217, and every way in which opening one fails."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
import threading
import tty

import pytest
from serial import rfc2217

from kittiwake.errors import KittiwakeError, NoDeviceError, PortBusyError, PortLostError, UsageError
from kittiwake.ports import serial

ALL_BYTES = bytes(range(256)) * 64


class _PtyEcho:
    """Echoes what is written to the slave, until it vanishes."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.url = os.ttyname(self.slave)
        self._thread = threading.Thread(target=self._echo, daemon=True)
        self._thread.start()

    def _echo(self):
        try:
            while data := os.read(self.master, 4096):
                while data:
                    data = data[os.write(self.master, data) :]
        except OSError:
            pass  # the test closed its end


class _TcpEcho:
    def __init__(self, handler):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.scheme = "socket"
        self._handler = handler
        self.connection = None
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server.getsockname()[1]}"

    def _serve(self):
        try:
            self.connection, _ = self.server.accept()
            self._handler(self.connection)
        except OSError:
            pass  # the test closed its end

    def vanish(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.server.close()


def _plain(connection):
    while data := connection.recv(4096):
        connection.sendall(data)


def _rfc2217(connection):
    """Serve as esptool's server does: on pyserial's PortManager, which confirms no state masks."""

    class Line:
        """A serial line that has modem lines and settings, and is not there."""

        cts = dsr = ri = cd = True
        rts = dtr = break_condition = rtscts = xonxoff = False
        baudrate, bytesize, parity, stopbits = 9600, 8, "N", 1

        def reset_input_buffer(self):
            pass

        def reset_output_buffer(self):
            pass

    class Peer:
        def write(self, data):
            connection.sendall(data)

    manager = rfc2217.PortManager(Line(), Peer())
    while data := connection.recv(4096):
        payload = b"".join(manager.filter(data))
        if payload:
            connection.sendall(b"".join(manager.escape(payload)))


@pytest.fixture(params=["pty", "socket", "rfc2217"])
def echo(request):
    if request.param == "pty":
        peer = _PtyEcho()
    else:
        peer = _TcpEcho(_plain if request.param == "socket" else _rfc2217)
        peer.scheme = request.param
    return peer


def test_port_echo_gives_every_byte_back(echo):
    async def main():
        port = await serial.open_port(echo.url)
        try:
            writer = asyncio.create_task(_write_in_pieces(port))
            got = b""
            while len(got) < len(ALL_BYTES):
                got += await asyncio.wait_for(port.read(), 10)
            await writer
        finally:
            await port.close()
        return got

    async def _write_in_pieces(port):
        for start in range(0, len(ALL_BYTES), 1000):
            await port.write(ALL_BYTES[start : start + 1000])

    assert asyncio.run(main()) == ALL_BYTES


@pytest.mark.parametrize("handler", [_plain, _rfc2217])
def test_port_whose_peer_closes_raises_port_lost(handler):
    peer = _TcpEcho(handler)
    peer.scheme = "socket" if handler is _plain else "rfc2217"

    async def main():
        port = await serial.open_port(peer.url)
        await port.write(b"x")
        assert await port.read() == b"x"
        peer.vanish()
        with pytest.raises(PortLostError, match="was lost"):
            await asyncio.wait_for(port.read(), 10)
        with pytest.raises(PortLostError):
            port.try_write(b"y")
        with pytest.raises(PortLostError):
            await port.read()
        await port.close()
        await port.close()

    asyncio.run(main())


def test_port_whose_pty_master_closes_raises_port_lost():
    master, slave = os.openpty()
    tty.setraw(slave)

    async def main():
        port = await serial.open_port(os.ttyname(slave))
        os.close(slave)
        os.write(master, b"last words")
        assert await asyncio.wait_for(port.read(), 10) == b"last words"
        os.close(master)
        with pytest.raises(PortLostError):
            await asyncio.wait_for(port.read(), 10)
        await port.close()

    asyncio.run(main())


def test_port_try_write_to_a_device_that_does_not_read_refuses_and_stays_bounded():
    master, slave = os.openpty()
    tty.setraw(slave)

    async def main():
        port = await serial.open_port(os.ttyname(slave))
        taken = 0
        while port.try_write(b"x" * 1024):
            taken += 1024
            assert taken < 4 * serial.WRITE_LIMIT_BYTES
        assert port.waiting_bytes <= serial.WRITE_LIMIT_BYTES + 1024
        await port.close()

    asyncio.run(main())
    os.close(master)
    os.close(slave)


def test_port_opened_twice_is_busy_and_free_again_after_close():
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)

    async def main():
        port = await serial.open_port(path)
        with pytest.raises(PortBusyError, match="in use"):
            await serial.open_port(path)
        await port.close()
        await (await serial.open_port(path)).close()

    asyncio.run(main())
    os.close(master)
    os.close(slave)


def test_port_held_by_another_process_names_it():
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    code = (
        "import fcntl, os, sys\n"
        f"fd = os.open({path!r}, os.O_RDWR | os.O_NOCTTY)\n"
        "fcntl.flock(fd, fcntl.LOCK_EX)\nprint('held', flush=True)\nsys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(PortBusyError, match=f"process {holder.pid}") as caught:
            asyncio.run(serial.open_port(path))
        assert caught.value.exit_code == 4
    finally:
        holder.communicate()
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("/dev/ttyNOT_THERE", NoDeviceError, "/dev/ttyNOT_THERE is not there"),
        ("/dev/null", UsageError, "is not a serial port"),
        ("/tmp", UsageError, "is not a serial port"),
        ("socket://127.0.0.1:1", NoDeviceError, "nothing answers"),
        ("rfc2217://127.0.0.1:1", NoDeviceError, "nothing answers"),
        ("socket://127.0.0.1", UsageError, "is not HOST:PORT"),
        ("gopher://127.0.0.1:1", UsageError, "is not a port"),
    ],
)
def test_port_that_cannot_be_opened_says_why_and_the_mend(name, error, said):
    with pytest.raises(error, match=said) as caught:
        asyncio.run(serial.open_port(name))
    assert caught.value.mend


def test_port_without_permission_names_the_group(tmp_path):
    import grp

    path = tmp_path / "tty"
    path.touch()
    error = serial.explain(str(path), PermissionError(errno.EACCES, "Permission denied"))
    assert type(error) is KittiwakeError
    assert f"usermod -aG {grp.getgrgid(path.stat().st_gid).gr_name}" in error.mend


def _info(path, serial_number=None, vid=1):
    return serial.PortInfo(path, serial_number, None, None, vid, None)


def test_resolve_auto_takes_the_only_usb_port(monkeypatch):
    monkeypatch.setattr(serial, "list_ports", lambda: [_info("/dev/ttyS0", vid=None), _info("/dev/ttyACM3", "A1")])
    assert serial.resolve("auto") == "/dev/ttyACM3"


def test_resolve_auto_with_several_lists_them(monkeypatch):
    monkeypatch.setattr(serial, "list_ports", lambda: [_info("/dev/ttyACM0", "A1"), _info("/dev/ttyUSB0")])
    with pytest.raises(UsageError, match="id:A1, /dev/ttyUSB0"):
        serial.resolve("auto")


def test_resolve_auto_with_none_is_no_device(monkeypatch):
    monkeypatch.setattr(serial, "list_ports", lambda: [_info("/dev/ttyS0", vid=None)])
    with pytest.raises(NoDeviceError):
        serial.resolve("auto")


def test_resolve_id_follows_a_renumbered_port(monkeypatch):
    monkeypatch.setattr(serial, "list_ports", lambda: [_info("/dev/ttyUSB0", "A1")])
    assert serial.resolve("id:A1") == "/dev/ttyUSB0"
    monkeypatch.setattr(serial, "list_ports", lambda: [_info("/dev/ttyUSB7", "A1")])
    assert serial.resolve("id:A1") == "/dev/ttyUSB7"
    with pytest.raises(NoDeviceError, match="plugged in: A1"):
        serial.resolve("id:B2")


def test_list_ports_answers_without_a_device():
    assert isinstance(serial.list_ports(), list)
