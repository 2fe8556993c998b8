"""What was provisioned, laid over a configuration: which settings, when, and what a damaged file does."""

import json

import pytest

from kittiwake_node.errors import ConfigError
from kittiwake_node.io import provisioned

OWN = {"device": "kw-7", "wifi": {"ssid": "plant"}, "mqtt": {"url": "mqtts://b:8883", "ca_file": "provision/ca-1"}}
SHARED = {"device": "fleet", "wifi": {"ssid": "x", "password_file": "y"}, "mqtt": {"url": "mqtt://c", "base": "b"}}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "provision.json"
    path.write_text(json.dumps(OWN))
    return str(path)


@pytest.mark.parametrize("link", ["mqtt", {"kind": "mqtt"}])
def test_provisioned_settings_replace_the_shared_ones_one_by_one(path, link):
    given = {**SHARED, "link": link, "block": 32}
    before = json.dumps(given)
    assert provisioned.lay_over(given, path) == {
        "device": "kw-7",
        "link": link,
        "block": 32,
        "wifi": {"ssid": "plant", "password_file": "y"},
        "mqtt": {"url": "mqtts://b:8883", "ca_file": "provision/ca-1", "base": "b"},
    }
    assert json.dumps(given) == before


@pytest.mark.parametrize("link", ["stdio", {"kind": "uart"}, None])
def test_provisioned_network_waits_where_the_link_is_another(path, link):
    given = {"device": "fleet"} if link is None else {"device": "fleet", "link": link}
    assert provisioned.lay_over(given, path) == {**given, "device": "kw-7"}


def test_provisioned_nothing_leaves_the_configuration(tmp_path):
    assert provisioned.lay_over(SHARED, str(tmp_path / "none.json")) is SHARED


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', '{"wifi": 3}', '{"mqtt": []}'])
def test_provisioned_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "provision.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="is damaged"):
        provisioned.lay_over(SHARED, str(path))
