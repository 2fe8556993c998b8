"""Makes the connection to a broker that a configuration names, of network, resolver, time and TLS. Starts nothing."""

from ...errors import ConfigError
from .. import machine_facts
from .resolver import Resolver
from .tcp import TcpPort


def make_port(config):
    """A TcpPort.

    Args:
        config: checked (config.check), of kind "mqtt".

    Raises:
        ConfigError: the board has no network, or a file is not there or not of its form.
    """
    mqtt = config["mqtt"]
    station = _make_wifi(config)
    server = _dns_server(mqtt, station)
    timesync = None
    if mqtt["ntp"]:
        from . import timesync as sync

        host, number = mqtt["ntp"]
        timesync = sync.TimeSync(Resolver(host, server), number)
    resolver = Resolver(mqtt["host"], server)
    return TcpPort(mqtt["host"], mqtt["port"], resolver, _make_context(mqtt), station, timesync)


def _make_wifi(config):
    if not config["wifi"]["ssid"]:
        return None
    from . import wifi

    try:
        password = machine_facts.read_secret(config["wifi"]["password_file"])
        return wifi.make(config["wifi"]["ssid"], password, config["device"])
    except ImportError:
        raise ConfigError("wifi", "this board has no Wi-Fi; leave the table out, or choose another link")
    except OSError as error:
        raise ConfigError("wifi.password_file", "%s cannot be read (%s)" % (config["wifi"]["password_file"], error))


def _dns_server(mqtt, station):
    named = mqtt["dns"]
    if named:
        return lambda: named
    if station is not None:
        return station.dns_server
    return lambda: None


def _make_context(mqtt):
    if not mqtt["is_tls"]:
        return None
    from . import tls

    try:
        return tls.make_context(mqtt["ca_file"], mqtt["certificate_file"], mqtt["key_file"])
    except (OSError, ValueError) as error:
        raise ConfigError("mqtt.ca_file", "certificates cannot be read (%s): %s" % (error, _files(mqtt)))


def _files(mqtt):
    return ", ".join([mqtt[key] for key in ("ca_file", "certificate_file", "key_file") if mqtt[key]])
