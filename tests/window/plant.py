"""A plant of a test's own: Mosquitto, a bridge, virtual boards that sample, and a window in front of them. All real."""

import re
import signal
import subprocess
import sys
import time
from array import array
from pathlib import Path

from kittiwake.signals import vibration
from kittiwake.target import open_target
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, dying_with_us
from tests.support.waiting import until

RATE_HZ = 100
LEVEL_HZ = 8
_BRIDGE = """
[bridge]
id = "gate"
log_level = "info"
[broker]
url = "{url}"
backoff_first_s = 0.1
backoff_last_s = 0.5
"""


class Command:
    """One of our own programs, started, stopped and killed.

    Args:
        arguments: of the command line.
        log: file of what it prints.
    """

    def __init__(self, arguments: list[str], log: Path):
        self._arguments, self._log = arguments, log
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = dying_with_us([sys.executable, "-m", "kittiwake", *self._arguments])
        with open(self._log, "ab") as log:
            self._popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self._popen is not None
        self._popen.kill()
        self._popen.wait()

    def stop(self) -> int:
        assert self._popen is not None
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
        return self._popen.wait(10)

    @property
    def text(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def check(self) -> bool:
        assert self._popen is not None and self._popen.poll() is None, self.text[-2000:]
        return True


class Window(Command):
    """A window on a port of its own.

    Args:
        broker_url: of the broker.
        folder: for its log.
        options: more of the command line.
    """

    def __init__(self, broker_url: str, folder: Path, *options: str, port: int = 0):
        super().__init__(
            ["window", "--broker", broker_url, "--listen", f"127.0.0.1:{port}", *options], folder / "window.log"
        )
        if "--notes" not in options:
            self._arguments += ["--notes", str(folder / "notes.sqlite")]
        if "--inventory" not in options:
            self._arguments += ["--inventory", str(folder / "fleet.sqlite")]
        self.url = ""

    def start(self) -> None:
        seen = len(self.text)
        super().start()
        told = until(lambda: self.check() and re.search(r"window: (https?://\S+)", self.text[seen:]), "a window", 60)
        self.url = told[1]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


class Plant:
    """Boards at a bridge at a broker; the bridge is the caller's to start, when all that is to hear it listens.

    Args:
        folder: for all of it.
        names: of the boards.
        seconds: for which they have samples.
    """

    def __init__(self, folder: Path, names: tuple[str, ...], seconds: int = 600):
        self.folder, self._seconds = folder, seconds
        self.broker = Mosquitto(folder)
        self.boards = {name: open_target("unix") for name in names}

    def __enter__(self):
        self.broker.start()
        for number, (name, board) in enumerate(self.boards.items()):
            board.start()
            samples = vibration.samples(RATE_HZ * self._seconds, RATE_HZ, anomalies_per_s=0.5, seed=number)
            (self.folder / f"{name}.i16").write_bytes(samples.tobytes())
            level = array("h", [(37 * x + 11 * number) % 4001 - 2000 for x in range(LEVEL_HZ * self._seconds)])
            (self.folder / f"{name}-level.i16").write_bytes(level.tobytes())
            self.run_node(name)
        ports = "".join(f'[[devices]]\nport = "{board.link_port}"\n' for board in self.boards.values())
        config = self.folder / "gateway.toml"
        config.write_text(_BRIDGE.format(url=self.broker.url) + ports)
        self.bridge = BridgeProcess.of_config(config, self.folder / "bridge.log")
        return self

    def __exit__(self, *_):
        if self.bridge._started is not None:
            self.bridge.kill()
        for board in self.boards.values():
            board.stop()
        self.broker.stop()

    def run_node(self, name: str) -> None:
        self.boards[name].run_node(
            {
                "device": name,
                "health_s": 2,
                "commit_ms": 100,
                "block": 16,
                "channels": [
                    {
                        "name": "vibration",
                        "sensor_id": "vib-001",
                        "unit": "mm/s",
                        "scale": "1/100",
                        "rate_hz": RATE_HZ,
                        "summary_samples": RATE_HZ,
                        "source": {"kind": "replay", "path": str(self.folder / f"{name}.i16")},
                        "detectors": [{"kind": "zscore", "n": 64, "t": "11/2"}],
                        "snapshot": {"before": 64, "after": 64, "bytes_per_hour": 1 << 20},
                    },
                    *([self._level(name)] if name == "press-2" else []),
                ],
            }
        )

    def _level(self, name: str) -> dict[str, object]:
        """A slow channel that publishes every sample."""
        return {
            "name": "level",
            "unit": "mm",
            "rate_hz": LEVEL_HZ,
            "summary_samples": LEVEL_HZ,
            "readings": True,
            "source": {"kind": "replay", "path": str(self.folder / f"{name}-level.i16")},
        }


def seconds_until(condition, limit_s: float, what: str) -> float:
    """How long it takes until a condition holds."""
    began_s = time.monotonic()
    until(condition, what, limit_s, 0.05)
    return time.monotonic() - began_s
