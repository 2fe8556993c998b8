"""Programs of this project as processes that a test starts, kills and freezes."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

STOP_S = 10


def dying_with_us(command: list[str]) -> list[str]:
    """The command, such that Linux kills it when this process dies: a test over its time leaves no program behind.

    One that lived on would take ports that are somebody else's by then.
    """
    guard = shutil.which("setpriv")
    return [guard, "--pdeathsig", "KILL", *command] if guard else command


class BridgeProcess:
    """`kittiwake bridge` between one port and one broker, for as long as the context lasts.

    Args:
        port: of the device.
        broker_url: `mqtt://host:port`.
        options: more of the command line.
    """

    def __init__(self, port: str, broker_url: str, *options: str) -> None:
        command = [sys.executable, "-m", "kittiwake", "bridge", "--port", port, "--broker", broker_url]
        self._command = [*command, *options]
        self._started: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None
        self._environment: dict[str, str] = {}

    @classmethod
    def of_config(cls, path: Path, log: Path | None = None, damage: str = "", **environment: str) -> Self:
        """The same with a configuration file.

        Args:
            path: of the configuration.
            log: file that what it logs goes to; None for our own stderr.
            damage: Python that its process runs before the bridge, for tests that must notice.
            environment: it gets more of it.
        """
        self = cls("", "")
        program = ["-c", f"{damage}\nfrom kittiwake.cli.app import main; main()"] if damage else ["-m", "kittiwake"]
        self._command = [sys.executable, *program, "bridge", "--config", str(path)]
        self._log, self._environment = log, environment
        return self

    @classmethod
    def of_releases(cls, folder: Path, broker_url: str) -> Self:
        """The server of releases in the bridge's place.

        Args:
            folder: with releases.
            broker_url: `mqtt://host:port`.
        """
        self = cls("", "")
        self._command = [sys.executable, "-m", "kittiwake", "release", "serve", str(folder), "--broker", broker_url]
        return self

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        assert self._started is not None, "the bridge was not started"
        return self._started

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def start(self) -> None:
        environment = os.environ | self._environment
        if self._log is None:
            self._started = subprocess.Popen(dying_with_us(self._command), env=environment)
            return
        with open(self._log, "ab") as log:
            self._started = subprocess.Popen(dying_with_us(self._command), env=environment, stderr=log)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        assert kind is not None or status == 0, f"the bridge ended with status {status}"
