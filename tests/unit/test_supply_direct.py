"""Releases over MQTT: what a server of releases makes of statuses and responses, and what a bridge leaves to it."""

import binascii
import json
import struct

import pytest

from kittiwake.bridge.command_queue import CommandQueue
from kittiwake.release import make as releases
from kittiwake.release.keys import PrivateKey
from kittiwake.supply.direct import PATIENCE_S, DirectDevices
from kittiwake.supply.shelf import Shelf, Wanted
from kittiwake_node.link import messages as m
from kittiwake_node.mqtt import json_commands
from tests.support import release_keys

WANTS, RUNNING_3 = 2, 3


class Site:
    """A server's devices without a broker: what it publishes, and a board that is asked by hand."""

    def __init__(self, folder):
        order = releases.Order("1.4", 4, ["x64"])
        signer = PrivateKey(release_keys.private_key())
        (folder / "press.kwu").write_bytes(releases.make(order, [signer], {"kittiwake_node/a.py": b"A = 1\n"}))
        self.published = []
        self.devices = DirectDevices(Shelf(str(folder)), "kw", lambda *message: self.published.append(message))
        self.devices.take("kw/press-7/release", b'{"file": "press.kwu"}')

    def asked(self):
        """The newest command, as its fields."""
        topic, payload, is_retained = [each for each in self.published if each[0] == "kw/press-7/cmd"][-1]
        assert not is_retained
        return json.loads(payload)

    def count(self):
        return sum(topic.endswith("/cmd") for topic, _, _ in self.published)

    def respond(self, fields, **more):
        self.devices.take(
            "kw/press-7/resp", json.dumps({"id": self.asked()["id"], "bridge": None, **fields, **more}).encode()
        )

    def reply(self, *progress):
        body = struct.pack("<BHIIIB", *progress)
        self.respond({"status": "ok", "result": {"data": binascii.b2a_base64(body).decode()}})

    def stands(self):
        return json.loads([payload for topic, payload, _ in self.published if topic == "kw/press-7/update"][-1])


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_supply_asks_a_board_that_is_there_and_gives_it_what_it_wants(site):
    assert not site.published  # it was not heard of
    site.devices.take("kw/press-7/status", b"online")
    assert (site.asked()["op"], site.asked()["step"], site.asked()["data"]) == ("update", "progress", "")
    site.reply(0, 0, 0, 0, RUNNING_3, 0)
    offer = site.asked()
    stored = site.devices.updates._shelf.find(Wanted("press.kwu"))
    assert offer["step"] == "offer"
    assert binascii.a2b_base64(offer["data"]) == stored.raw_head + stored.signatures[0]
    site.reply(WANTS, 0xFFFF, 0, 4, RUNNING_3, 0)
    piece = binascii.a2b_base64(site.asked()["data"])
    assert site.asked()["step"] == "piece"
    assert piece == struct.pack("<HI", 0xFFFF, 0) + stored.tables[0][:512]
    assert site.stands()["state"] == "receiving"


def test_supply_after_silence_asks_again_and_passes_over_what_comes_late(site):
    site.devices.take("kw/press-7/status", b"online")
    late = site.asked()["id"]
    site.devices.updates.tick(site.devices.updates._running["press-7"].due_s - 0.01)
    assert site.count() == 1
    site.devices.updates.tick(site.devices.updates._running["press-7"].due_s)
    assert site.count() == 2 and site.asked()["id"] != late
    body = binascii.b2a_base64(struct.pack("<BHIIIB", 0, 0, 0, 0, 3, 0)).decode()
    response = {"id": late, "bridge": None, "status": "ok", "result": {"data": body}}
    site.devices.take("kw/press-7/resp", json.dumps(response).encode())
    assert site.count() == 2
    site.devices.take("kw/press-7/status", b"offline")
    site.devices.updates.tick(site.devices.updates._running["press-7"].due_s + PATIENCE_S)
    assert site.count() == 2


def test_supply_leaves_a_board_to_the_bridge_that_answers_for_it(site):
    site.devices.take("kw/press-7/status", b"online")
    site.respond({"status": "invalid", "error": "op: there are"}, bridge="north")
    site.devices.updates.tick(site.devices.updates._running["press-7"].due_s + PATIENCE_S)
    assert site.count() == 1
    assert not [topic for topic, _, _ in site.published if topic.endswith("/update")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "refused", "error": "in no slot"}, "in no slot"),
        ({"status": "invalid", "error": "op: there are"}, "its firmware knows no releases: deploy it once"),
        ({"status": "ok", "result": {"data": "===="}}, "its firmware knows no releases: deploy it once"),
        ({"status": "ok", "result": [1]}, "its firmware knows no releases: deploy it once"),
    ],
)
def test_supply_says_why_a_board_takes_none(site, fields, reason):
    site.devices.take("kw/press-7/status", b"online")
    site.respond(fields)
    assert (site.stands()["state"], site.stands()["reason"]) == ("refused", reason)


@pytest.mark.parametrize("payload", [b"", b"[]", b'{"id": 7}', b'{"id": "x-1"}', b"\xff", b'{"id": {}}'])
def test_supply_passes_over_responses_to_others(site, payload):
    site.devices.take("kw/press-7/status", b"online")
    site.devices.take("kw/press-7/resp", payload)
    site.devices.take("kw/other/resp", payload)
    assert site.count() == 1


def test_board_takes_a_step_as_the_link_would_and_refuses_what_is_none():
    asked = []

    def handle(op, body, now_ms):
        asked.append((op, body))
        return m.OK, b"\1\2\0"

    commands = json_commands.JsonCommands("press-7", handle, json.loads, json.dumps, None)

    def respond(**fields):
        return json.loads(commands.respond(json.dumps({"id": "1", "op": "update", **fields}).encode(), 0))

    assert respond(step="piece", data="AAECAw==")["result"] == {"data": "AQIA"}
    assert asked == [(m.OP_UPDATE_PIECE, b"\0\1\2\3")]
    for fields in (
        {},
        {"step": ["piece"], "data": ""},
        {"step": "piece"},
        {"step": "fly", "data": ""},
        {"step": "offer", "data": "A" * 1401},
    ):
        assert respond(**fields)["status"] == "invalid"
    assert respond(step="offer", data="A")["status"] == "invalid"
    assert len(asked) == 1


@pytest.mark.parametrize(("link", "answers"), [(None, 0), (object(), 1)])
def test_bridge_answers_for_its_own_devices_alone_when_one_is_given_a_release(link, answers):
    responses, acknowledged = [], []
    queue = CommandQueue(
        "kw",
        "north",
        9,
        lambda device: link,
        lambda topic, payload, receipt: responses.append(json.loads(payload)),
        acknowledged.append,
        {},
        lambda: 0,
    )
    queue.on_message("kw/press-7/cmd", b'{"id": "a-1", "op": "update", "step": "progress", "data": ""}', 5)
    assert len(responses) == answers and acknowledged == [5] * (1 - answers)
    assert all(response["status"] == "invalid" for response in responses)
