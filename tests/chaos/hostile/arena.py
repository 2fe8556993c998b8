"""A bridge and a Mosquitto for real, attackers in a process of their own, and a victim beside them: one seeded run.

What must not be comes out as findings, in words, so that a run over a damaged bridge shows that it is noticed.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.chaos.hostile import moves
from tests.chaos.hostile.witness import Witness, retained
from tests.mosquitto import Mosquitto
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess, dying_with_us
from tools.devices import Device
from tools.virtual_ports import PtyPort

ATTACKERS = 5
PERIOD_S = 0.02  # between two records of the victim
MEMORY_LIMIT_MB = 256
LOG_LIMIT_BYTES_H = 1_000_000  # of a device, and of the bridge itself
LOG_BURST_BYTES = 64 * 1024  # the same, at once
SETTLE_S = 60
# Nothing on disk: what a broker costs that saves every change is not what is looked at.
BROKER = (
    "listener PORT 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
    "max_inflight_messages 100\nlog_type error\nlog_type notice\nlog_type warning\n"
)


@dataclass
class Outcome:
    """What a run came to: `findings` must be empty, the figures are to be judged by whoever asked for them."""

    seed: int
    findings: list = field(default_factory=list)
    messages: int = 0
    counts: dict = field(default_factory=dict)
    records: int = 0
    taken: int = 0
    p99_ms: float = 0.0
    memory_mb: float = 0.0
    log_bytes: int = 0
    seconds: float = 0.0
    retained: int = 0

    def line(self):
        return (
            f"hostile peers: {self.messages:,} messages in {self.seconds:.0f} s (seed {self.seed}), {self.taken:,} of "
            f"their records published; the victim's {self.records:,} in order, p99 {self.p99_ms:.1f} ms; bridge "
            f"{self.memory_mb:.0f} MB, log {self.log_bytes:,} bytes, {self.retained} retained topics"
        )


class Arena:
    """One run.

    Args:
        folder: for everything.
        seed: of all that the attackers say.
        messages: of theirs.
        rate: of theirs a second; 0 for as fast as it goes.
        first_batch: of the attackers' batches, for a replay.
        damage: Python that the bridge's process runs before the bridge: what the run is to notice.
    """

    def __init__(self, folder, seed, messages, rate=0.0, first_batch=0, damage=""):
        self.folder, self.damage = folder, damage
        self.broker = Mosquitto(folder, whole=BROKER)
        self.outcome = Outcome(seed)
        self._http = f"127.0.0.1:{free_port()}"
        self._command = [sys.executable, "-m", "tests.chaos.hostile.attack", "--broker", str(self.broker.port)]
        self._command += ["--seed", str(seed), "--messages", str(messages), "--devices", str(ATTACKERS)]
        self._command += ["--rate", str(rate), "--first-batch", str(first_batch)]
        self._log = folder / "bridge.log"

    def run(self):
        with self.broker, Witness(self.broker.port, [moves.VICTIM]) as witness:
            asyncio.run(self._run(witness))
            self._audit(witness)
        return self.outcome

    async def _run(self, witness):
        victim = Device(moves.VICTIM, PtyPort(f"{self.folder}/victim"))
        attack = subprocess.Popen(
            dying_with_us(self._command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        bridge = BridgeProcess.of_config(
            self._configure(json.loads(attack.stdout.readline()), victim.port.url), self._log, self.damage
        )
        try:
            victim.start()
            with bridge:
                await self._until(lambda: witness.arrived[moves.VICTIM] > 0, "the victim is not served at all", bridge)
                started = time.monotonic()
                await self._fight(attack, victim, bridge)
                await self._settle(victim, witness, bridge)
                self.outcome.seconds = time.monotonic() - started
                self._look_at(bridge)
        except AssertionError as ending:
            self._find(f"{ending}")
        finally:
            victim.stop()
            attack.kill()
            attack.wait()

    def _configure(self, attackers, victim):
        ports = "".join(f'[[devices]]\nport = "{url}"\n' for url in attackers)
        config = self.folder / "gateway.toml"
        config.write_text(
            f'[bridge]\ncommand_timeout_s = 1\n[broker]\nurl = "{self.broker.url}"\nbackoff_first_s = 0.1\n'
            f'backoff_last_s = 0.5\n[homeassistant]\nenabled = true\n[http]\nlisten = "{self._http}"\n{ports}'
            f'[[devices]]\nport = "{victim}"\ndevice = "{moves.VICTIM}"\n'
        )
        return config

    async def _fight(self, attack, victim, bridge):
        attack.stdin.write("go\n")
        attack.stdin.flush()
        progress = {}

        def follow():
            while "counts" not in progress and (line := attack.stdout.readline()):
                progress.update(json.loads(line))

        follower = asyncio.get_running_loop().run_in_executor(None, follow)
        due = time.monotonic()
        while not follower.done():
            victim.add(rec.EVENT, payload.pack_event(1, f"{time.monotonic_ns()}"), cls=rec.ALERT)
            due = max(due + PERIOD_S, time.monotonic() - 1)
            await asyncio.sleep(max(0, due - time.monotonic()))
            if not bridge.is_running:
                raise AssertionError(f"the bridge ended around batch {progress.get('batch', 0)}")
        await follower
        self.outcome.messages, self.outcome.counts = progress["messages"], progress.get("counts", {})

    async def _settle(self, victim, witness, bridge):
        journal = victim.journal
        await self._until(
            lambda: witness.arrived[moves.VICTIM] >= journal.next_seq and journal.acked == journal.next_seq,
            lambda: (
                f"the victim has {journal.next_seq} records, of which {witness.arrived[moves.VICTIM]} arrived "
                f"and {journal.acked} are acknowledged"
            ),
            bridge,
        )
        witness.publish(f"kittiwake/{moves.VICTIM}/cmd", b'{"id":"after all","op":"ping"}')
        await self._until(
            lambda: witness.responses.get((moves.VICTIM, "after all"), {}).get("status") == "ok",
            "the victim's last command is not answered",
            bridge,
        )
        self.outcome.records = journal.next_seq

    async def _until(self, condition, what, bridge):
        deadline = time.monotonic() + SETTLE_S
        while not condition():
            if not bridge.is_running:
                raise AssertionError("the bridge ended")
            if time.monotonic() >= deadline:
                raise AssertionError(what() if callable(what) else what)
            await asyncio.sleep(0.05)

    def _look_at(self, bridge):
        status = Path(f"/proc/{bridge.pid}/status").read_text()
        self.outcome.memory_mb = int(status.partition("VmHWM:")[2].split()[0]) / 1000
        with urllib.request.urlopen(f"http://{self._http}/metrics", timeout=10) as page:
            self.metrics = page.read().decode()

    def _audit(self, witness):
        outcome = self.outcome
        for text in witness.findings:
            self._find(text)
        outcome.taken = witness.kinds.total()
        if len(witness.latencies_ms) > 10:
            outcome.p99_ms = statistics.quantiles(witness.latencies_ms, n=100)[98]
        log = self._log.read_text(errors="replace")
        outcome.log_bytes = len(log.encode())
        allowed = (ATTACKERS + 2) * (LOG_BURST_BYTES + LOG_LIMIT_BYTES_H * outcome.seconds / 3600)
        if outcome.log_bytes > allowed:
            self._find(f"the log has {outcome.log_bytes} bytes, at most {allowed:.0f}")
        if "Traceback" in log:
            self._find("a traceback in the log: " + log[log.index("Traceback") :][:1500])
        if "connection lost" in log:
            self._find("the broker closed the connection")
        if outcome.memory_mb > MEMORY_LIMIT_MB:
            self._find(f"the bridge took {outcome.memory_mb:.0f} MB")
        kept = retained(self.broker.port)
        outcome.retained = len(kept)
        if not outcome.findings and kept.get(f"kittiwake/{moves.VICTIM}/status") != b"offline":
            self._find(f"the victim's status after the end: {kept.get(f'kittiwake/{moves.VICTIM}/status')!r}")

    def _find(self, text):
        self.outcome.findings.append(text)
