"""What the bridge costs, in one run against Mosquitto: records a second beside bare paho, latency, memory, CPU.

    python tools/bench_bridge.py [--json] [--quick] [--outage-s S]

Devices are the firmware's sessions in a process of their own (tools/devices.py), so that no board is the limit. Figures
are of this machine in this run; do not compare them with another's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import paho.mqtt.client as paho  # noqa: E402
from paho.mqtt.enums import CallbackAPIVersion  # noqa: E402

from kittiwake.demo.ledger import LedgerProcess  # noqa: E402
from kittiwake.publish import publisher  # noqa: E402
from kittiwake_node.link import payload  # noqa: E402
from kittiwake_node.link import record as rec  # noqa: E402
from tests.mosquitto import Mosquitto  # noqa: E402
from tools.bench_process import Process  # noqa: E402
from tools.devices import LAYOUT, Device, MemoryJournal  # noqa: E402
from tools.virtual_ports import PtyPort, SocketPort  # noqa: E402

WINDOW = 256
LOAD_DEVICES = 8
QUIET_DEVICES = 50
RATE_HZ = 20
HOSTILE_HZ = 500
BUDGET = {"ratio": 0.5, "p99_ms": 8.0, "hostile_p99_ms": 50.0, "memory_mb": 120.0, "idle_cpu": 2.0, "outage_cpu": 2.0}
# Nothing on disk: saving at every change, as the tests have it, would be what is measured.
BROKER = (
    "listener PORT 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_inflight_messages 0\nlog_type error\n"
)


def summary_body(number: int) -> bytes:
    """Make the payload of a summary record whose figures depend on its number."""
    return payload.pack_summary(1000, 380, 460, number % 5, 420_000 + number, 176_500_000 + number, number, 0)


def bare(url_port: int, count: int) -> float:
    """Messages a second that paho alone gets confirmed, with the payloads and the window of the bridge."""
    journal = MemoryJournal(1)
    former = publisher.Former(publisher.Policy(), "dev-0", 1)
    former.describe(1, LAYOUT)
    messages = []
    for number in range(1000):
        journal.add(rec.SUMMARY, summary_body(number))
        messages.append(former.form(rec.decode(journal.records[-1])[0]))
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bare")
    client.max_inflight_messages_set(0)
    room, done, ended = threading.Semaphore(WINDOW), [0], threading.Event()

    def on_publish(*_: object) -> None:
        room.release()
        done[0] += 1
        if done[0] == count:
            ended.set()

    client.on_publish = on_publish
    client.connect("127.0.0.1", url_port)
    client.loop_start()
    started = time.perf_counter()
    for number in range(count):
        room.acquire()
        message = messages[number % 1000]
        client.publish(message.topic, message.payload, 1)
    ended.wait()
    took = time.perf_counter() - started
    client.disconnect()
    client.loop_stop()
    return count / took


async def serve_devices(folder: str, count: int, kind: str, records: int, rate_hz: int) -> None:
    """The devices' process: says its ports, then makes records, all at once or at a rate; says when all are done."""
    devices = []
    for number in range(count):
        port: PtyPort | SocketPort = PtyPort(f"{folder}/tty{number}") if kind == "pty" else SocketPort()
        device = Device(f"dev-{number}", port, number, body_limit_bytes=8192)
        for index in range(records):
            device.journal.add(rec.SUMMARY, summary_body(index))
        device.start()
        devices.append(device)
    print(json.dumps([device.port.url for device in devices]), flush=True)
    if not rate_hz:
        while not any(device.journal.acked for device in devices):
            await asyncio.sleep(0.001)
        started, before = time.perf_counter(), sum(device.journal.acked for device in devices)
        while any(device.journal.acked < device.journal.next_seq for device in devices):
            await asyncio.sleep(0.005)
        acked = sum(device.journal.acked for device in devices) - before
        print(json.dumps({"rate": acked / (time.perf_counter() - started)}), flush=True)
        return
    reader = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)  # a line begins the load
    await reader
    ending = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)

    async def speak(device: Device, offset_s: float) -> None:
        await asyncio.sleep(offset_s)
        due = time.monotonic()
        while not ending.done():
            device.add(rec.EVENT, payload.pack_event(1, f"{time.monotonic_ns()}"), cls=rec.ALERT)
            due += 1 / rate_hz
            await asyncio.sleep(max(0, due - time.monotonic()))

    await asyncio.gather(*(speak(device, n / count / rate_hz) for n, device in enumerate(devices)))


@contextlib.contextmanager
def devices(folder: Path, count: int, kind: str, records: int = 0, rate_hz: int = 0) -> Iterator[Process]:
    """Run simulated devices in a process of their own, for as long as the context lasts."""
    folder.mkdir(exist_ok=True)
    command = [
        sys.executable,
        str(ROOT / "tools" / "bench_bridge.py"),
        "--role",
        "devices",
        "--folder",
        str(folder),
        "--count",
        str(count),
    ]
    command += ["--kind", kind, "--records", str(records), "--rate-hz", str(rate_hz)]
    with Process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.ports = process.hear()
        yield process


def bridge(folder: Path, broker: Mosquitto, ports: list[str], name: str) -> Process:
    """Run the bridge between the ports and the broker, for as long as the context lasts."""
    config = folder / f"{name}.toml"
    listed = "".join(f'[[devices]]\nport = "{port}"\nwindow = 1024\n' for port in ports)
    config.write_text(
        f'[bridge]\nlog_level = "warning"\n[broker]\nurl = "{broker.url}"\nin_flight = {WINDOW}\n'
        f'protocol = "3.1.1"\nbackoff_last_s = 5.0\n{listed}'
    )
    with open(folder / "bridge.log", "ab") as log:
        return Process([sys.executable, "-m", "kittiwake", "bridge", "--config", str(config)], stderr=log)


def throughput(folder: Path, broker: Mosquitto, kind: str, records: int) -> tuple[float, float]:
    """Measure the acknowledged records a second, and the bridge's peak memory in MB."""
    with (
        devices(folder / kind, LOAD_DEVICES, kind, records // LOAD_DEVICES) as fleet,
        bridge(folder, broker, fleet.ports, kind) as process,
    ):
        rate = fleet.hear()["rate"]
        return rate, process.peak_mb()


def quiet_and_lively(folder: Path, broker: Mosquitto, seconds: float, outage_s: float) -> dict[str, float]:
    """Measure latency and memory, and the CPU that the bridge takes idle, busy and without a broker."""
    figures: dict[str, float] = {}
    with (
        devices(folder / "quiet", QUIET_DEVICES, "pty", 0, RATE_HZ) as fleet,
        bridge(folder, broker, fleet.ports, "quiet") as process,
    ):
        time.sleep(4)
        process.mark()
        time.sleep(seconds)
        figures["idle_cpu"] = process.cpu_percent()
        with LedgerProcess(broker.url, ["kittiwake/+/event"], folder / "ledger.jsonl") as ledger:
            fleet.say("go")
            time.sleep(2)
            process.mark()
            time.sleep(seconds)
            figures["busy_cpu"] = process.cpu_percent()
            fleet.say("stop")
            time.sleep(0.5)
            figures |= latencies(ledger)
        figures["memory_mb"] = process.peak_mb()
    with (
        devices(folder / "outage", QUIET_DEVICES, "pty", 0, RATE_HZ) as fleet,
        bridge(folder, broker, fleet.ports, "outage") as process,
    ):
        time.sleep(3)
        broker.kill()
        time.sleep(3)
        process.mark()
        time.sleep(outage_s)
        figures["outage_cpu"] = process.cpu_percent()
        broker.start()
    return figures


def beside_hostile_peers(folder: Path, messages: int) -> dict[str, float]:
    """A device's latency among hostile ones, from the tests' own arena, which fails when anything else is wrong."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.chaos.hostile.arena", str(folder), str(messages), str(HOSTILE_HZ)]
    ended = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return {"hostile_p99_ms": json.loads(ended.stdout)["p99_ms"]}


def latencies(ledger: LedgerProcess) -> dict[str, float]:
    """Count the messages and give quantiles of their time to the subscriber; the first tenth is left out."""
    took_ms = []
    for line in ledger.read():
        sent_ns = int(json.loads(line["payload"])["text"])
        took_ms.append((line["monotonic_ns"] - sent_ns) / 1e6)
    took_ms = took_ms[len(took_ms) // 10 :]
    cuts = statistics.quantiles(took_ms, n=1000)
    return {"messages": len(took_ms), "p50_ms": cuts[499], "p99_ms": cuts[989], "p999_ms": cuts[998]}


def main() -> int:
    """Measure everything; returns 1 when a budget is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a quarter of everything, for a look")
    parser.add_argument("--outage-s", type=float, default=10.0)
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    for name in ("--count", "--records"):
        parser.add_argument(name, type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    parser.add_argument("--rate-hz", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role == "devices":
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve_devices(options.folder, options.count, options.kind, options.records, options.rate_hz))
        return 0
    share = 4 if options.quick else 1
    with tempfile.TemporaryDirectory(prefix="kittiwake-bench-") as name:
        folder = Path(name)
        with Mosquitto(folder, whole=BROKER) as broker:
            figures = {"load_average": os.getloadavg()[0]}
            figures["bare_per_s"] = bare(broker.port, 80_000 // share)
            figures["socket_per_s"], figures["loaded_mb"] = throughput(folder, broker, "socket", 80_000 // share)
            figures["pty_per_s"], _ = throughput(folder, broker, "pty", 80_000 // share)
            figures["bare_again_per_s"] = bare(broker.port, 80_000 // share)
            reference = max(figures["bare_per_s"], figures["bare_again_per_s"])
            figures["ratio"] = min(figures["socket_per_s"], figures["pty_per_s"]) / reference
            figures |= quiet_and_lively(folder, broker, 20 / share, options.outage_s)
        figures |= beside_hostile_peers(folder / "hostile", 20_000 // share)
    missed = [
        name for name, limit in BUDGET.items() if (figures[name] < limit if name == "ratio" else figures[name] > limit)
    ]
    if options.json:
        rounded = {name: round(v, 3) if isinstance(v, float) else v for name, v in figures.items()}
        print(json.dumps({**rounded, "missed": missed}))
    else:
        show(figures, missed)
    return 1 if missed else 0


def show(f: dict[str, float], missed: list[str]) -> None:
    """Print the figures as a table, and which budgets were exceeded."""
    rows = [
        ("bare paho publisher", f"{max(f['bare_per_s'], f['bare_again_per_s']):,.0f} messages/s", ""),
        (f"{LOAD_DEVICES} devices on sockets, acknowledged", f"{f['socket_per_s']:,.0f} records/s", ""),
        (f"{LOAD_DEVICES} devices on ptys, acknowledged", f"{f['pty_per_s']:,.0f} records/s", ""),
        ("slower of both against bare", f"{f['ratio']:.2f}", f"at least {BUDGET['ratio']}"),
        (f"{QUIET_DEVICES} devices at {RATE_HZ}/s, p50", f"{f['p50_ms']:.2f} ms", ""),
        (f"{QUIET_DEVICES} devices at {RATE_HZ}/s, p99", f"{f['p99_ms']:.2f} ms", f"under {BUDGET['p99_ms']} ms"),
        (
            f"among peers with {HOSTILE_HZ} hostile messages/s, p99",
            f"{f['hostile_p99_ms']:.1f} ms",
            f"under {BUDGET['hostile_p99_ms']} ms",
        ),
        ("  CPU meanwhile", f"{f['busy_cpu']:.1f} %", ""),
        ("memory, peak", f"{f['memory_mb']:.0f} MB", f"under {BUDGET['memory_mb']:.0f} MB"),
        (f"CPU, {QUIET_DEVICES} quiet devices", f"{f['idle_cpu']:.2f} %", f"under {BUDGET['idle_cpu']} %"),
        ("CPU in an outage of the broker", f"{f['outage_cpu']:.2f} %", f"under {BUDGET['outage_cpu']} %"),
        ("load average at the start", f"{f['load_average']:.1f}", "below 0.5 for figures to trust"),
    ]
    for what, figure, budget in rows:
        print(f"{what:<42} {figure:>22}   {budget}")
    print("missed:", ", ".join(missed) or "nothing")


if __name__ == "__main__":
    sys.exit(main())
