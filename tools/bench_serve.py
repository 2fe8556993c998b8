"""How fast the inference service is, beside the guide's own sample in the same run: `python tools/bench_serve.py`.

Both get the same model, one process and the same server; each in turn, several times, so that what else the machine
does meets both. The client keeps one request under way on each connection, and checks every reply.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvloop

_SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "inference" / "make_model.py"

CONNECTIONS = (1, 8, 64)
ROUNDS = 5
SECONDS = 2.0
_ROW = {"features": [4.2, -0.3, 1.5, -4.9]}
_SAMPLE, _OURS = "guide", "kittiwake"


class _Connection(asyncio.Protocol):
    """Sends a request as soon as the reply to the one before is there."""

    def __init__(self, request: bytes, took_s: list[float], end: float):
        self._request, self._took_s, self._end = request, took_s, end
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._part = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport  # uvloop's has no base class of asyncio's
        self._send()

    def _send(self) -> None:
        self._begin = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._part += data
        if not self._part.endswith(b"}"):
            return
        now = time.perf_counter()
        self._took_s.append(now - self._begin)
        if b" 200 " not in self._part[:16] or b'"anomaly":false' not in self._part:
            self.done.set_exception(RuntimeError(f"a wrong reply: {self._part!r}"))
        self._part = b""
        if now < self._end:
            self._send()
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError("the connection broke"))


async def load(port: int, connections: int, seconds: float) -> list[float]:
    """Ask for a while.

    Args:
        port: on loopback.
        connections: at a time.
        seconds: for which.

    Returns:
        Seconds of each request.
    """
    body = json.dumps(_ROW).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    took_s: list[float] = []
    end = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Connection(head.encode() + body, took_s, end), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    return took_s


@contextlib.contextmanager
def serving(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    """Have a service run, until it answers and then until left.

    Args:
        command: what to run.
        environment: on top of ours.
        port: where it will listen.
    """
    with subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 30
            while True:
                try:
                    asyncio.run(load(port, 1, 0.2))
                    break
                except (OSError, RuntimeError):
                    if time.monotonic() > end or process.poll() is not None:
                        raise
                    time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(20)


def free_port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def measure(rounds: int, seconds: float) -> dict[str, Any]:
    """Measure both.

    Args:
        rounds: of each service at each number of connections.
        seconds: of a round.

    Returns:
        Figures by number of connections: requests a second, p50 and p99 in milliseconds, and their ratios.
    """
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="kittiwake-serve-") as name:
        subprocess.run([sys.executable, str(_SCRIPT), name], check=True, stdout=subprocess.DEVNULL)
        model = Path(name) / "anomaly_detector.onnx"
        model.with_suffix(".toml").unlink()  # the sample knows no card
        ports = {_SAMPLE: free_port(), _OURS: free_port()}
        environment = {"MODEL_PATH": str(model), "PYTHONPATH": str(Path(__file__).parent)}
        uvicorn = [sys.executable, "-m", "uvicorn", "guide_inference:app", "--no-access-log", "--log-level", "error"]
        ours = [sys.executable, "-m", "kittiwake", "serve", "--listen", f"127.0.0.1:{ports[_OURS]}"]
        with (
            serving([*uvicorn, "--port", str(ports[_SAMPLE])], environment, ports[_SAMPLE]),
            serving(ours, environment, ports[_OURS]),
        ):
            for connections in CONNECTIONS:
                rates: dict[str, list[float]] = {_SAMPLE: [], _OURS: []}
                took: dict[str, list[float]] = {_SAMPLE: [], _OURS: []}
                for _ in range(rounds):
                    for who, port in ports.items():
                        took_s = uvloop.run(load(port, connections, seconds))
                        rates[who].append(len(took_s) / seconds)
                        took[who] += took_s
                figures[str(connections)] = _figures(rates, took)
    return figures


def _figures(rates: dict[str, list[float]], took: dict[str, list[float]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for who in rates:
        hundredths = statistics.quantiles(took[who], n=100)
        figures[who] = {
            "requests_a_second": round(statistics.median(rates[who])),
            "p50_ms": round(hundredths[49] * 1000, 3),
            "p99_ms": round(hundredths[98] * 1000, 3),
        }
    ratios = [ours / sample for ours, sample in zip(rates[_OURS], rates[_SAMPLE], strict=True)]
    figures["requests_ratio"] = round(statistics.median(ratios), 2)
    figures["p99_ratio"] = round(figures[_OURS]["p99_ms"] / figures[_SAMPLE]["p99_ms"], 2)
    return figures


def main() -> int:
    """Measure and print.

    Returns:
        0 when ours is at least as fast as the sample at every number of connections, and its p99 at 64 at most 0.7 of
        the sample's; else 1.
    """
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    figures = measure(options.rounds, options.seconds)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for connections, of in figures.items():
            for who in (_SAMPLE, _OURS):
                print(f"{connections:>3} connections  {who:<10} " + "  ".join(f"{k} {v}" for k, v in of[who].items()))
            print(f"{'':>3} ratio: requests {of['requests_ratio']}, p99 {of['p99_ratio']}")
    is_fast = all(of["requests_ratio"] >= 1.0 for of in figures.values()) and figures["64"]["p99_ratio"] <= 0.7
    return 0 if is_fast else 1


if __name__ == "__main__":
    sys.exit(main())
