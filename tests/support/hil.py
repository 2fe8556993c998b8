"""What tests with a board share: a journal made new, a gateway to a running node, and how long to be."""

import os
import secrets
import time

from kittiwake.ports import serial
from kittiwake_node.link import gateway_session as gw
from tests.support.waiting import until

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
WAIT_S = 30
# A node whose samples come over its link: a channel with a z-score, a summary every 100.
LINKED_NODE = {
    "device": "kw-hil",
    "health_s": 1,
    "commit_ms": 50,
    "channels": [
        {
            "name": "vibration",
            "summary_samples": 100,
            "source": {"kind": "link", "room": 256},
            "detectors": [{"kind": "zscore", "n": 20, "t": "5/2"}],
        }
    ],
}
_FASTEST = {"armv7m": "thumb2", "armv7em": "dsp", "rv32imc": "rv32", "xtensawin": "xtensa"}

_BLANK = """
from kittiwake_node.io import parts as _parts
def _blank(storage):
    if storage["kind"] == "folder":
        import os
        for folder in ("/journal", "/tail-1", "/tail-2"):
            path = storage["path"] + folder
            try:
                for entry in os.listdir(path):
                    os.remove(path + "/" + entry)
            except OSError:
                pass
        return
    device = _parts.make_device(storage)
    erased = b"\\xff" * 256
    for block in (0, 1):
        device.ioctl(6, block)
        for at in range(0, device.ioctl(5, 0), 256):
            device.writeblocks(block, erased, at)
"""


def fastest_kernel(board):
    """Name of the kernels that run best on a board."""
    return _FASTEST.get(board.facts()["arch"], "viper")


def blank_journal(board):
    """Erase the journal's place on a board at its prompt: the next start makes a new one, with an id of its own."""
    blank(board, board.node_overrides()["storage"])


def partition(board):
    """A partition on a board at its prompt: its own, or in a file of its own where it keeps the journal in a folder."""
    storage = board.node_overrides()["storage"]
    return {"kind": "file", "path": "hil.img", "bytes": 65536} if storage["kind"] == "folder" else storage


def blank(board, storage):
    """Erase a journal's place on a board at its prompt."""
    board.exec(f"{_BLANK}_blank({storage!r})")


class Gateway:
    """A gateway without a broker: one session over a board's link, everything it says in lists.

    Args:
        port: of the link.
        board: that runs the node, so that its end is told; None when nobody knows.
        window: records in flight.
    """

    def __init__(self, port, board=None, window=64):
        self._board = board
        self._port = serial.open_blocking(port, read_timeout_s=0.02)
        self.session = gw.GatewaySession(lambda: secrets.randbelow(1 << 31) + 1, window)
        self.records, self.answers, self.text, self.raw = [], {}, b"", b""
        self.opened = 0
        self.acks = True

    def turn(self):
        """Exchange what there is."""
        now_ms = time.monotonic_ns() // 1_000_000
        while (frame := self.session.next_output(now_ms)) is not None:
            self._port.write(frame)
        try:
            data = bytes(self._port.read(65536))
        except TimeoutError:
            data = b""
        self.raw += data
        for event in self.session.feed(data, now_ms):
            if event[0] == gw.RECORD:
                self.records.append(event[1])
            elif event[0] == gw.REPLY:
                self.answers[event[1]] = event[2:]
            elif event[0] == gw.TEXT:
                self.text += event[1]
            elif event[0] == gw.OPENED:
                self.opened += 1
        if self.acks and self.session.is_open:
            self.session.ack(self.session.received)

    def until(self, condition, what, limit_s=WAIT_S):
        """Turn until something holds."""

        def holds():
            if condition():
                return True
            if self._board is not None:
                self._board.check_running()
            self.turn()
            return False

        until(holds, lambda: f"{what}; console: {self.text[-300:]}", limit_s, pause_s=0)

    def open(self):
        """Turn until a session is open."""
        self.until(lambda: self.session.is_open, "no answer from the node")

    def ask(self, op, body=b""):
        """Send a command and wait for (status, body) of its answer."""
        request = self.session.request(op, body)
        self.until(lambda: request in self.answers, f"no answer to command {op}")
        return self.answers.pop(request)

    def write(self, data):
        """Send bytes that are no frame."""
        self._port.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._port.close()
