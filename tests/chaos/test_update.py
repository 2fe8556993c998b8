"""Releases from a folder of the gateway's to a board that samples at 1 kHz, by the real bridge, Mosquitto and link."""

import json
import time

import pytest
from paho.mqtt import publish

from kittiwake.demo.ledger import LedgerProcess
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.releases import DEVICE, UpdatedBoard, release
from tests.support.waiting import until

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(180)]
LIMIT_S = 60


@pytest.fixture
def plant(tmp_path):
    with Plant(tmp_path) as plant:
        yield plant


class Plant:
    """A broker, a bridge with a folder of releases, and a board."""

    def __init__(self, folder, own=None):
        self.folder, self._own = folder, own
        (folder / "releases").mkdir()
        (folder / "samples.i16").write_bytes(bytes(2 * 1000 * 600))
        channel = {"name": "signal", "rate_hz": 1000, "summary_samples": 1000}
        channel["source"] = {"kind": "replay", "path": str(folder / "samples.i16")}
        self.config = {"device": DEVICE, "health_s": 1, "commit_ms": 100, "channels": [channel]}

    def __enter__(self):
        self.broker = Mosquitto(self.folder).__enter__()
        self.ledger = LedgerProcess(self.broker.url, ["kittiwake/#"], self.folder / "ledger.jsonl").__enter__()
        self.board = UpdatedBoard(self.folder / "board", self.config, own=self._own).__enter__()
        config = self.folder / "gateway.toml"
        config.write_text(
            f'[broker]\nurl = "{self.broker.url}"\n[releases]\nfolder = "{self.folder}/releases"\n'
            f'[[devices]]\nport = "{self.board.link_port}"\n'
        )
        self.bridge = BridgeProcess.of_config(config)
        self.bridge.__enter__()
        return self

    def __exit__(self, *error):
        for each in (self.bridge, self.board, self.ledger, self.broker):
            each.__exit__(*error)

    def offer(self, raw, name="press.kwu"):
        (self.folder / "releases" / name).write_bytes(raw)
        wanted = json.dumps({"file": name})
        publish.single(f"kittiwake/{DEVICE}/release", wanted, 1, True, "127.0.0.1", self.broker.port)

    def bodies(self, kind):
        """What arrived at a topic of the device's, JSON."""
        topic = f"kittiwake/{DEVICE}/{kind}"
        return [json.loads(line["payload"]) for line in self.ledger.read() if line["topic"] == topic]

    def parsed(self, line):
        """A line of the ledger as its message."""
        return json.loads(line["payload"])

    def events(self):
        return [body["text"] for body in self.bodies("event")]

    def until_state(self, file, state, limit_s=LIMIT_S):
        said = lambda: [body for body in self.bodies("update") if body["file"] == file][-1:]  # noqa: E731
        until(
            lambda: said() and said()[0]["state"] == state,
            lambda: f"{state}, but {said()}, {self.events()}",
            limit_s,
            0.1,
        )
        return said()[0]

    def until_event(self, text, limit_s=LIMIT_S):
        until(lambda: any(text in each for each in self.events()), lambda: f"{text}, but {self.events()}", limit_s, 0.1)

    def boots_without_a_hole(self):
        """Starts that summaries came of, in each of which every sample is in one."""
        ends = {}
        for body in self.bodies("summary/signal"):
            ends.setdefault(body["boot"], set()).add(body["index"])
        for boot, indexes in ends.items():
            assert indexes == {1000 * (i + 1) for i in range(len(indexes))}, f"a sample of boot {boot} is in no summary"
        return len(ends)

    @property
    def arch(self):
        return "x64"


NODE = "kittiwake_node/node.py"
CHANNEL = "kittiwake_node/detect/channel.py"
SESSION = "kittiwake_node/link/device_session.py"
_STEP = "\n_step = Node.step\ndef _broken(self):\n    if self._clock.ms() > 100:\n        %s\n    return _step(self)\n"
RAISES_AT_IMPORT = {NODE: b"\nraise ValueError('broken at import')\n"}
EATS_THE_HEAP = {NODE: (_STEP % "self.hoard = [bytes(4000) for _ in range(10000)]").encode() + b"Node.step = _broken\n"}
NEVER_SAMPLES = {CHANNEL: b"\nChannel.step = lambda self: False\n"}
NEVER_CONNECTS = {SESSION: b"\nDeviceSession.feed = lambda self, data, now_ms: None\n"}
HANGS = {NODE: (_STEP % "while True: pass").encode() + b"Node.step = _broken\n"}


def test_releases_arrive_while_sampling_and_bad_ones_take_themselves_back(plant):
    settings = {"channels": plant.config["channels"], "health_s": 1, "commit_ms": 100}
    arch = plant.arch

    plant.offer(release(2, arch=arch, config=settings), "2.kwu")
    done = plant.until_state("2.kwu", "running")
    assert done["counter"] == 2 and plant.board.marks() == {"app-a": {"ready"}, "app-b": {"ready"}}
    sent = done["sent_bytes"]
    # One module, and what every release has anew: its table.
    plant.offer(release(3, 2, arch=arch, config=settings, damage={NODE: b"\n# 3\nMARK = 3\n"}), "3.kwu")
    assert plant.until_state("3.kwu", "running")["counter"] == 3
    plant.until_event("release 1.3 (3) proved itself")
    less = plant.bodies("update")[-1]["sent_bytes"]
    assert less < sent and less < 30_000, (less, sent)
    assert json.loads((plant.board.board_dir / "app-a" / "node.json").read_text())["device"] == DEVICE

    cases = [
        (4, RAISES_AT_IMPORT, "it raised ValueError: broken at import"),
        (5, EATS_THE_HEAP, "it raised MemoryError"),
        (6, NEVER_SAMPLES, "channel 0 has given no sample"),
        (7, NEVER_CONNECTS, "no record of it was acknowledged"),
    ]
    for counter, damage, reason in cases:
        raw = release(counter, 2, arch=arch, config=settings, damage=damage, trial_s=5)
        plant.offer(raw, f"{counter}.kwu")
        assert reason in plant.until_state(f"{counter}.kwu", "back")["reason"]
        plant.until_event(f"release 1.{counter} ({counter}) was taken back: {reason}")
        assert plant.board.marks()["app-a"] == {"ready"}

    # A watchdog's part is played by the supply: three starts, for a reset may be the supply's fault.
    plant.offer(release(8, 2, arch=arch, config=settings, damage=HANGS, trial_s=5), "8.kwu")
    for _ in range(3):
        until(lambda: plant.board.marks()["app-b"] == {"trial", "tried"}, "a trial", LIMIT_S)
        time.sleep(0.5)
        plant.board.cut_power()
        plant.board.start_node()
    assert plant.until_state("8.kwu", "back")["reason"] == "it was reset before it had proved itself"

    assert plant.boots_without_a_hole() >= 4
    refused = [
        (release(11, key=1, arch=arch, config=settings), "signed by no key that this board trusts"),
        (release(2, arch=arch, config=settings), "its counter is 2, and that of the release that runs is 3"),
        (release(9, boards=["qemu-virt"], config=settings), "it has no build for this board"),
    ]
    for number, (raw, reason) in enumerate(refused):
        plant.offer(raw, f"refused-{number}.kwu")
        assert reason in plant.until_state(f"refused-{number}.kwu", "refused")["reason"]
    plant.offer(release(10, 2, arch=arch, config=settings), "10.kwu")
    assert plant.until_state("10.kwu", "running")["counter"] == 10
