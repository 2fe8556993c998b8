"""Devices that exist only here: the firmware's own session over a pty or a socket, through a line as bad as you like.

For tests and benchmarks of the bridge, which must not be limited by an emulated board. Journals are lists in memory
that outlive a device's reboots; everything random comes from a seed.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping

from kittiwake_node.link import messages, payload
from kittiwake_node.link import record as rec
from kittiwake_node.link.device_session import DeviceSession
from tools.virtual_ports import PtyPort, SocketPort

TICK_S = 0.05
LAYOUT = b'[{"name":"vibration","sensor_id":"vib-001","unit":"mm/s","scale":"1/100","offset":"0"}]'
EPOCH_MS = 1_767_323_045_000


class MemoryJournal:
    """Records in a list, as DeviceSession sees a journal.

    Args:
        journal_id: 64 bits.

    Attributes:
        records: bytes of every record ever made, by sequence number.
    """

    evicted = (0, 0, 0)

    def __init__(self, journal_id: int):
        self.id = journal_id
        self.records: list[bytes] = []
        self.acked = 0

    @property
    def next_seq(self) -> int:
        """Sequence number of the next record."""
        return len(self.records)

    def add(self, kind: int, body: bytes, boot: int = 1, time_ms: int = 0, cls: int = rec.TELEMETRY) -> int:
        """Make a record. Returns its sequence number."""
        draft = rec.draft(kind, 0, cls, boot, time_ms, EPOCH_MS, 1, body)
        rec.seal(draft, 0, len(draft), len(self.records))
        self.records.append(bytes(draft))
        return len(self.records) - 1

    def read(self, start: int, limit_bytes: int) -> tuple[bytes, int]:
        """As Journal.read."""
        records, size, after = self.records, 0, start
        while after < len(records) and (size == 0 or size + len(records[after]) <= limit_bytes):
            size += len(records[after])
            after += 1
        return b"".join(records[start:after]), after

    def ack(self, next_seq: int) -> None:
        """As Journal.ack."""
        self.acked = max(self.acked, min(next_seq, len(self.records)))

    def description(self, number: int) -> bytes:
        """As Journal.description."""
        return LAYOUT


class BadLine:
    """One direction of a line. `faults` maps lose, repeat, corrupt, cut, garbage and delay to their probabilities.

    Args:
        rng: where chance comes from.
        faults: may be changed meanwhile; an empty one passes everything on at once.
        deliver: called with the bytes that get through.
    """

    def __init__(self, rng: random.Random, faults: Mapping[str, float], deliver: Callable[[bytes], None]):
        self._rng, self.faults, self._deliver = rng, faults, deliver

    def send(self, data: bytes) -> None:
        """Put bytes in at the near end."""
        if not self.faults:
            self._deliver(data)
            return
        rng = self._rng
        if self._happens("lose"):
            return
        chunk = bytearray(data)
        if self._happens("corrupt"):
            chunk[rng.randrange(len(chunk))] ^= 1 << rng.randrange(8)
        if self._happens("cut"):
            del chunk[rng.randrange(len(chunk)) :]
        if self._happens("garbage"):
            chunk += rng.randbytes(rng.randrange(40))
        copies = 2 if self._happens("repeat") else 1
        for _ in range(copies):
            if self._happens("delay"):
                asyncio.get_running_loop().call_later(rng.random() * 0.3, self._deliver, bytes(chunk))
            else:
                self._deliver(bytes(chunk))

    def _happens(self, name: str) -> bool:
        return self._rng.random() < self.faults.get(name, 0)


class Device:
    """One simulated device on a port.

    Args:
        name: device id.
        port: PtyPort or SocketPort.
        seed: of the faults.
        faults: see BadLine; the dict may be changed meanwhile.
        body_limit_bytes: longest frame body it sends and takes.
        on_command: as DeviceSession's; answers everything with OK when None.
        journal_id: drawn from the seed when None.
    """

    def __init__(
        self,
        name: str,
        port: PtyPort | SocketPort,
        seed: int = 0,
        faults: Mapping[str, float] | None = None,
        body_limit_bytes: int = 1024,
        on_command: Callable[[int, bytes, int], tuple[int, bytes]] | None = None,
        journal_id: int | None = None,
    ):
        self.name, self.port = name, port
        self.rng = random.Random(f"{seed}/{name}")
        self.journal = MemoryJournal(self.rng.getrandbits(64) if journal_id is None else journal_id)
        self.boot = 0
        self.commands: list[tuple[int, bytes]] = []
        self._on_command = on_command
        self._body_limit = body_limit_bytes
        faults = {} if faults is None else faults
        self._up = BadLine(self.rng, faults, lambda data: self.port.write(data))
        self._down = BadLine(self.rng, faults, self._feed)
        self._ticker: asyncio.Task[None] | None = None
        self.is_on = False

    def start(self) -> None:
        """Power on: a boot record, a new session, the port plugged in."""
        self.boot += 1
        self.session = DeviceSession(self.name, self.boot, self.journal, self._command, self._body_limit)
        self.journal.add(rec.BOOT, payload.pack_boot(0, 100_000, "simulated"), self.boot, 0, rec.ALERT)
        self.port.open(self._down.send)
        self.is_on = True
        self._ticker = asyncio.create_task(self._tick())

    def stop(self) -> None:
        """Power off, the port unplugged. The journal stays; its cursor may be a little behind, as on a board."""
        if not self.is_on:
            return
        self.is_on = False
        if self._ticker is not None:
            self._ticker.cancel()
        self.port.close()
        self.journal.acked -= min(self.rng.randrange(40), self.journal.acked)

    def add(self, kind: int, body: bytes, time_ms: int = 0, cls: int = rec.TELEMETRY) -> int:
        """Journal a record and offer it to the gateway. Returns its sequence number."""
        seq = self.journal.add(kind, body, self.boot, time_ms, cls)
        if self.is_on:
            self.pump()
        return seq

    def pump(self) -> None:
        """Write what the session has to say while the port takes it."""
        now_ms = _now_ms()
        while self.port.is_free:
            frame = self.session.next_output(now_ms)
            if frame is None:
                return
            self._up.send(frame)

    def _feed(self, data: bytes) -> None:
        if self.is_on:
            self.session.feed(data, _now_ms())
            self.pump()

    def _command(self, op: int, body: bytes, now_ms: int) -> tuple[int, bytes]:
        self.commands.append((op, bytes(body)))
        if self._on_command is not None:
            return self._on_command(op, body, now_ms)
        return messages.OK, b""

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self.pump()


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
