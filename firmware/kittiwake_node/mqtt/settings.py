"""A broker's and a Wi-Fi's settings, checked before anything starts. Loaded only where the link is a broker's.

Takes and gives plain dicts; it knows no file and no network.
"""

from ..config_checks import with_defaults
from ..errors import ConfigError
from .publication import KINDS

if False:  # for mypy alone
    from typing import Any

    from kittiwake_types import Settings

# What stands where a setting is not given says its kind. Certificates and passwords are files on the board, so that
# reading the settings back gives no secret away.
MQTT_DEFAULTS: "Settings" = {
    "url": "",  # mqtt://HOST:1883, or mqtts://HOST:8883 for TLS
    "base": "kittiwake",  # first levels of every topic
    "topics": {},  # kind -> a topic of its own in place of BASE/DEVICE/KIND/CHANNEL
    "client_id": "",  # BASE-DEVICE where nothing is said
    "username": "",
    "password_file": "",
    "ca_file": "",  # authorities to trust, PEM or DER; TLS needs it
    "certificate_file": "",  # ours, for mutual TLS
    "key_file": "",
    "keepalive_s": 30,
    "in_flight": 16,  # records on the way that the broker has not confirmed
    "dns": "",  # ADDRESS or ADDRESS:PORT of a DNS server; the one that the network names where nothing is said
    "ntp": "",  # HOST or HOST:PORT of a time server; nothing for none
}
WIFI_DEFAULTS: "Settings" = {"ssid": "", "password_file": ""}
_PORTS = {"mqtt": 1883, "mqtts": 8883}


def check_mqtt(settings: "Settings", device: str) -> "Settings":
    """Fill in and check the settings of a link of kind "mqtt".

    Returns:
        A new dict with every key of MQTT_DEFAULTS, and "host", "port", "is_tls"; dns and ntp as (host, port).

    Raises:
        ConfigError: names the setting, and what would be right.
    """
    mqtt = with_defaults(MQTT_DEFAULTS, settings, "mqtt.")
    mqtt["host"], mqtt["port"], mqtt["is_tls"] = _address(mqtt["url"])
    mqtt["client_id"] = mqtt["client_id"] or "%s-%s" % (mqtt["base"].replace("/", "-"), device)
    _check_topic("base", mqtt["base"])
    for kind in mqtt["topics"]:
        if kind not in KINDS:
            raise ConfigError("mqtt.topics", "%r is not a kind; there are: %s" % (kind, ", ".join(KINDS)))
        _check_topic("topics." + kind, mqtt["topics"][kind])
    for key, low, high in (("keepalive_s", 5, 3600), ("in_flight", 1, 64)):
        if not low <= mqtt[key] <= high:
            raise ConfigError("mqtt." + key, "%d is not within %d to %d" % (mqtt[key], low, high))
    if mqtt["is_tls"] and not mqtt["ca_file"]:
        raise ConfigError("mqtt.ca_file", "mqtts:// trusts nobody without it; name the file of the broker's authority")
    if not mqtt["is_tls"] and (mqtt["ca_file"] or mqtt["certificate_file"]):
        raise ConfigError("mqtt.url", "certificates are given, and %r is not encrypted; use mqtts://" % mqtt["url"])
    if bool(mqtt["certificate_file"]) != bool(mqtt["key_file"]):
        raise ConfigError("mqtt.key_file", "certificate_file and key_file go together: mutual TLS needs both")
    if mqtt["password_file"] and not mqtt["username"]:
        raise ConfigError("mqtt.username", "a password without a user name")
    for key, port in (("dns", 53), ("ntp", 123)):
        if mqtt[key]:
            mqtt[key] = split_host(mqtt[key], port, "mqtt." + key)
    return mqtt


def check_wifi(settings: "Settings") -> "Settings":
    """Fill in and check the settings of the Wi-Fi; {} is for boards whose network is there anyway."""
    wifi = with_defaults(WIFI_DEFAULTS, settings, "wifi.")
    if settings and not 1 <= len(wifi["ssid"].encode()) <= 32:
        raise ConfigError("wifi.ssid", "%r: the network's name, 1 to 32 bytes" % wifi["ssid"])
    return wifi


def split_host(text: str, port: int, where: str) -> tuple[str, int]:
    """(host, port) of "HOST" or "HOST:PORT". Raises ConfigError, naming `where`."""
    host, colon, number = text.partition(":")
    if not host or "/" in host or " " in host or (colon and not number.isdigit()):
        raise ConfigError(where, "%r: write HOST or HOST:PORT" % text)
    port = int(number) if colon else port
    if not 1 <= port <= 65535:
        raise ConfigError(where, "%d is no port" % port)
    return host, port


def _address(url: str) -> tuple[str, int, bool]:
    scheme, mark, rest = url.partition("://")
    if "@" in rest:  # not repeated: what is told may be logged
        raise ConfigError("mqtt.url", "holds a user name; use mqtt.username and mqtt.password_file")
    if not mark or scheme not in _PORTS:
        raise ConfigError("mqtt.url", "%r: write mqtt://HOST:1883, or mqtts://HOST:8883 for TLS" % url)
    host, port = split_host(rest.rstrip("/"), _PORTS[scheme], "mqtt.url")
    return host, port, scheme == "mqtts"


def _check_topic(name: str, text: "Any") -> None:
    ok = isinstance(text, str) and text and text[0] not in "$/" and text[-1] != "/" and "//" not in text
    if not ok or any([c in "+#\0" for c in text]):
        raise ConfigError("mqtt." + name, "%r is not a topic: no wildcards, no empty levels, no '$' in front" % (text,))
