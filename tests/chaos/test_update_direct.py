"""Releases by MQTT alone: the server of releases, a real Mosquitto, and a board that speaks MQTT itself."""

import json

import pytest

from kittiwake.demo.ledger import LedgerProcess
from tests.chaos.test_update import NODE, RAISES_AT_IMPORT, Plant
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.releases import UpdatedBoard, release
from tests.support.waiting import until

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(240)]
LIMIT_S = 60
NEVER_CONNECTS = {"kittiwake_node/mqtt/session.py": b"\nMqttSession.feed = lambda self, data, now_ms: None\n"}


class DirectPlant(Plant):
    """A broker, a server of releases, and a board without a gateway."""

    def __enter__(self):
        self.broker = Mosquitto(self.folder).__enter__()
        self.ledger = LedgerProcess(self.broker.url, ["kittiwake/#"], self.folder / "ledger.jsonl").__enter__()
        self.config |= {"link": "mqtt", "mqtt": {"url": self.broker.url, "keepalive_s": 5}}
        self.board = UpdatedBoard(self.folder / "board", self.config).__enter__()
        self.bridge = BridgeProcess.of_releases(self.folder / "releases", self.broker.url)
        self.bridge.__enter__()
        return self

    def release(self, counter, number=None, **order):
        settings = {name: self.config[name] for name in ("channels", "health_s", "commit_ms", "link", "mqtt")}
        return release(counter, number, arch=self.arch, config=settings, **order)

    def pieces(self):
        return sum(body.get("step") == "piece" for body in self.bodies("cmd"))


@pytest.fixture
def plant(tmp_path):
    with DirectPlant(tmp_path) as plant:
        yield plant


def test_direct_release_arrives_through_outages_in_the_middle_of_its_pieces(plant):
    plant.offer(plant.release(2, trial_s=10, damage={NODE: b"\nPADDING = b'%s'\n" % (40_000 * b"x")}), "2.kwu")
    # In the middle of the pieces: server, broker and board go, each by itself, and come back.
    for harm, mend in (
        (plant.bridge.kill, plant.bridge.start),
        (plant.broker.kill, plant.broker.start),
        (plant.board.cut_power, plant.board.start_node),
    ):
        seen = plant.pieces()
        until(lambda seen=seen: plant.pieces() > seen + 3, "pieces", LIMIT_S)
        harm()
        assert plant.board.marks()["app-b"] == set(), "the release was there before it was cut"
        mend()
    done = plant.until_state("2.kwu", "running", 2 * LIMIT_S)
    assert done["counter"] == 2 and plant.board.marks() == {"app-a": {"ready"}, "app-b": {"ready"}}
    plant.until_event("release 1.2 (2) proved itself")
    assert json.loads((plant.board.board_dir / "app-b" / "node.json").read_text())["mqtt"] == plant.config["mqtt"]


# It is the same over a link, and tried there in every run.
@pytest.mark.soak
def test_direct_change_of_one_module_takes_few_bytes_and_what_does_not_work_is_taken_back(plant, figures):
    plant.offer(plant.release(2, trial_s=10), "2.kwu")
    plant.until_state("2.kwu", "running")
    plant.offer(plant.release(3, 2, trial_s=10, damage={NODE: b"\n# 3\nMARK = 3\n"}), "3.kwu")
    less = plant.until_state("3.kwu", "running")["sent_bytes"]
    assert 0 < less < 30_000
    figures(f"direct MQTT: {less} bytes in pieces for a change of one module")
    for counter, damage, reason in (
        (4, RAISES_AT_IMPORT, "it raised ValueError: broken at import"),
        (5, NEVER_CONNECTS, "no record of it was acknowledged"),
    ):
        plant.offer(plant.release(counter, 2, damage=damage, trial_s=5), f"{counter}.kwu")
        assert reason in plant.until_state(f"{counter}.kwu", "back")["reason"]
        plant.until_event(f"release 1.{counter} ({counter}) was taken back: {reason}")
    plant.offer(plant.release(6, key=1), "6.kwu")
    assert "no key that this board trusts" in plant.until_state("6.kwu", "refused")["reason"]
