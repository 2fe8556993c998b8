"""The link's and the broker's settings: the short forms, the defaults, and what cannot be, with the mend."""

import pytest

from kittiwake_node.config import check
from kittiwake_node.errors import ConfigError

CHANNELS = [{"source": {"kind": "link"}}]


def checked(**settings):
    return check({"channels": CHANNELS, **settings})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("stdio", {"kind": "stdio"}),
        ("uart:2", {"kind": "uart", "id": 2, "baudrate": 115200, "tx": -1, "rx": -1}),
        ({"kind": "uart", "id": 1, "tx": 17, "baudrate": 921600}, None),
        ({"kind": "fd", "fd": 3}, {"kind": "fd", "fd": 3}),
    ],
)
def test_link_in_short_or_long_form_becomes_a_table(given, expected):
    expected = expected or {"kind": "uart", "id": 1, "baudrate": 921600, "tx": 17, "rx": -1}
    assert checked(link=given)["link"] == expected


@pytest.mark.parametrize("link", ["", "uart", "uart:", "uart:x", "mqtt:1", "stdio:0", "serial", 3, ["stdio"]])
def test_link_of_no_form_is_refused_with_the_forms(link):
    with pytest.raises(ConfigError, match=r'write "stdio", "uart:N" or "mqtt"'):
        checked(link=link)


def test_mqtt_settings_get_defaults_address_and_client_id():
    config = checked(device="d1", link="mqtt", mqtt={"url": "mqtt://broker", "base": "plant/a", "ntp": "pool.ntp.org"})
    mqtt = config["mqtt"]
    assert (mqtt["host"], mqtt["port"], mqtt["is_tls"], mqtt["client_id"]) == ("broker", 1883, False, "plant-a-d1")
    assert (mqtt["ntp"], mqtt["dns"], config["wifi"]["ssid"]) == (("pool.ntp.org", 123), "", "")
    tls = checked(link="mqtt", mqtt={"url": "mqtts://b:18883", "ca_file": "ca.der"})["mqtt"]
    assert (tls["host"], tls["port"], tls["is_tls"]) == ("b", 18883, True)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"mqtt": {}}, "mqtt.url"),
        ({"mqtt": {"url": "broker:1883"}}, "mqtt.url"),
        ({"mqtt": {"url": "mqtt://me:pw@broker"}}, "mqtt.url"),
        ({"mqtt": {"url": "mqtt://broker:0"}}, "0 is no port"),
        ({"mqtt": {"url": "mqtt://b", "base": "a/#"}}, "mqtt.base"),
        ({"mqtt": {"url": "mqtt://b", "topics": {"alerts": "x"}}}, "mqtt.topics"),
        ({"mqtt": {"url": "mqtt://b", "topics": {"alert": "x/"}}}, "mqtt.topics.alert"),
        ({"mqtt": {"url": "mqtt://b", "in_flight": 65}}, "mqtt.in_flight"),
        ({"mqtt": {"url": "mqtt://b", "keepalive_s": 1}}, "mqtt.keepalive_s"),
        ({"mqtt": {"url": "mqtts://b"}}, "mqtt.ca_file"),
        ({"mqtt": {"url": "mqtt://b", "ca_file": "ca"}}, "use mqtts://"),
        ({"mqtt": {"url": "mqtts://b", "ca_file": "ca", "key_file": "k"}}, "go together"),
        ({"mqtt": {"url": "mqtt://b", "password_file": "p"}}, "mqtt.username"),
        ({"mqtt": {"url": "mqtt://b", "password": "secret"}}, "no such setting"),
        ({"mqtt": {"url": "mqtt://b", "dns": "9.9.9.9:x"}}, "mqtt.dns"),
        ({"mqtt": {"url": "mqtt://b"}, "wifi": {"ssid": "x" * 33}}, "wifi.ssid"),
        ({"mqtt": {"url": "mqtt://b"}, "wifi": {"ssid": "x", "psk": "y"}}, "wifi.psk"),
    ],
)
def test_mqtt_settings_that_cannot_be_are_named(settings, told):
    with pytest.raises(ConfigError) as caught:
        checked(link="mqtt", **settings)
    assert told in str(caught.value) and "me:pw" not in str(caught.value)


def test_mqtt_settings_beside_another_link_are_refused():
    with pytest.raises(ConfigError, match='write link = "mqtt"'):
        checked(link="stdio", mqtt={"url": "mqtt://b"})
