"""A process under measurement: what it says of itself, and what the system says of its CPU and memory."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """One of our own processes, and what the system says of it."""

    def __init__(self, command: list[str], **more: Any) -> None:
        self.process: subprocess.Popen[str] = subprocess.Popen(command, **more)
        self.ports: list[str] = []
        self._at = self.cpu_s(), time.monotonic()

    def cpu_s(self) -> float:
        """Seconds of CPU it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def mark(self) -> None:
        """Begin a stretch for `cpu_percent`."""
        self._at = self.cpu_s(), time.monotonic()

    def cpu_percent(self) -> float:
        """Share of one CPU since `mark`."""
        return 100 * (self.cpu_s() - self._at[0]) / (time.monotonic() - self._at[1])

    def peak_mb(self) -> float:
        """Most memory it ever held, resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1000

    def say(self, line: str) -> None:
        """Write a line to its stdin."""
        if self.process.stdin is None:
            raise RuntimeError("it was started without a pipe")
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """Read a line of JSON from its stdout."""
        if self.process.stdout is None:
            raise RuntimeError("it was started without a pipe")
        return json.loads(self.process.stdout.readline())

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
