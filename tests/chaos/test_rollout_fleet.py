"""Roll-outs to a fleet behind two bridges: the firmware's core on this machine, and real nodes beside it.

A good release in waves, its process killed on the way and boards away; then one that makes a tenth of the boards
restart, in the soak alone. KITTIWAKE_SOAK=1 makes it 500 boards and 20 nodes with the whole firmware; CI ten boards
with one module.
"""

import contextlib
import hashlib
import json
import random
import subprocess
import sys
import time
from functools import partial

import pytest

from kittiwake.release import container
from kittiwake.rollout import plan as plans
from kittiwake.rollout.store import RolloutStore
from tests.mosquitto import Mosquitto
from tests.support.core_boards import CoreBoard, CoreFleet
from tests.support.hil import SOAK
from tests.support.processes import BridgeProcess, dying_with_us
from tests.support.releases import UpdatedBoard, release
from tests.support.waiting import until

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(3000 if SOAK else 240)]

BOARDS, NODES = (500, 20) if SOAK else (10, 0)
AWAY, KILLS, TRIAL_S, WATCH_S = (30, 5, 60, 15) if SOAK else (2, 2, 10, 1)
SHARES = (0.1, 0.5, 1.0) if SOAK else (1.0,)
LIMIT_S = 1500 if SOAK else 90
GOOD, BAD = 2, 3
NAMES = [f"kw-{number:03d}" for number in range(BOARDS)] + [f"node-{number:02d}" for number in range(NODES)]
FIRST = plans.waves(NAMES, "bad.kwu", shares=SHARES)[0]
FAULTY = frozenset(random.Random(17).sample(sorted(set(NAMES) - set(FIRST)), max(len(NAMES) // 10, 2)))
# Hundreds of boards on two cores wait for one another: how long a turn takes says nothing of a release here.
LIMITS = plans.Limits(loop_us=5_000_000)
# What a node of this release does in place of what CoreBoard does: it restarts, once it has proved itself.
_RESTARTS = f"""
_step = Node.step
def _restarting(self):
    if self.device in {sorted(FAULTY)!r} and self._updates._trial is None and self._clock.ms() > 5000:
        raise SystemExit(75)
    return _step(self)
Node.step = _restarting
"""


class Site:
    """A broker, two bridges with their folder of releases, and the fleet.

    Attributes:
        fleet: CoreFleet.
        nodes: name -> UpdatedBoard.
    """

    def __init__(self, folder):
        self.folder = folder
        (folder / "releases").mkdir()
        (folder / "samples.i16").write_bytes(bytes(2 * 100 * 3600))
        source = {"kind": "replay", "path": str(folder / "samples.i16")}
        channels = [{"rate_hz": 100, "summary_samples": 100, "source": source}]
        self._settings = {"health_s": 1, "commit_ms": 100, "channels": channels}

    def make(self, name, counter, **more):
        """Make a release for all of the fleet; returns its bytes."""
        alone = {"kittiwake_node/__init__.py": f"__version__ = '1.{counter}'\n".encode()}
        firmware = {} if NODES else {"firmware": alone}
        order = {"arch": "x64", "config": self._settings, "trial_s": TRIAL_S}
        raw = release(counter, **order, **firmware, **more)
        (self.folder / "releases" / name).write_bytes(raw)
        return raw

    @contextlib.contextmanager
    def running(self):
        held = {file.path: file.content for file in container.read(self.make("old.kwu", 1), "old").files(0)}
        self.make("good.kwu", GOOD)
        self.make("bad.kwu", BAD, damage={"kittiwake_node/node.py": _RESTARTS.encode()} if NODES else None)
        self.make("again.kwu", GOOD, allows_downgrade=True)
        boards = []
        for name in NAMES[:BOARDS]:
            own = {**held, "node.json": json.dumps({"device": name}).encode()}
            boards.append(CoreBoard(name, self.folder / name, own, BAD if name in FAULTY else 0))
        with contextlib.ExitStack() as stack:
            self.broker = stack.enter_context(Mosquitto(self.folder, whole=_BROKER))
            self.fleet = stack.enter_context(CoreFleet(boards, "x64"))
            self.nodes = {
                name: stack.enter_context(UpdatedBoard(self.folder / name, self._settings | {"device": name}))
                for name in NAMES[BOARDS:]
            }
            urls = [board.port.url for board in boards] + [node.link_port for node in self.nodes.values()]
            for number, name in enumerate(("north", "south")):
                self._config(name).write_text(
                    f'[bridge]\nid = "{name}"\nlog_level = "warning"\n[broker]\nurl = "{self.broker.url}"\n'
                    f'[releases]\nfolder = "{self.folder}/releases"\n'
                    + "".join(f'[[devices]]\nport = "{url}"\n' for url in urls[number::2])
                )
                stack.enter_context(BridgeProcess.of_config(self._config(name)))
            until(self._all_are_there, "every board on line", LIMIT_S, 0.5)
            yield self

    def _config(self, name):
        return self.folder / f"{name}.toml"

    def _all_are_there(self):
        done = self.command("fleet", "list", "-c", "north.toml", "--wait", "2", "--json")
        assert done.returncode == 0, done.stderr
        devices = {device["name"]: device for device in json.loads(done.stdout)}
        there = {name for name, device in devices.items() if device["state"] == "online"}
        return there == set(NAMES) and {device["bridge"] for device in devices.values()} == {"north", "south"}

    def command(self, *words):
        command = [sys.executable, "-m", "kittiwake", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=120)

    def begin(self, file, counter):
        """Begin a roll-out in waves; returns them."""
        waves = plans.waves(NAMES, file, shares=SHARES)
        sha256 = hashlib.sha256((self.folder / "releases" / file).read_bytes()).hexdigest()
        plan = plans.Plan(file, f"1.{counter}", counter, waves, watch_s=WATCH_S, limits=LIMITS, sha256=sha256)
        with RolloutStore(self.folder / "rollouts.sqlite") as store:
            store.begin(plan, time.time_ns() // 1_000_000)
        return waves

    @contextlib.contextmanager
    def process(self):
        """`kittiwake rollout run`, killed at the end of the block."""
        command = [sys.executable, "-m", "kittiwake", "rollout", "run", "-c", "north.toml"]
        with subprocess.Popen(dying_with_us(command), cwd=self.folder, stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                process.kill()

    def kept(self):
        with RolloutStore(self.folder / "rollouts.sqlite") as store:
            return store.read()

    def decisions(self):
        with RolloutStore(self.folder / "rollouts.sqlite") as store:
            return store.decisions(store.read().id)

    def phases(self):
        """Phase -> names of its boards."""
        found = {}
        for member in self.kept().members:
            found.setdefault(member.phase.value, set()).add(member.device)
        return found

    def until(self, condition, what):
        until(condition, lambda: f"{what}: {[(k, len(v)) for k, v in self.phases().items()]}", LIMIT_S, 0.2)


# Nothing on disk: what a broker costs that saves every change is not what is looked at.
_BROKER = "listener PORT 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("fleet")).running() as site:
        yield site


def test_good_release_reaches_every_board_behind_two_bridges(site, figures):
    waves = site.begin("good.kwu", GOOD)
    away = set(random.Random(5).sample([name for name in waves[-1] if name not in site.nodes], AWAY))
    site.fleet.leave(away)
    there = set(NAMES) - away
    begun_s = time.monotonic()
    for kill in range(KILLS):
        with site.process():
            site.until(partial(has_passed, site, kill * len(NAMES) // 8), f"progress {kill}")
    with site.process() as process:
        site.until(lambda: site.phases() == {"passed": there, "waiting": away}, "all that are there")
        there_s = time.monotonic() - begun_s
        site.fleet.appear(away)
        assert process.wait(LIMIT_S) == 0
    took_s = time.monotonic() - begun_s
    assert site.kept().state.value == "done" and site.phases() == {"passed": set(NAMES)}
    assert site.fleet.running() == {GOOD: BOARDS}
    assert {tuple(board.ran) for board in site.fleet.boards.values()} == {(0, GOOD)}
    assert {node.starts for node in site.nodes.values()} <= {1}, "nobody took it twice"
    offered = [decision.device for decision in site.decisions() if decision.text == "offered"]
    wave_of = {name: number for number, wave in enumerate(waves) for name in wave}
    numbers = [wave_of[name] for name in offered]
    assert sorted(offered) == sorted(NAMES) and numbers == sorted(numbers)
    sizes = ", ".join(str(len(wave)) for wave in waves)
    figures(
        f"roll-out to {BOARDS} boards of the firmware's core and {NODES} nodes behind two bridges, in waves of "
        f"{sizes}, killed {KILLS} times: {there_s:.0f} s, and {took_s - there_s:.0f} s for the {AWAY} that were away"
    )


def has_passed(site, count):
    return len(site.phases().get("passed", ())) >= count


@pytest.mark.soak
def test_release_that_makes_boards_restart_is_halted_in_its_first_share_and_taken_back(site, figures):
    waves = site.begin("bad.kwu", BAD)
    begun_s = time.monotonic()
    with site.process() as process:
        site.until(lambda: site.kept().state.value == "halted", "the halt")
        halted_s = time.monotonic() - begun_s
        halt = next(decision.text for decision in site.decisions() if not decision.device)
        assert halt.startswith("halted: wave 2") and "restarts: " in halt
        touched = set(NAMES) - site.phases().get("waiting", set())
        assert set(waves[0]) < touched <= {*waves[0], *waves[1]}
        assert site.command("rollout", "back", "releases/again.kwu").returncode == 0
        assert process.wait(LIMIT_S) == 5
    back_s = time.monotonic() - begun_s - halted_s
    assert site.kept().state.value == "done"
    assert site.phases() == {"returned": touched, "waiting": set(NAMES) - touched}
    had = {name for name, board in site.fleet.boards.items() if BAD in board.ran}
    assert had <= touched and {site.fleet.boards[name].counter for name in had} == {GOOD}
    assert {name for name in touched if name in FAULTY}, "none of the faulty was offered it"
    figures(
        f"roll-out of a release that makes {len(FAULTY)} of {len(NAMES)} boards restart: halted after "
        f"{halted_s:.0f} s in wave 2, {len(touched)} touched, taken back in {back_s:.0f} s"
    )
