"""A bridge and a Mosquitto for real, attackers in a process of their own, and a victim beside them: one seeded run.

What must not be comes out as findings, in words, so that a run over a damaged bridge shows that it is noticed.

    python -m tests.chaos.hostile.arena FOLDER MESSAGES MESSAGES_PER_SECOND

prints the outcome as JSON, for benchmarks.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.chaos.hostile import moves
from tests.chaos.hostile.witness import Witness, retained
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess, dying_with_us
from tools.devices import Device
from tools.virtual_ports import PtyPort

ATTACKERS = 5
PERIOD_S = 0.02  # between two records of the victim
MEMORY_LIMIT_MB = 256
LOG_LIMIT_BYTES_H = 1_000_000  # of a device, and of the bridge itself
LOG_BURST_BYTES = 64 * 1024  # the same, at once
SETTLE_S = 60
DAMAGED_SETTLE_S = 10  # what is expected does not come, and need not be waited for as long
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
    cpu_s: float = 0.0
    log_bytes: int = 0
    seconds: float = 0.0
    retained: int = 0

    def line(self):
        return (
            f"hostile peers: {self.messages:,} messages in {self.seconds:.0f} s (seed {self.seed}), {self.taken:,} of "
            f"their records published; the victim's {self.records:,} in order, p99 {self.p99_ms:.1f} ms; bridge "
            f"{self.memory_mb:.0f} MB, {self.cpu_s:.1f} s of CPU, log {self.log_bytes:,} bytes, "
            f"{self.retained} retained topics"
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
        victims: names of the devices that are well-behaved.
    """

    def __init__(self, folder, seed, messages, rate=0.0, first_batch=0, damage="", victims=(moves.VICTIM,)):
        self.folder, self.damage = folder, damage
        self.victims = [Device(name, PtyPort(f"{folder}/{name}")) for name in victims]
        self.broker = Mosquitto(folder, whole=BROKER)
        self.outcome = Outcome(seed)
        self._command = [sys.executable, "-m", "tests.chaos.hostile.attack", "--broker", str(self.broker.port)]
        self._command += ["--seed", str(seed), "--messages", str(messages), "--devices", str(ATTACKERS)]
        self._command += ["--rate", str(rate), "--first-batch", str(first_batch)]
        self._log = folder / "bridge.log"

    def run(self):
        with self.broker, Witness(self.broker.port, [victim.name for victim in self.victims]) as witness:
            asyncio.run(self._run(witness))
            self._audit(witness)
        return self.outcome

    async def _run(self, witness):
        attack = subprocess.Popen(
            dying_with_us(self._command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.attackers = json.loads(attack.stdout.readline())
        self.bridge = BridgeProcess.of_config(self._configure(), self._log, self.damage)
        try:
            for victim in self.victims:
                victim.start()
            with self.bridge:
                await self._until(lambda: all(witness.arrived.values()), "not every victim is served")
                started = time.monotonic()
                await self._fight(attack)
                await self._settle(witness)
                self.outcome.seconds = time.monotonic() - started
                self.outcome.memory_mb = self.resident_mb("VmHWM")
                fields = Path(f"/proc/{self.bridge.pid}/stat").read_text().rpartition(")")[2].split()
                self.outcome.cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (AssertionError, subprocess.TimeoutExpired) as ending:  # the latter: a bridge that does not end
            self._find(f"{ending}")
        finally:
            for victim in self.victims:
                victim.stop()
            attack.kill()
            attack.wait()

    def _configure(self):
        ports = "".join(f'[[devices]]\nport = "{url}"\n' for url in self.attackers)
        ports += "".join(f'[[devices]]\nport = "{v.port.url}"\ndevice = "{v.name}"\n' for v in self.victims)
        config = self.folder / "gateway.toml"
        config.write_text(
            f'[bridge]\ncommand_timeout_s = 1\n[broker]\nurl = "{self.broker.url}"\nbackoff_first_s = 0.1\n'
            f"backoff_last_s = 0.5\n[homeassistant]\nenabled = true\n{ports}"
        )
        return config

    async def _fight(self, attack):
        attack.stdin.write("go\n")
        attack.stdin.flush()
        progress = {}

        def follow():
            while "counts" not in progress and (line := attack.stdout.readline()):
                progress.update(json.loads(line))

        follower = asyncio.get_running_loop().run_in_executor(None, follow)
        speaking = [asyncio.create_task(task) for task in self.meanwhile()]
        while not follower.done():
            await asyncio.sleep(0.1)
            if not self.bridge.is_running:
                raise AssertionError(f"the bridge ended around batch {progress.get('batch', 0)}")
        for task in speaking:
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)
        self.outcome.messages, self.outcome.counts = progress["messages"], progress.get("counts", {})

    def meanwhile(self):
        """What goes on beside the attack, as coroutines that are cancelled at its end."""
        return [self._speak(victim) for victim in self.victims]

    async def _speak(self, victim):
        due = time.monotonic()
        while True:
            victim.add(rec.EVENT, payload.pack_event(1, f"{time.monotonic_ns()}"), cls=rec.ALERT)
            due = max(due + PERIOD_S, time.monotonic() - 1)
            await asyncio.sleep(max(0, due - time.monotonic()))

    async def _settle(self, witness):
        def behind():
            return {
                victim.name: (victim.journal.next_seq, witness.arrived[victim.name], victim.journal.acked)
                for victim in self.victims
                if not witness.arrived[victim.name] >= victim.journal.next_seq == victim.journal.acked
            }

        await self._until(lambda: not behind(), lambda: f"device: (records, arrived, acknowledged): {behind()}")
        for victim in self.victims:
            witness.publish(f"kittiwake/{victim.name}/cmd", b'{"id":"after all","op":"ping"}')
        await self._until(
            lambda: all(
                witness.responses.get((victim.name, "after all"), {}).get("status") == "ok" for victim in self.victims
            ),
            "a victim's last command is not answered",
        )
        self.outcome.records = sum(victim.journal.next_seq for victim in self.victims)

    async def _until(self, condition, what):
        deadline = time.monotonic() + (DAMAGED_SETTLE_S if self.damage else SETTLE_S)
        while not condition():
            if not self.bridge.is_running:
                raise AssertionError("the bridge ended")
            if time.monotonic() >= deadline:
                raise AssertionError(what() if callable(what) else what)
            await asyncio.sleep(0.05)

    def resident_mb(self, what="VmRSS"):
        """Memory of the bridge's process: VmRSS now, VmHWM at its peak."""
        status = Path(f"/proc/{self.bridge.pid}/status").read_text()
        return int(status.partition(f"{what}:")[2].split()[0]) / 1000

    def _audit(self, witness):
        outcome = self.outcome
        for text in witness.findings:
            self._find(text)
        outcome.taken = witness.kinds.total()
        if len(witness.latencies_ms) > 10:
            outcome.p99_ms = statistics.quantiles(witness.latencies_ms, n=100)[98]
        log = self.log = self._log.read_text(errors="replace")
        outcome.log_bytes = len(log.encode())
        allowed = (ATTACKERS + 1 + len(self.victims)) * (LOG_BURST_BYTES + LOG_LIMIT_BYTES_H * outcome.seconds / 3600)
        if outcome.log_bytes > allowed:
            self._find(f"the log has {outcome.log_bytes} bytes, at most {allowed:.0f}")
        if "Traceback" in log:
            self._find("a traceback in the log: " + log[log.index("Traceback") :][:1500])
        if "connection lost" in log:
            self._find("the broker closed the connection")
        if outcome.memory_mb > MEMORY_LIMIT_MB:
            self._find(f"the bridge took {outcome.memory_mb:.0f} MB")
        self.kept = retained(self.broker.port)
        outcome.retained = len(self.kept)
        for victim in self.victims:
            status = self.kept.get(f"kittiwake/{victim.name}/status")
            if status != b"offline" and not outcome.findings:
                self._find(f"the status of {victim.name} after the end: {status!r}")

    def _find(self, text):
        self.outcome.findings.append(text)


if __name__ == "__main__":
    outcome = Arena(Path(sys.argv[1]), 21, int(sys.argv[2]), float(sys.argv[3])).run()
    print(json.dumps(asdict(outcome)))
    sys.exit(f"seed {outcome.seed}: {outcome.findings}" if outcome.findings else 0)
