"""A serial cable between an unmodified flashing tool and a stand-in for a chip: a pty, modem lines, and its faults.

Knows bytes, line speed and the two lines; not what they mean to the chip.
"""

import os
import pty
import select
import shutil
import socket
import tempfile
import termios
import threading
import tty
from pathlib import Path

_LINES = Path(__file__).with_name("modem_lines")
# Line speeds as termios writes them -> baud.
_SPEEDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}


class Wire:
    """A cable with a chip on its end; a context manager.

    Args:
        chip: has `feed(data, baudrate) -> bytes` (what it answers) `set_lines(dtr, rts) -> bytes` and `parity`.
        drop: numbers of bytes from the host, from 0, that never arrive.
        at: number of a byte from the host -> what is called with this wire when it comes, such as `Wire.pull`.
        clean_baudrate: at any higher speed every 512th byte is spoiled.

    Attributes:
        chip: as given.
        port: path of the pty, for the tool.
        environment: variables that the tool needs for its modem lines.
        from_host: bytes that the host has sent.
    """

    def __init__(self, chip, drop=(), at=None, clean_baudrate=None):
        self.chip = chip
        self._drop = frozenset(drop)
        self._at = at or {}
        self._clean_baudrate = clean_baudrate
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._folder = tempfile.mkdtemp(prefix="kw-wire-")
        self._lines = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._lines.bind(os.path.join(self._folder, "lines"))
        self._lines.listen(8)
        self.environment = {"PYTHONPATH": str(_LINES), "KITTIWAKE_TEST_LINES": self._lines.getsockname()}
        self.from_host = 0
        self._wake, self._woken = os.pipe()
        self._fault = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        os.write(self._woken, b"x")
        self._thread.join(60)
        assert not self._thread.is_alive(), "the stand-in hangs"
        self.pull()
        for descriptor in (self._slave, self._wake, self._woken):
            os.close(descriptor)
        self._lines.close()
        shutil.rmtree(self._folder)
        if self._fault is not None:
            raise self._fault

    def pull(self):
        """Pull the cable. The pty's number stays taken: nobody else's terminal comes to stand there."""
        if self._master >= 0:
            os.close(self._master)
        self._master = -1

    def _run(self):
        try:
            self._carry()
        except BaseException as fault:  # noqa: BLE001 - raised again where the test sees it
            self._fault = fault
            self.pull()
            self._lines.close()

    def _carry(self):
        while True:
            own = getattr(self.chip, "console", None)
            sources = [self._wake, self._lines] + ([self._master] if self._master >= 0 else [])
            ready = select.select(sources + ([own] if own is not None else []), [], [])[0]
            if self._wake in ready:
                return
            if self._lines in ready:
                self._take_lines()
            elif self._master in ready:
                self._take_bytes(os.read(self._master, 4096))
            elif own in ready:
                self._answer(self.chip.say())

    def _take_lines(self):
        line, _ = self._lines.accept()
        with line:
            what, first, second = line.recv(3)
            if what == 0:
                self._answer(self.chip.set_lines(bool(first), bool(second)))
            else:
                self.chip.parity = ("even" if second else "odd") if first else "none"
            line.sendall(b"k")

    def _take_bytes(self, data):
        baudrate = _SPEEDS[termios.tcgetattr(self._master)[5]]
        spoiled = self._clean_baudrate is not None and baudrate > self._clean_baudrate
        heard = bytearray()
        for byte in data:
            number, self.from_host = self.from_host, self.from_host + 1
            if number in self._at:
                self._at[number](self)
                if self._master < 0:
                    return
            if number not in self._drop:
                heard.append(byte ^ 0x55 if spoiled and number % 512 == 511 else byte)
        self._answer(self.chip.feed(bytes(heard), baudrate))

    def _answer(self, data):
        while data and self._master >= 0:
            data = data[os.write(self._master, data) :]
