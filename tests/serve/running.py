"""The command `kittiwake serve` as a process, and raw requests to it."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.waiting import until


class Service:
    """A service on a free port; its log in `log`."""

    def __init__(self, folder, log, *arguments, environment=None):
        self.log = log
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "kittiwake", "serve", *([] if folder is None else [str(folder)])),
                *("--listen", "127.0.0.1:0", *arguments),
            ],
            stdout=file,
            stderr=file,
            env=os.environ | (environment or {}),
        )
        os.close(file)
        self.url = self._wait_for(r"models of \S+ on (\S+)")[1]
        self.port = int(self.url.rpartition(":")[2])

    def _wait_for(self, pattern, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(pattern, self.log.read_text())
            if found:
                return found
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def get(self, path, body=None, headers=None):
        """(status, body)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def worker(self):
        """The process that answers; it is forked once the address is said."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (pid,) = until(lambda: children.read_text().split(), "a worker")
        return int(pid)

    def stop(self, number=signal.SIGTERM):
        """Its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()


@contextlib.contextmanager
def running(folder, log, *arguments, **more):
    service = Service(folder, log, *arguments, **more)
    try:
        yield service
    finally:
        service.stop()


async def ask_for_ever(port, path, body, replies, is_over):
    """Ask one request after the other over one connection, anew where it breaks; puts (status or None, body) away."""
    raw = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
    reader = writer = None
    while not is_over():
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head + raw)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"content-length: (\d+)", answer)[1])
            text = await reader.readexactly(length)
            replies.append((int(answer.split(b" ", 2)[1]), text, time.monotonic()))
        except (OSError, asyncio.IncompleteReadError):
            replies.append((None, b"", time.monotonic()))
            if writer is not None:
                writer.close()
            writer = None
            await asyncio.sleep(0.005)
    if writer is not None:
        writer.close()
