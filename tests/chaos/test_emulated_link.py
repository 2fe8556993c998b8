"""An emulated ESP32 behind a bad line, while everything is killed, frozen, unplugged and cut off: nothing is lost.

The firmware on the board, the bridge as a process, Mosquitto and a subscriber's ledger; in between, bytes of both
directions are lost, repeated, corrupted, delayed and mixed with garbage, by a seed. KITTIWAKE_SOAK=1: every board.
"""

import asyncio
import os
import random
from collections import Counter

import pytest

from kittiwake.demo import audit
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.pipeline import follow
from kittiwake.demo.scenario import Scenario, node_config
from kittiwake.reference import zscore
from kittiwake.signals import vibration
from tests.chaos.chaos import FAULTS
from tests.chaos.truth import N, T, alerts_by_boot
from tests.mosquitto import Mosquitto
from tests.support.hil import SOAK, blank_journal
from tests.support.processes import BridgeProcess
from tools.devices import BadLine
from tools.virtual_ports import PtyPort

pytestmark = pytest.mark.needs("mosquitto")

KINDS = ("bridge killed", "broker killed", "power cut", "plug pulled", "bridge frozen", "broker frozen")
ROUNDS = 10 if SOAK else 1
SECONDS = 3  # of samples; each boot begins with the first of them
RATE_HZ = 1000
LIMIT_S = 60
SEED = 11
_JOURNAL = """
from kittiwake_node.io import parts
from kittiwake_node.store.journal import Journal
_j = Journal(parts.make_storage({storage!r})[0], lambda: 0)
print(_j.next_seq, sum(_j.evicted), _j.damaged)
"""
_CLEAN = """
import os
try:
    os.remove("/samples.i16")
except OSError:
    pass  # where files are read-only, the next deployment flashes others
"""


class Chaos:
    """One run: a board's link, a bad line, a port that the bridge opens.

    Args:
        folder: for everything.
        board: at its prompt, with samples and a journal that is empty.
        broker: running.
        bridge: running, on the port `line` of that folder.
        ledger: file of the witness.
    """

    def __init__(self, folder, board, broker, bridge, ledger):
        self.board, self.broker, self.bridge, self.ledger = board, broker, bridge, ledger
        self.rng = random.Random(SEED)
        self.faults = dict(FAULTS)
        self.port = PtyPort(str(folder / "line"))
        self.happened = Counter()
        self.boots = 1
        self._link = -1
        self._down = BadLine(self.rng, self.faults, self._write)
        self._up = BadLine(self.rng, self.faults, self.port.write)

    def read(self):
        """The ledger so far."""
        ledger = audit.Ledger()
        for arrival in follow(self.ledger):
            ledger.take(arrival)
        return ledger

    async def run(self, config):
        """Let everything happen; returns the number of records that the board's journal has in the end."""
        self._link = os.open(self.board.link_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._link, lambda: self._up.send(os.read(self._link, 4096)))
        self.port.open(self._down.send)
        try:
            for _ in range(ROUNDS):
                for kind in self.rng.sample(KINDS, len(KINDS)):
                    await self._until(self._more(2), f"news before: {kind}")
                    await self._disaster(kind)
                    self.happened[kind] += 1
            self.faults.clear()
            await self._until(self._has_ended, "the samples' end")
            await asyncio.to_thread(self.board.interrupt)
            journal = self.board.exec(_JOURNAL.format(storage=self.board.node_overrides()["storage"]))
            next_seq, evicted, damaged = map(int, journal.split())
            assert (evicted, damaged) == (0, 0)
            # Started once more, it hands over what it had committed last.
            await asyncio.to_thread(self.board.run_node, config)
            await self._until(lambda: len(self.read().records) > next_seq, "all records")
            return next_seq
        finally:
            asyncio.get_running_loop().remove_reader(self._link)
            self.port.close()
            os.close(self._link)

    async def _disaster(self, kind):
        pause_s = self.rng.random() * 0.5
        if kind == "power cut":
            await asyncio.to_thread(self.board.power_cycle)
            self.boots += 1
        elif kind == "plug pulled":
            self.port.close()
            await asyncio.sleep(pause_s)
            self.port.open(self._down.send)
        elif kind.endswith("killed"):
            victim = self.bridge if kind == "bridge killed" else self.broker
            victim.kill()
            await asyncio.sleep(pause_s)
            victim.start()  # not in another thread: it dies with the thread that started it
        else:
            victim = self.bridge if kind == "bridge frozen" else self.broker
            victim.freeze()
            await asyncio.sleep(pause_s)
            victim.thaw()

    def _more(self, count):
        known = len(self.read().records)
        return lambda: len(self.read().records) >= known + count

    def _has_ended(self):
        bodies = self.read().records.values()
        return any(b["boot"] == self.boots and str(b.get("text", "")).startswith("source ended") for b in bodies)

    async def _until(self, condition, what):
        deadline = asyncio.get_running_loop().time() + LIMIT_S
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"no {what}; so far {dict(self.happened)}"
            self.board.check_running()
            await asyncio.sleep(0.05)

    def _write(self, data):
        try:
            os.write(self._link, data)
        except BlockingIOError:
            pass  # a line without flow control


@pytest.mark.timeout(3600 if SOAK else 180)
@pytest.mark.board("qemu:*" if SOAK else "qemu:xtensa")
def test_everything_fails_on_the_way_from_an_emulated_board_and_nothing_is_lost(board, tmp_path, figures):
    samples = vibration.samples(SECONDS * RATE_HZ, seed=5)
    config = node_config(Scenario(samples, rate_hz=RATE_HZ, n=N, t=T, summary_s=1), "/samples.i16")
    config["health_s"] = 1
    board.interrupt()
    board.deploy({"samples.i16": samples.tobytes()})
    blank_journal(board)
    with (
        Mosquitto(tmp_path) as broker,
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as witness,
        BridgeProcess(str(tmp_path / "line"), broker.url) as bridge,
    ):
        board.run_node(config)
        run = Chaos(tmp_path, board, broker, bridge, witness.path)
        next_seq = asyncio.run(run.run(config))
        board.interrupt()
        board.exec(_CLEAN)
    ledger = run.read()
    seqs = [seq for _, seq in ledger.records]
    assert len({journal for journal, _ in ledger.records}) == 1
    assert seqs == sorted(seqs) and set(range(next_seq)) <= set(seqs)
    assert (ledger.missing(), ledger.altered) == (0, 0)
    assert run.happened == dict.fromkeys(KINDS, ROUNDS)
    expected = [(a.index, a.sum, a.sum_sq) for a in zscore.alerts(samples, N, T)]
    boots = alerts_by_boot(ledger.records.values())
    assert len(expected) >= 10 and boots[run.boots] == expected
    assert all(seen == expected[: len(seen)] for seen in boots.values())
    happened = ", ".join(f"{kind} {count}" for kind, count in sorted(run.happened.items()))
    counts = f"lost 0, altered 0, duplicates {ledger.duplicates}, boots {run.boots}"
    figures(f"chaos {board.name}: records {len(seqs)}, {counts} (seed {SEED}; {happened})")
