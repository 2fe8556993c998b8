"""Devices, bad lines, a bridge and a broker that are killed, and an independent ledger: one seeded run and its audit.

Bridge, Mosquitto and ledger are processes; devices are the firmware's sessions (tools/devices.py), whose journals say
what must have arrived. The audit shares no code with the bridge.
"""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field

from kittiwake.demo.ledger import LedgerProcess
from kittiwake_node.link import anomaly, payload
from kittiwake_node.link import record as rec
from tests.mosquitto import HAND_ON_AT_ONCE, Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until_still
from tools.devices import Device
from tools.virtual_ports import PtyPort, SocketPort

DEVICES = 6
UNACKED = 600  # a device journals no further ahead of its gateway: the run is to end
FAULTS = {"lose": 0.01, "repeat": 0.01, "corrupt": 0.01, "cut": 0.01, "garbage": 0.01, "delay": 0.005}
SETTLE_S = 120
STILL_S = 2
DISASTERS = 12
KINDS = ("bridge killed", "broker killed", "device rebooted", "plug pulled", "bridge frozen", "broker frozen")


@dataclass
class Figures:
    """What a run came to."""

    seed: int
    records: int = 0
    lost: int = 0
    altered: int = 0
    unknown: int = 0
    disordered: int = 0
    duplicates: int = 0
    events: Counter = field(default_factory=Counter)

    def line(self):
        happened = ", ".join(f"{name} {count}" for name, count in sorted(self.events.items()))
        return (
            f"chaos: records {self.records}, lost {self.lost}, altered {self.altered}, duplicates {self.duplicates}, "
            f"out of order {self.disordered}, unknown {self.unknown} (seed {self.seed}; {happened})"
        )


class Run:
    """One run.

    Args:
        folder: for everything.
        seed: what the devices say, what the lines do to it, and what is killed when.
        records: to produce, over all devices.
        pause_s: mean time between two disasters.
        config: more of the bridge's configuration.
        most_disasters: after so many it is quiet, so that a loaded machine comes to an end too.
    """

    def __init__(self, folder, seed, records, pause_s=1.0, most_disasters=18, config=""):
        self.config = config
        self.folder, self.seed, self.records, self.pause_s = folder, seed, records, pause_s
        self.most_disasters = most_disasters
        self.rng = random.Random(seed)
        self.figures = Figures(seed)
        self.missing = []  # (device, journal, seq) of what was lost
        self.faults = dict(FAULTS)
        self.made = {}  # (device, journal, seq) -> what must be in the message
        self.devices = []
        self.is_over = False
        self._heard_at_start = 0  # bytes in the ledger when the broker last started

    broker_class = Mosquitto

    def go(self):
        self.broker = self.broker_class(self.folder, HAND_ON_AT_ONCE)
        with self.broker, LedgerProcess(self.broker.url, ["kittiwake/#"], self.folder / "ledger.jsonl") as ledger:
            asyncio.run(self._run())
            self._audit(ledger.path)
        return self.figures

    async def _run(self):
        for number in range(DEVICES):
            port = PtyPort(f"{self.folder}/tty{number}") if number % 2 else SocketPort()
            self.devices.append(Device(f"dev-{number}", port, self.seed, self.faults))
        config = self.folder / "gateway.toml"
        ports = "".join(f'[[devices]]\nport = "{device.port.url}"\n' for device in self.devices)
        config.write_text(
            f'[bridge]\nlog_level = "warning"\n[broker]\nurl = "{self.broker.url}"\nbackoff_first_s = 0.1\n'
            f"backoff_last_s = 0.5\nin_flight = 500\n{self.config}\n{ports}"
        )
        self.bridge = BridgeProcess.of_config(config, self.folder / "bridge.log")
        for device in self.devices:
            self._start(device)
        self._bridge_started()
        with self.bridge:
            disasters = self.disasters = asyncio.create_task(self._disasters())
            await asyncio.gather(*(self._produce(device) for device in self.devices))
            self.is_over = True
            await disasters
            self.faults.clear()
            await self._settle()
        for device in self.devices:
            device.stop()

    def _bridge_started(self):
        """For who needs to know it."""

    async def _settle(self):
        for _ in range(int(SETTLE_S / 0.1)):
            behind = {d.name: d.journal.next_seq - d.journal.acked for d in self.devices}
            if not any(behind.values()):
                # Acknowledged is not arrived there.
                return await asyncio.to_thread(until_still, self.folder / "ledger.jsonl", STILL_S)
            await asyncio.sleep(0.1)
        raise AssertionError(f"not acknowledged after {SETTLE_S} s: {behind}; see {self.folder / 'bridge.log'}")

    def _start(self, device):
        device.start()
        seq = device.journal.next_seq - 1
        self.made[device.name, device.journal.id, seq] = ("boot", {"firmware": "simulated", "boot": device.boot})

    async def _produce(self, device):
        while len(self.made) < self.records:
            if self.disasters.done():
                self.disasters.result()  # of one that failed no record is made
            journal = device.journal
            # No faster than things go wrong, so that every disaster has its share.
            due = self.records * (self.figures.events.total() + 1) / DISASTERS
            if device.is_on and len(self.made) < due and journal.next_seq - journal.acked < UNACKED:
                for _ in range(10):
                    self._make(device)
                device.pump()
            await asyncio.sleep(0.002)

    def _make(self, device):
        rng, journal = device.rng, device.journal
        seq, time_ms = journal.next_seq, rng.randrange(1 << 40)
        kind = rng.choice(("event", "reading", "summary", "alert", "opaque"))
        body, must = _MAKERS[kind](rng)
        number, cls = _TYPES[kind]
        journal.add(number, body, device.boot, time_ms, cls)
        must |= {"boot": device.boot, "uptime_ms": time_ms}
        self.made[device.name, journal.id, seq] = (kind, must)

    async def _disasters(self):
        rng, coming = self.rng, []
        while not self.is_over and self.figures.events.total() < self.most_disasters:
            await asyncio.sleep(rng.uniform(0.2, 1.8) * self.pause_s)
            if not coming:
                coming = list(KINDS)
                rng.shuffle(coming)
            what = coming.pop()
            self.figures.events[what] += 1
            pause_s = rng.random() * 0.8
            if what == "bridge killed":
                self.bridge.kill()
                await asyncio.sleep(pause_s)
                self.bridge.start()
            elif what == "broker killed":
                await self._kill_broker()
                await asyncio.sleep(pause_s)
                await asyncio.to_thread(self.broker.start)
                self._heard_at_start = self._heard()
            elif what in ("bridge frozen", "broker frozen"):
                victim = self.bridge if what == "bridge frozen" else self.broker
                victim.freeze()
                await asyncio.sleep(pause_s)
                victim.thaw()
            else:
                device = rng.choice(self.devices)
                if what == "plug pulled":
                    device.port.close()
                    await asyncio.sleep(pause_s)
                    device.port.open(device._down.send)
                else:
                    device.stop()
                    await asyncio.sleep(pause_s)
                    self._start(device)

    async def _kill_broker(self):
        for _ in range(100):
            if self._heard() != self._heard_at_start:
                break
            await asyncio.sleep(0.1)  # a ledger that is not yet connected again is handed nothing
        await asyncio.to_thread(self.broker.kill_when_heard, self.folder / "ledger.jsonl")

    def _heard(self):
        return (self.folder / "ledger.jsonl").stat().st_size

    def _audit(self, path):
        figures = self.figures
        figures.records = len(self.made)
        first, newest = {}, {}
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                arrival = json.loads(line)
                body = json.loads(arrival["payload"]) if arrival["payload"].startswith("{") else None
                if body is None:
                    continue  # a status
                key = (body["device"], int(body["journal"], 16), body["seq"])
                mark = (arrival["topic"], hash(arrival["payload"]))
                if key in first:
                    figures.duplicates += 1
                    figures.altered += mark != first[key]
                    continue
                first[key] = mark
                figures.disordered += key[2] <= newest.get(key[:2], -1)
                newest[key[:2]] = max(newest.get(key[:2], -1), key[2])
                figures.altered += not self._is_right(key, arrival["topic"], body)
        self.missing = sorted(self.made.keys() - first.keys())
        figures.lost = len(self.missing)

    def _is_right(self, key, topic, body):
        if key not in self.made:
            self.figures.unknown += 1
            return False
        kind, must = self.made[key]
        return f"kittiwake/{key[0]}/{kind}" in topic and all(body.get(name) == value for name, value in must.items())


def _event(rng):
    text = "".join(rng.choice('abc "\\\u00e9\u20ac\x03\xc0') for _ in range(rng.randrange(60)))
    return payload.pack_event(rng.randrange(65536), text), {"text": text}


def _reading(rng):
    x, index = rng.randrange(-32768, 32768), rng.randrange(1 << 40)
    return payload.pack_reading(x, index), {"x": x, "index": index, "value": x / 100}


def _sums(rng):
    window = [rng.randrange(-32768, 32768) for _ in range(20)]
    return window, sum(window), sum(x * x for x in window)


def _summary(rng):
    window, total, squares = _sums(rng)
    body = payload.pack_summary(20, min(window), max(window), 3, total, squares, 99, 0)
    return body, {"n": 20, "s": total, "q": squares, "min": min(window), "max": max(window), "anomalies": 3}


def _alert(rng):
    window, total, squares = _sums(rng)
    body = anomaly.pack_anomaly(1, 0, 20, window[-1], min(window), max(window), total, squares, 99, 5, 2)
    return body, {"anomaly": True, "x": window[-1], "s": total, "q": squares, "t": "5/2"}


def _opaque(rng):
    body = rng.randbytes(rng.randrange(1, 200))
    return body, {"type": 200, "payload": body.hex()}


_MAKERS = {"event": _event, "reading": _reading, "summary": _summary, "alert": _alert, "opaque": _opaque}
_TYPES = {
    "event": (rec.EVENT, rec.ALERT),
    "reading": (rec.READING, rec.TELEMETRY),
    "summary": (rec.SUMMARY, rec.TELEMETRY),
    "alert": (rec.ANOMALY, rec.ALERT),
    "opaque": (200, rec.RAW),
}
