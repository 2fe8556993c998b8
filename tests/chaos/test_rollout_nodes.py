"""Roll-outs to real nodes on virtual boards, behind two bridges: a good release, and one that takes itself back.

KITTIWAKE_SOAK=1 makes it 20 boards, CI two.
"""

import contextlib
import json
import subprocess
import sys
import time

import pytest

from tests.mosquitto import Mosquitto
from tests.support.hil import SOAK
from tests.support.processes import BridgeProcess, dying_with_us
from tests.support.releases import UpdatedBoard, release
from tests.support.waiting import until

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(1200 if SOAK else 240)]

BOARDS = 20 if SOAK else 2
LIMIT_S = 600 if SOAK else 120
NODE = "kittiwake_node/node.py"


@pytest.fixture
def site(tmp_path):
    """A folder with a gateway's configuration, two bridges and boards that run release 1.0 of no number."""
    releases = tmp_path / "releases"
    releases.mkdir()
    (tmp_path / "samples.i16").write_bytes(bytes(2 * 100 * 3600))
    source = {"kind": "replay", "path": str(tmp_path / "samples.i16")}
    settings = {
        "health_s": 1,
        "commit_ms": 100,
        "channels": [{"rate_hz": 100, "summary_samples": 100, "source": source}],
    }
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(tmp_path))
        boards = [
            stack.enter_context(UpdatedBoard(tmp_path / f"board-{n}", settings | {"device": f"press-{n}"}))
            for n in range(BOARDS)
        ]
        for number, name in enumerate(("north", "south")):
            config = tmp_path / f"{name}.toml"
            ports = "".join(f'[[devices]]\nport = "{board.link_port}"\n' for board in boards[number::2])
            config.write_text(
                f'[bridge]\nid = "{name}"\n[broker]\nurl = "{broker.url}"\n[releases]\nfolder = "{releases}"\n{ports}'
            )
            stack.enter_context(BridgeProcess.of_config(config))
        yield Site(tmp_path, boards, settings)


class Site:
    def __init__(self, folder, boards, settings):
        self.folder, self.boards, self.settings = folder, boards, settings
        self.arch = "x64"

    def make(self, name, counter, **more):
        path = self.folder / "releases" / name
        path.write_bytes(release(counter, arch=self.arch, config=self.settings, **more))
        return str(path)

    def command(self, *words):
        command = [sys.executable, "-m", "kittiwake", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=LIMIT_S)

    def listed(self):
        done = self.command("fleet", "list", "-c", "north.toml", "--wait", "2", "--json")
        assert done.returncode == 0, done.stderr
        return {device["name"]: device for device in json.loads(done.stdout)}

    def status(self):
        return json.loads(self.command("rollout", "status", "--json").stdout)


def test_release_reaches_every_board_and_a_bad_one_stops_at_the_canary(site, figures):
    def is_there():
        listed = site.listed()
        return {name for name, device in listed.items() if device["state"] == "online"} == {
            f"press-{n}" for n in range(BOARDS)
        } and {device["bridge"] for device in listed.values()} == {"north", "south"}

    until(is_there, "every board on line", LIMIT_S)
    begun = time.monotonic()
    done = site.command("rollout", "start", site.make("good.kwu", 2), "-c", "north.toml", "--watch", "2")
    assert done.returncode == 0, done.stderr
    figures(f"roll-out to {BOARDS} virtual boards behind two bridges: {time.monotonic() - begun:.0f} s")
    status = site.status()
    assert status["state"] == "done" and {board["phase"] for board in status["boards"]} == {"passed"}
    assert all(board.starts == 1 for board in site.boards)

    bad = site.make("bad.kwu", 3, damage={NODE: b"\nraise ValueError('broken at import')\n"}, trial_s=10)
    begin = site.command("rollout", "start", bad, "-c", "north.toml", "--watch", "2", "--begin-only")
    assert begin.returncode == 0, begin.stderr
    command = [sys.executable, "-m", "kittiwake", "rollout", "run", "-c", "north.toml"]
    with subprocess.Popen(dying_with_us(command), cwd=site.folder) as process:
        try:
            until(lambda: site.status()["state"] == "halted", "the halt", LIMIT_S, 0.5)
            assert site.command("rollout", "abort").returncode == 0
            assert process.wait(LIMIT_S) == 5
        finally:
            process.kill()
    status = site.status()
    (failed,) = [board for board in status["boards"] if board["phase"] != "waiting"]
    assert failed["phase"] == "failed" and "back: it raised ValueError: broken at import" in failed["why"]
    assert {device["state"] for device in site.listed().values()} == {"online"}
