"""Power cuts on LittleFS, many at once: `micropython cuts.py FIRMWARE SETTINGS`, one JSON report on stdout.

A seeded workload runs once over flash that logs every operation, with the promises as they stood at each. Then the
power is cut at operations chosen from the settings, before them and in the middle of them, and the oracle judges what
the next start finds; some of those starts are cut again.

Settings (JSON): seed, block_bytes, blocks, records, cuts (number, spread evenly; 0 for every operation), sabotage (""
or a fault put into the journal on purpose, so that the test of the tests can see the oracle fail), tail_bytes (0 for a
journal without tails; LittleFS is mounted as io/storage.py does where there are some), bad (number of bad blocks,
drawn from the seed).
"""
# ruff: noqa: UP031 (MicroPython)

import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

import flash
import oracle
import vfs
from workload import Rng, Run

from kittiwake_node.store import journal as journal_module

SETTINGS = json.loads(sys.argv[2])
BLOCK_BYTES, BLOCKS = SETTINGS["block_bytes"], SETTINGS["blocks"]
BAD = flash.bad_blocks(Rng(SETTINGS["seed"]), BLOCKS, SETTINGS.get("bad", 0))


class EarlyJournal(journal_module.Journal):
    """Sabotage: says that a commit is safe, and writes it with the next one."""

    def commit(self, cls):
        waiting = getattr(self, "waiting", None)
        self.waiting = self._pending[cls], cls
        self._pending[cls] = bytearray()
        if waiting is not None:
            self._pending[waiting[1]] = waiting[0]
            super().commit(waiting[1])
        return True


class ForgetfulJournal(journal_module.Journal):
    """Sabotage: evicts without telling the mark."""

    def _choose_victims(self, cls, size, after, is_write_next=True):
        return super()._choose_victims(cls, size, after.copy(), is_write_next)


class LossyJournal(journal_module.Journal):
    """Sabotage: a tail that is full is begun anew, and its records are in no segment."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self._chains.fold = lambda cls, state, mark=b"": self._chains.tails[cls].drop()


JOURNALS = {
    "": journal_module.Journal,
    "early": EarlyJournal,
    "forgetful": ForgetfulJournal,
    "lossy": LossyJournal,
}


TAIL_BYTES = SETTINGS.get("tail_bytes", 0)
UNITS = {"progsize": 128, "readsize": 128} if TAIL_BYTES else {}


def mount(device):
    return vfs.VfsLfs2(device, mtime=False, **UNITS)


def open_journal(device, rng_id):
    journal = JOURNALS[SETTINGS["sabotage"]]
    segment_bytes = 2 * BLOCK_BYTES if TAIL_BYTES else 4 * BLOCK_BYTES
    return journal(mount(device), lambda: rng_id, segment_bytes=segment_bytes, tail_bytes=TAIL_BYTES)


def run_on(device, rng, promises, on_promise):
    return Run(lambda rng_id: open_journal(device, rng_id), rng, promises, on_promise, TAIL_BYTES > 0)


def judge_cut(image, promises, rng, depth):
    """Start on the image as the cut left it, judge, go on, and perhaps cut that again. Returns (cuts, faults)."""
    device = flash.Flash(BLOCK_BYTES, BLOCKS, image, BAD)
    before = device.begin_log()
    stamps = []
    now = promises.at(promises.stand())

    def on_promise():
        stamps.append((len(device.log), now.stand()))

    run = run_on(device, rng, now, on_promise)
    # The cut may have come before the journal had an id.
    on_promise()
    run.journal = open_journal(device, 0x7777)
    found = oracle.drain(run.journal, 0)
    cuts, faults = 1, oracle.judge(promises, run.journal, found)
    if faults:
        return cuts, faults
    # What was under way and arrived is promised from now on.
    last = now.committed[-1][0] if now.committed else -1
    now.committed.extend([r for r in found if r[0] > last])
    now.under_way, now.journal_id = [], run.journal.id
    now.acked = run.journal.acked if run.journal.acked > now.acked else now.acked
    run.describe()
    for cls in (2, 1, 2):
        if now.committed and run.journal.next_seq <= now.committed[-1][0]:
            faults.append(("reused", "%d" % run.journal.next_seq))
        if not run.commit(cls, 1) and cls == 2:
            faults.append(("lost", "not writable after the cut"))
    faults.extend(oracle.judge(now, open_journal(flash.Flash(BLOCK_BYTES, BLOCKS, bytearray(device.image), BAD), 0)))
    if not faults and depth and device.log:
        at = rng.randrange(len(device.log))
        for operation in device.log[:at]:
            flash.apply(before, BLOCK_BYTES, operation)
        then = now.at(stand_at(stamps, at))
        more, faults = judge_cut(before, then, rng, depth - 1)
        cuts += more
    return cuts, faults


def stand_at(stamps, at):
    """How the promises stood when operation `at` was about to happen."""
    best = stamps[0][1]
    for when, stand in stamps:
        if when > at:
            break
        best = stand
    return best


def main():
    rng = Rng(SETTINGS["seed"])
    device = flash.Flash(BLOCK_BYTES, BLOCKS, bad=BAD)
    vfs.VfsLfs2.mkfs(device, **UNITS)
    image = device.begin_log()
    promises = oracle.Promises()
    stamps = []

    def on_promise():
        stamps.append((len(device.log), promises.stand()))

    on_promise()
    run = run_on(device, rng, promises, on_promise)
    run.start()
    while len(promises.committed) < SETTINGS["records"]:
        run.turn()
    log = device.log
    evicted = list(run.journal.evicted)

    report = {"operations": len(log), "cuts": 0, "evicted": evicted, "acked": promises.acked, "faults": {}, "first": []}
    every = max(1, len(log) // SETTINGS["cuts"]) if SETTINGS["cuts"] else 1
    stamp = 0
    for at in range(len(log)):
        while stamp + 1 < len(stamps) and stamps[stamp + 1][0] <= at:
            stamp += 1
        if at % every == SETTINGS["seed"] % every:
            sizes = [0] + flash.torn_sizes(log[at], BLOCK_BYTES, rng)
            if every > 1:
                sizes = [sizes[rng.randrange(len(sizes))]]
            for size in sizes:
                cut = bytearray(image)
                flash.apply(cut, BLOCK_BYTES, log[at], size)
                cuts, faults = judge_cut(cut, promises.at(stamps[stamp][1]), rng, 1 if rng.randrange(3) == 0 else 0)
                report["cuts"] += cuts
                for kind, detail in faults:
                    report["faults"][kind] = report["faults"].get(kind, 0) + 1
                    if len(report["first"]) < 5:
                        report["first"].append("cut at %d of %d, %d bytes: %s %s" % (at, len(log), size, kind, detail))
        flash.apply(image, BLOCK_BYTES, log[at])
    report["records"] = len(promises.committed)
    report["bad_met"] = device.bad_met
    print(json.dumps(report))


main()
