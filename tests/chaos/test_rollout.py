"""Roll-outs over a simulated fleet and a real broker: waves, a bad release, boards away, a process that is killed.

KITTIWAKE_SOAK=1 makes it 500 boards, CI 60.
"""

import contextlib
import json
import random
import subprocess
import sys
import time
from functools import partial

import pytest

from kittiwake.fleet.inventory import Device
from kittiwake.fleet.store import FleetStore
from kittiwake.release import keys
from kittiwake.release import make as releases
from tests.mosquitto import Mosquitto
from tests.support.hil import SOAK
from tests.support.processes import dying_with_us
from tests.support.simulated_fleet import Board, SimulatedFleet
from tests.support.waiting import until

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(900 if SOAK else 240)]

BOARDS = 500 if SOAK else 60
AWAY = 30 if SOAK else 6
LIMIT_S = 300 if SOAK else 90
COUNTERS = {"good.kwu": 2, "bad.kwu": 3, "again.kwu": 4}
# Nothing on disk: what a broker costs that saves every change is not what is looked at.
BROKER = "listener PORT 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"
FIRMWARE = {"kittiwake_node/__init__.py": b"__version__ = '1'\n"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with releases, signed."""
    folder = tmp_path_factory.mktemp("releases")
    keys.make(folder / "press.key", b"correct horse battery")
    signer = keys.read_private(folder / "press.key", lambda: b"correct horse battery")
    for name, counter in COUNTERS.items():
        order = releases.Order(name, counter, ["x64"], None, {}, 10, "", name == "again.kwu")
        (folder / name).write_bytes(releases.make(order, [signer], FIRMWARE))
    return folder


class Site:
    """A broker, a fleet, and the command's place."""

    def __init__(self, folder, made, broker, fleet):
        self.folder, self.made, self.broker, self.fleet = folder, made, broker, fleet
        with FleetStore(folder / "fleet.sqlite") as store:
            store.write(Device(name) for name in fleet.boards)
            store.tag(fleet.boards, {"group": "press"})

    def command(self, *words):
        command = [sys.executable, "-m", "kittiwake", "rollout", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=60)

    def begin(self, file, *words):
        named = ["--to", "group=press", "--watch", "1", "--broker", self.broker.url, "--begin-only"]
        done = self.command("start", str(self.made / file), *named, *words)
        assert done.returncode == 0, done.stderr

    @contextlib.contextmanager
    def process(self):
        """`kittiwake rollout run`, killed at the end of the block."""
        command = [sys.executable, "-m", "kittiwake", "rollout", "run", "--broker", self.broker.url]
        with subprocess.Popen(dying_with_us(command), cwd=self.folder, stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    def status(self):
        done = self.command("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def until(self, condition, what):
        return until(lambda: (now := self.status()) and condition(now) and now, what, LIMIT_S, pause_s=0.5)


@pytest.fixture
def site(tmp_path, made):
    chance = random.Random(17)
    names = [f"kw-{number:03d}" for number in range(BOARDS)]
    bad = set(chance.sample(names, BOARDS // 10 if SOAK else BOARDS // 3))
    boards = [Board(name, "restarts" if name in bad else "") for name in names]
    with (
        Mosquitto(tmp_path, whole=BROKER) as broker,
        SimulatedFleet(broker.port, boards, COUNTERS, COUNTERS["bad.kwu"]) as fleet,
    ):
        yield Site(tmp_path, made, broker, fleet)


def has_passed(count, status):
    return phases(status).get("passed", 0) >= count


def phases(status):
    listed = [board["phase"] for board in status["boards"]]
    return {phase: listed.count(phase) for phase in set(listed)}


def test_good_release_reaches_all_while_the_process_is_killed_and_boards_are_away(site, figures):
    chance = random.Random(5)
    site.begin("good.kwu")
    waves = site.status()["waves"]
    away = chance.sample([name for wave in waves[1:] for name in wave], AWAY)
    for name in away:
        site.fleet.leave(name)
    begun = time.monotonic()
    for kill in range(5):
        with site.process():
            site.until(partial(has_passed, kill * BOARDS // 8), f"progress {kill}")
    with site.process() as process:
        there = BOARDS - AWAY
        status = site.until(lambda status: phases(status) == {"passed": there, "waiting": AWAY}, "all that are there")
        assert status["state"] == "running"
        for name in away:
            site.fleet.appear(name)
        assert process.wait(LIMIT_S) == 0
    took_s = time.monotonic() - begun
    status = site.status()
    assert status["state"] == "done" and phases(status) == {"passed": BOARDS}
    assert site.fleet.running() == {COUNTERS["good.kwu"]: BOARDS}
    assert all(board.ran == [1, 2] for board in site.fleet.boards.values()), "nobody took it twice"
    offered = [decision["device"] for decision in status["decisions"] if decision["text"] == "offered"]
    wave_of = {name: number for number, wave in enumerate(waves) for name in wave}
    there_first = [wave_of[name] for name in offered if name not in away]
    assert sorted(offered) == sorted(wave_of) and there_first == sorted(there_first)
    sizes = ", ".join(str(len(wave)) for wave in waves)
    figures(f"roll-out: {BOARDS} boards in waves of {sizes}, {AWAY} away at first, killed 5 times: {took_s:.0f} s")


def test_release_that_makes_boards_restart_is_halted_in_its_first_share_and_taken_back(site):
    site.begin("bad.kwu", "--canary", "3", "--share", "50", "--share", "100")
    waves = site.status()["waves"]
    for name in waves[0]:
        site.fleet.boards[name].fault = ""
    with site.process() as process:
        status = site.until(lambda status: status["state"] == "halted", "the halt")
        halt = next(decision["text"] for decision in status["decisions"] if not decision["device"])
        assert halt.startswith("halted: wave 2") and "restarts: " in halt
        touched = {board["device"] for board in status["boards"] if board["phase"] != "waiting"}
        assert touched <= {*waves[0], *waves[1]} and len(touched) < BOARDS
        assert site.command("back", str(site.made / "again.kwu")).returncode == 0
        assert process.wait(LIMIT_S) == 5
    status = site.status()
    assert status["state"] == "done" and phases(status) == {"returned": len(touched), "waiting": BOARDS - len(touched)}
    untouched = {name for name, board in site.fleet.boards.items() if board.ran == [1]}
    assert untouched == set(site.fleet.boards) - touched
    assert site.fleet.running() == {4: len(touched), 1: len(untouched)}
    shown = site.command("status", "--log", "-o", "rollout.svg").stdout
    assert "offered" in shown and "boards are to run again.kwu" in shown
    assert "halted: wave 2" in (site.folder / "rollout.svg").read_text()


def test_pause_resume_and_abort_are_taken_up_and_refused_where_they_make_no_sense(site):
    site.begin("good.kwu")
    assert "under way" in site.command("start", str(site.made / "good.kwu"), "--begin-only").stderr
    assert site.command("pause").returncode == 0
    with site.process() as process:
        site.until(lambda status: status["state"] == "paused" and status["wanted"] is None, "the pause")
        assert set(phases(site.status())) <= {"waiting"}
        assert site.command("resume").returncode == 0
        site.until(partial(has_passed, 1), "the canary")
        assert site.command("abort").returncode == 0
        process.wait(LIMIT_S)
    assert site.status()["state"] == "aborted"
    for words, why in (
        (["resume"], "is aborted"),
        (["back", str(site.made / "good.kwu")], "make it with --downgrade"),
        (["back", "nothing.kwu"], "cannot be read"),
        (["start", str(site.made / "good.kwu"), "--to", "group=none"], "has no device"),
        (["start", str(site.made / "good.kwu"), "--share", "20"], "do not rise to all"),
        (["start", str(site.made / "good.kwu"), "--window", "22"], "no window of time"),
    ):
        done = site.command(*words)
        assert done.returncode == 2 and why in done.stderr, done.stderr
