"""A machine's states at the gateway: in its figures, in its report, and as Home Assistant is told of them."""

import json

import pytest

from kittiwake.bridge import homeassistant, tally
from kittiwake.publish.channel_description import parse_description
from kittiwake.publish.publisher import Policy
from kittiwake.target import open_target
from kittiwake_node.link import machine_state
from kittiwake_node.link import record as rec
from tests.unit.test_metrics import DEVICE, told, values


def state(name, previous=""):
    return rec.STATE, 0, machine_state.pack_state(name, previous, 200, 4096, 256)


def test_metrics_count_the_states_that_began_and_say_which_holds():
    families, _, report = told(state("off"), state("fast", "off"), state("off", "fast"), (rec.STATE, 1, b"short"))
    labels = ("device", "channel", "state")
    assert values(families["kittiwake_channel_states"], *labels) == {
        (DEVICE, "vibration", "off"): 2,
        (DEVICE, "vibration", "fast"): 1,
    }
    assert values(families["kittiwake_channel_state"], *labels) == {
        (DEVICE, "vibration", "off"): 1,
        (DEVICE, "vibration", "fast"): 0,
    }
    assert report["channels"]["vibration"]["state"] == "off" and report["opaque"] == 1


def test_metrics_of_a_channel_that_told_no_state_have_none():
    families, _, report = told((rec.KEYWORD, 0, rec.STATE.to_bytes(1, "little")))
    assert not families["kittiwake_channel_state"].samples and "vibration" not in report["channels"]


def test_metrics_of_a_machine_of_very_many_states_stay_few():
    names = [f"state {number}" for number in range(200)]
    families, _, report = told(*(state(name, "x" * 31) for name in names))
    begun = values(families["kittiwake_channel_states"], "state")
    assert len(begun) == tally.STATES_LIMIT + 1 and sum(begun.values()) == 200
    held = values(families["kittiwake_channel_state"], "state")
    assert [name for name, value in held.items() if value] == [(tally.OTHERS,)]
    assert report["channels"]["vibration"]["state"] == tally.OTHERS


_DESCRIBE = """
from kittiwake_node import assembly, config
for channels in %r:
    print(assembly.describe(config.check({"channels": channels})["channels"]).decode())
"""


def described(*nodes):
    """The descriptions of nodes with these channels, each as its gateway reads it."""
    with open_target("unix") as board:
        return [parse_description(line.encode()) for line in board.exec(_DESCRIBE % (nodes,)).splitlines()]


def test_home_assistant_gets_a_sensor_of_the_state_for_a_channel_that_tells_some():
    plain, tells = {"name": "heat"}, {"kind": "states", "states": {"model": "m.kwm"}}
    channels, without = described([{"name": "fan", **tells}, plain], [{"name": "fan"}, plain])
    assert [(channel.name, channel.tells_states) for channel in channels] == [("fan", True), ("heat", False)]
    message = homeassistant.discovery(Policy(), "ha", "k/bridge/status", DEVICE, 1, channels)
    components = json.loads(message.payload)["components"]
    assert [name for name in components if name.endswith("state")] == ["0_state"]
    assert components["0_state"] == {
        "platform": "sensor",
        "unique_id": f"{DEVICE}_0_state",
        "name": "fan state",
        "state_topic": f"kittiwake/{DEVICE}/state/fan",
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": f"kittiwake/{DEVICE}/state/fan",
    }
    del components["0_state"]
    message = homeassistant.discovery(Policy(), "ha", "k/bridge/status", DEVICE, 1, without)
    assert components == json.loads(message.payload)["components"]


@pytest.mark.parametrize("kind", ['"sensor"', "null", "[]", "7", '"States"'])
def test_description_of_another_kind_tells_no_states(kind):
    (channel,) = parse_description(b'[{"kind": %s, "scale": "1/2"}]' % kind.encode())
    assert not channel.tells_states and not channel.is_raw


def test_discovery_of_as_many_channels_of_states_as_a_description_holds_is_bounded():
    raw = b"[" + b",".join([b'{"kind":"states"}'] * 55) + b"]"
    assert len(raw) <= 997
    message = homeassistant.discovery(Policy(), "homeassistant", "k/bridge/status", "dev", 1, parse_description(raw))
    assert len(json.loads(message.payload)["components"]) == 32 * 6 + 5
    assert len(message.payload) <= 64 * 1024
