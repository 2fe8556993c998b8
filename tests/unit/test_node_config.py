"""The node's configuration: defaults filled in, and every setting that cannot be refused by name."""

import copy
import json

import pytest

from kittiwake_node.config import DEFAULTS, READING_LIMIT_HZ, check
from kittiwake_node.errors import ConfigError
from kittiwake_node.link import exact_json

LEAST = {"channels": [{}]}


def _code(given):
    with pytest.raises(ConfigError) as caught:
        check(given)
    return caught.value.code


def test_config_with_one_channel_gets_every_default():
    config = check(LEAST)
    assert set(config) == set(DEFAULTS)
    channel = config["channels"][0]
    assert (channel["bits"], channel["rate_hz"], channel["scale"]) == (16, 1000, "1")


def test_config_that_is_checked_is_not_changed():
    given = {"device": "d", "channels": [{"name": "v", "source": {"kind": "link"}}]}
    before = copy.deepcopy(given)
    assert check(given)["channels"][0]["name"] == "v"
    assert given == before


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "channels"),
        ({"channels": [{}] * 9}, "channels"),
        ({"channels": {}}, "channels"),
        ({"devise": "x"} | LEAST, "devise"),
        ({"device": "a/b"} | LEAST, "device"),
        ({"device": 5} | LEAST, "device"),
        ({"block": 0} | LEAST, "block"),
        ({"block": "64"} | LEAST, "block"),
        ({"block": True} | LEAST, "block"),
        ({"health_s": 0} | LEAST, "health_s"),
        ({"commit_ms": 9} | LEAST, "commit_ms"),
        ({"channels": [{"bits": 17}]}, "channels[0].bits"),
        ({"channels": [{}, {"bits": 1}]}, "channels[1].bits"),
        ({"channels": [{"rate_hz": -1}]}, "channels[0].rate_hz"),
        ({"channels": [{"summary_samples": 0}]}, "channels[0].summary_samples"),
        ({"channels": [{"colour": "red"}]}, "channels[0].colour"),
        *[({"channels": [{"scale": x}]}, "channels[0].scale") for x in ("", "x", "1/0", 0.1, True, None, [1], "1e100")],
        ({"channels": [{"offset": "nan"}]}, "channels[0].offset"),
        ({"channels": [{"readings": 1}]}, "channels[0].readings"),
        ({"channels": [{"readings": True, "rate_hz": READING_LIMIT_HZ + 1}]}, "channels[0].readings"),
        ({"channels": [{"readings": True, "rate_hz": 0}]}, "channels[0].readings"),
    ],
)
def test_config_with_a_setting_that_cannot_be_names_it(given, code):
    assert _code(given) == code


def test_config_with_readings_at_the_limit_is_taken():
    assert check({"channels": [{"readings": True, "rate_hz": READING_LIMIT_HZ}]})["channels"][0]["readings"] is True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "configuration"),
        ({"channels": [5]}, "channels[0]"),
        ({"channels": [{"name": "a/b"}]}, "channels[0].name"),
        ({"channels": [{"name": "a" * 65}]}, "channels[0].name"),
        ({"channels": [{"name": "\u00e4"}]}, "channels[0].name"),
        ({"channels": [{"name": "a"}, {"name": "a"}]}, "channels[1].name"),
        ({"channels": [{"name": "1"}, {}]}, "channels[1].name"),
    ],
)
def test_config_of_the_wrong_form_is_refused_by_name(given, said):
    with pytest.raises(ConfigError) as caught:
        check(given)
    assert caught.value.code == said


def test_config_channels_without_names_are_called_by_their_numbers():
    assert [c["name"] for c in check({"channels": [{}, {}]})["channels"]] == ["0", "1"]


def test_config_checked_twice_shares_nothing():
    first = check({"channels": [{}]})
    first["action"]["kind"] = "pin"
    first["channels"][0]["detectors"].append({})
    assert check({"channels": [{}]})["action"]["kind"] == "virtual"
    assert len(check({"channels": [{}]})["channels"][0]["detectors"]) == 1


@pytest.mark.parametrize(
    ("source", "rate_hz", "said"),
    [
        ({"kind": "moon"}, 100, "kind"),
        ({"kind": 3}, 100, "kind"),
        ({"kind": "replay"}, 100, "path"),
        ({"kind": "replay", "path": 3}, 100, "path"),
        ({"kind": "link", "room": 0}, 100, "room"),
        ({"kind": "link", "room": "x"}, 100, "room"),
        ({"kind": "timer", "sensor": {"kind": "wave", "path": "x"}}, 0, "kind"),
        ({"kind": "timer", "sensor": {"kind": "wave", "path": "x"}, "room": 100}, 100, "room"),
        ({"kind": "timer"}, 100, "sensor"),
        ({"kind": "timer", "sensor": {"kind": "moon"}}, 100, "sensor"),
        ({"kind": "timer", "sensor": {"kind": "wave"}}, 100, "sensor.path"),
        ({"kind": "timer", "sensor": {"kind": "adc"}}, 100, "sensor.pin"),
    ],
)
def test_config_of_a_source_that_cannot_be_is_refused_by_name(source, rate_hz, said):
    with pytest.raises(ConfigError) as caught:
        check({"channels": [{"source": source, "rate_hz": rate_hz}]})
    assert caught.value.code == "channels[0].source." + said


@pytest.mark.parametrize(
    ("text", "scale"),
    [("0.1", "0.1"), ('"0.1"', "0.1"), ("3", "3"), ("-1e-3", "-1e-3"), ('"3.3/4095"', "3.3/4095"), ("1.50", "1.50")],
)
def test_config_takes_a_scale_as_it_is_written(text, scale):
    config = exact_json.parse(f'{{"channels": [{{"scale": {text}}}]}}', json.loads)
    assert check(config)["channels"][0]["scale"] == scale


@pytest.mark.parametrize("open_close", ["[]", ('{"a":', "}")])
def test_config_nested_without_end_is_refused_and_costs_no_stack(open_close):
    def nested(depth):
        return open_close[0] * depth + "1.5" + open_close[1] * depth

    exact_json.parse(nested(exact_json.DEPTH_LIMIT - 1), json.loads)
    for depth in (exact_json.DEPTH_LIMIT, 500):
        with pytest.raises(ValueError):
            exact_json.parse(nested(depth), json.loads)
