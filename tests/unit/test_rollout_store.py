"""Roll-outs in their file: what was written comes back, whole, whoever died in between."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import time

import pytest

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.rollout.gates import Measures
from kittiwake.rollout.members import Back, Decision, Member, Phase, State
from kittiwake.rollout.plan import Limits, Plan
from kittiwake.rollout.store import RolloutStore

PLAN = Plan(
    "press-1.4.kwu", "1.4", 8, (("a",), ("b", "c")), 600, 300, 0.1, ((time(22), time(5, 30)),), Limits(restarts=2)
)
MEASURES = Measures(3, 1000, 2, 0, 90_000, 8_000, 0.1)
BACK = Back("press-1.3-again.kwu", 6)
NOW_MS = 1_767_323_045_000


def test_store_gives_back_what_was_written(tmp_path):
    members = [
        Member("a", 0, Phase.FAILED, NOW_MS, 5, NOW_MS, NOW_MS, MEASURES, replace(MEASURES, boot=4), "why", True),
        Member("b", 1),
    ]
    decisions = [Decision(NOW_MS, "a", "offered", Phase.OFFERED), Decision(NOW_MS + 1, "", "halted: a failed")]
    path = tmp_path / "rollouts.sqlite"
    with RolloutStore(path) as store:
        begun = store.begin(PLAN, NOW_MS)
        assert (begun.plan, begun.state, begun.members, begun.wanted, begun.back) == (
            PLAN,
            State.RUNNING,
            [],
            None,
            None,
        )
        store.write(begun.id, State.HALTED, members, decisions)
        store.ask(begun.id, State.BACK, BACK)
    with RolloutStore(path) as store:
        kept = store.read()
        assert (kept.id, kept.plan, kept.state, kept.begun_ms) == (begun.id, PLAN, State.HALTED, NOW_MS)
        assert (kept.wanted, kept.back) == (State.BACK, BACK) and kept.members == members
        assert store.decisions(kept.id) == decisions
        store.ask(kept.id, None)
        assert store.read(kept.id).wanted is None


def test_store_begins_one_roll_out_at_a_time(tmp_path):
    with RolloutStore(tmp_path / "r.sqlite") as store:
        with pytest.raises(UsageError, match="no such roll-out"):
            store.read()
        first = store.begin(PLAN, NOW_MS)
        with pytest.raises(UsageError, match=r"roll-out 1 of press-1\.4\.kwu is under way"):
            store.begin(PLAN, NOW_MS)
        store.write(first.id, State.DONE, [], [])
        assert store.begin(PLAN, NOW_MS).id == store.read().id == 2


def test_step_is_written_whole_or_not_at_all(tmp_path):
    """A process writes steps of two boards and one decision, and is killed in the middle, again and again."""
    path = tmp_path / "r.sqlite"
    with RolloutStore(path) as store:
        id = store.begin(PLAN, NOW_MS).id
    program = (
        "import sys\nfrom pathlib import Path\nfrom kittiwake.rollout.members import *\n"
        "from kittiwake.rollout.store import RolloutStore\nstore = RolloutStore(Path(sys.argv[1]))\n"
        "n = int(sys.argv[2])\n"
        "while True:\n"
        "    n += 1\n"
        "    both = [Member(name, 0, since_ms=n) for name in 'ab']\n"
        "    store.write(1, State.RUNNING, both, [Decision(n, '', str(n))])\n"
        "    print(n, flush=True)\n"
    )
    done = 0
    for _ in range(5):
        command = [sys.executable, "-c", program, str(path), str(done)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(7):
                done = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            done = max([done, *map(int, process.stdout.read().split())])
        with RolloutStore(path) as store:
            a, b = store.read(id).members
            assert a.since_ms == b.since_ms == len(store.decisions(id)) and a.since_ms in (done, done + 1)
            done = a.since_ms


def test_store_leaves_files_of_others_alone(tmp_path):
    path = tmp_path / "foreign"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    before = path.read_bytes()
    with pytest.raises(KittiwakeError, match="not a file of roll-outs"):
        RolloutStore(path)
    assert path.read_bytes() == before
