"""A channel that tells a machine's states: the action before the record, slices, and golden bytes of the record."""

from array import array

import pytest

from kittiwake_node import kernels
from kittiwake_node.config import check
from kittiwake_node.detect.clip import Clip
from kittiwake_node.detect.state_judge import StateJudge
from kittiwake_node.detect.states import States
from kittiwake_node.detect.summary import Summary
from kittiwake_node.errors import ConfigError, FrameError
from kittiwake_node.link import machine_state, payload, record
from tests.support.fake_clock import FakeClock
from tests.unit.test_ear import ListSource

KERNEL = kernels.load("plain")
BLOCK, LAYERS = 8, 5


class Note:
    names = ("off", "on", "jammed")
    block, multiplier, shift, zero = BLOCK, 1, 1, 0


class Network:
    """Of LAYERS layers; tells the state that the block's first byte, less its zero point, stands for."""

    def begin(self, data):
        self._told, self._left = data[0], LAYERS

    def step(self):
        self._left -= 1
        return self._left

    def finish(self, result):
        for i in range(3):
            result[i] = 100 if i == self._told else 128


class Stage:
    """A channel, and what it said in what order."""

    def __init__(self, states, act=("jammed",), blocks=1, slice_us=2000, piece=64):
        # The mean rounds to 1000, so that the first byte is the state.
        samples = array("h", [x for state in states for x in [1000 + 2 * state] + [1000] * (BLOCK - 1)])
        channel = {"kind": "states", "summary_samples": 1000}
        channel["states"] = {"model": "m.kwm", "act": list(act), "blocks": blocks, "slice_us": slice_us}
        config = check({"channels": [channel]})["channels"][0]
        self.order, self.records, self.turns = [], [], 0
        clip = Clip(KERNEL, -32768, 32767)
        judge = StateJudge(KERNEL, Note, Network(), blocks, 26)
        self.source = ListSource(samples, piece)
        common = (0, config, self.source, Summary(KERNEL), clip, [], None, 64, self)
        self.channel = States(*common, judge, FakeClock(step_us=700))

    def emit(self, kind, number, cls, time_ms, body):
        self.records.append((kind, cls, body))
        if kind == record.STATE:
            self.order.append(machine_state.unpack_state(body)["name"])

    def on_alert(self, source, index):
        self.order.append(("act", index))

    def commit(self, cls):
        pass

    def on_microphone(self):
        pass

    def run(self):
        while not self.channel.ended:
            self.channel.step()
            self.turns += 1
        return self


@pytest.mark.parametrize("piece", [1, 7, 64])
def test_states_drive_the_action_before_the_record_and_only_for_those_chosen(piece):
    stage = Stage([0, 0, 1, 2, 2, 1], piece=piece).run()
    assert stage.order == ["off", "on", ("act", 4 * BLOCK - 1), "jammed", "on"]
    assert {cls for kind, cls, _ in stage.records if kind == record.STATE} == {record.ALERT}
    (summary,) = [payload.unpack_summary(body) for kind, _, body in stage.records if kind == record.SUMMARY]
    assert summary["n"] == 6 * BLOCK


def test_states_must_be_told_for_so_many_blocks_in_a_row():
    stage = Stage([0, 0, 1, 0, 1, 1, 2, 1, 2, 2], blocks=2).run()
    assert stage.order == ["off", "on", ("act", 10 * BLOCK - 1), "jammed"]


def test_states_let_the_network_work_for_a_slice_of_a_turn():
    slow, fast = Stage([0, 1, 2], slice_us=100).run(), Stage([0, 1, 2], slice_us=100000).run()
    assert slow.order == fast.order
    # A slice ends after a layer or, when it is long, after all of them.
    assert slow.turns - fast.turns == 3 * (LAYERS - 1)


def test_state_record_has_the_bytes_of_the_specification():
    raw = bytes.fromhex("003C00000000 003200000000 F1 02 03 6F6E 6F6666".replace(" ", ""))
    assert machine_state.pack_state("on", "off", 0xF1, 0x3C00, 0x3200) == raw
    told = machine_state.unpack_state(raw + b"later")
    assert told == {"name": "on", "previous": "off", "score": 241, "index": 15360, "lasted": 12800}
    for size in range(len(raw)):
        with pytest.raises(FrameError):
            machine_state.unpack_state(raw[:size])
    high = machine_state.unpack_state(machine_state.pack_state("on", "", 0, (1 << 48) - 1, 1 << 47))
    assert (high["index"], high["lasted"], high["previous"]) == ((1 << 48) - 1, 1 << 47, "")


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ({"kind": "states"}, "states.model: name the file"),
        ({"kind": "states", "states": {"model": "m.kwm", "blocks": 0}}, "states.blocks: 0 is not within 1"),
        ({"kind": "states", "states": {"model": "m.kwm", "margin": 256}}, "states.margin: 256 is not within 0"),
        ({"kind": "states", "states": {"model": "m.kwm", "act": [3]}}, "states.act: 0 to 255 names"),
        ({"kind": "states", "states": {"model": "m.kwm", "word": 1}}, "states.word: no such setting"),
        ({"states": {"model": "m.kwm"}}, "states: this channel tells none; write kind = states"),
    ],
)
def test_config_refuses_states_that_cannot_be(channel, why):
    with pytest.raises(ConfigError) as caught:
        check({"channels": [channel]})
    assert why in str(caught.value)
